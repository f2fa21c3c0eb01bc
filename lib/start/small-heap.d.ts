export function keepHeapSmall(): void;
export function keepYoungHeapAsItIs(): void;
