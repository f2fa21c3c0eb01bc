export function keepHeapSmall(): void;
export function keepYoungHeapAsItIs(): void;
export function sweep(): void;
