export function compiledFolder(): string | false;
