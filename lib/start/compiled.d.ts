export function compiledFolder(folder?: string): string | false;
