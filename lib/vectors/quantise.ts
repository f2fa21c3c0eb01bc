/** A vector as it is stored: one byte per dimension, and one bit per dimension for the first, rough look. */
export interface Stored {
  /** Each value scaled so that the largest is 127 or -127. Cosine does not see the scale, so none is kept. */
  readonly bytes: Int8Array;
  /** A bit per dimension, the lowest bit of each byte first: set where the value is above 0. */
  readonly code: Uint8Array;
}

/** Most dimensions that a vector may have. */
const MOST = 8192;

/**
 * Scaled to length 1.
 * @throws RangeError where a value is not finite, all are 0, or the number of values is not `dims`
 */
export function unit(values: ArrayLike<number>, dims: number): Float32Array {
  if (values.length !== dims) throw new RangeError(`${values.length} values, expected ${dims}`);
  let sum = 0;
  for (let at = 0; at < dims; at += 1) {
    const value = values[at] ?? NaN;
    if (!Number.isFinite(value)) throw new RangeError(`value ${at} is ${value}, expected a finite number`);
    sum += value * value;
  }
  const length = Math.sqrt(sum);
  if (!(length > 1e-12 && Number.isFinite(length)))
    throw new RangeError('no direction: its values are all 0, or too large');
  const scaled = new Float32Array(dims);
  for (let at = 0; at < dims; at += 1) scaled[at] = (values[at] ?? 0) / length;
  return scaled;
}

/** The mean direction of several vectors, each counting the same. @throws RangeError as `unit` does */
export function mean(vectors: readonly ArrayLike<number>[], dims: number): Float32Array {
  const sum = new Float64Array(dims);
  for (const vector of vectors) {
    const one = unit(vector, dims);
    for (let at = 0; at < dims; at += 1) sum[at] = (sum[at] ?? 0) + (one[at] ?? 0);
  }
  return unit(sum, dims);
}

/** @throws RangeError as `unit` does */
export function quantise(values: ArrayLike<number>, dims: number): Stored {
  checkDims(dims);
  const vector = unit(values, dims);
  let largest = 0;
  for (let at = 0; at < dims; at += 1) largest = Math.max(largest, Math.abs(vector[at] ?? 0));
  const bytes = new Int8Array(dims);
  const code = new Uint8Array(dims / 8);
  for (let at = 0; at < dims; at += 1) {
    const value = vector[at] ?? 0;
    bytes[at] = Math.round((value / largest) * 127);
    if (value > 0) code[at >> 3] = (code[at >> 3] ?? 0) | (1 << (at & 7));
  }
  return { bytes, code };
}

/** The code takes whole bytes. */
function checkDims(dims: number): void {
  if (!Number.isInteger(dims) || dims < 8 || dims > MOST || dims % 8 !== 0)
    throw new RangeError(`${dims} dimensions, expected a multiple of 8 up to ${MOST}`);
}

export function hex(bytes: Int8Array | Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
}
