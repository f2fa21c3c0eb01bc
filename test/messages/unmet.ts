export const UNMET: readonly { file: string; words: string; why: string }[] = [];
