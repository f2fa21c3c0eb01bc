import type { Space } from '../lib/workers/protocol.ts';

export const IMAGE: Space = { work: 'image', model: 'baseline', sha256: 'a'.repeat(64), recipe: 1 };
export const CUTOUT: Space = { ...IMAGE, work: 'cutout' };

/** A PNG that says it has so many pixels. */
export function png(width: number, height: number): Uint8Array {
  const bytes = Buffer.from('89504e470d0a1a0a0000000d49484452'.padEnd(66, '0'), 'hex');
  bytes.writeUInt32BE(width, 16);
  bytes.writeUInt32BE(height, 20);
  return new Uint8Array(bytes);
}

/** Finds that two answers agree. */
export const alike = { compare: () => Promise.resolve({ overlap: 0.995, colours: 1 }) };
