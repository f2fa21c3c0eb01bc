/** Columns instead of objects: a million listings are a few dozen flat arrays, not a million heaps of fields. */

const KINDS = { f64: Float64Array, u32: Uint32Array, u16: Uint16Array, u8: Uint8Array } as const;

export class Column {
  #data: Float64Array | Uint32Array | Uint16Array | Uint8Array;
  #kind: keyof typeof KINDS;
  length = 0;

  constructor(kind: keyof typeof KINDS) {
    this.#kind = kind;
    this.#data = new KINDS[kind](1024);
  }

  get(index: number): number {
    return this.#data[index] ?? 0;
  }

  set(index: number, value: number): void {
    this.#data[index] = value;
  }

  add(value: number): void {
    if (this.length === this.#data.length) {
      const larger = new KINDS[this.#kind](this.length * 2);
      larger.set(this.#data);
      this.#data = larger;
    }
    this.#data[this.length++] = value;
  }
}

export interface Groups {
  size(group: number): number;
  /** The members of a group, in ascending order. */
  members(group: number): Uint32Array;
}

/** Which rows name which group: a counting sort, so a million rows take milliseconds. */
export function groupBy(column: Column, groups: number): Groups {
  const starts = new Uint32Array(groups + 1);
  for (let i = 0; i < column.length; i++) {
    const after = column.get(i) + 1;
    starts[after] = (starts[after] ?? 0) + 1;
  }
  for (let g = 1; g <= groups; g++) starts[g] = (starts[g] ?? 0) + (starts[g - 1] ?? 0);
  const free = starts.slice();
  const members = new Uint32Array(column.length);
  for (let i = 0; i < column.length; i++) {
    const group = column.get(i);
    const place = free[group] ?? 0;
    members[place] = i;
    free[group] = place + 1;
  }
  return {
    size: (group) => (starts[group + 1] ?? 0) - (starts[group] ?? 0),
    members: (group) => members.subarray(starts[group] ?? 0, starts[group + 1] ?? 0),
  };
}
