export function loaderFrom(from: string): { import<Module>(path: string): Promise<Module> };
export function loadLocalesLate(): void;
