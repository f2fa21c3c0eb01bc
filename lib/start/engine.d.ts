export function optimizeLate(): void;
export function keepHeapSmall(): void;
export function settleDown(): void;
export function sweep(): void;
