/**
 * Ids are a shuffled range: each serial number has one id and each id one serial number, so nothing collides
 * however much the world grows, and finding a thing by its id needs no table.
 */

import { aspect, hash } from './random.ts';

export interface IdSpace {
  idOf(serial: number): number;
  /** The serial number that has this id, or -1. It may lie beyond what the world has handed out so far. */
  serialOf(id: number): number;
}

/** `prime * largest serial` and `factor * largest serial` must stay below 2^53. */
function idSpace(first: number, prime: number, factor: number, shift: number): IdSpace {
  const modulus = BigInt(prime);
  const inverse = power(BigInt(factor % prime), modulus - 2n, modulus);
  const offset = shift % prime;
  return {
    idOf: (serial) => first + ((serial * factor + offset) % prime),
    serialOf: (id) => {
      if (!Number.isSafeInteger(id) || id < first || id >= first + prime) return -1;
      return Number((((BigInt(id - first) - BigInt(offset) + modulus) % modulus) * inverse) % modulus);
    },
  };
}

function power(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let result = 1n;
  for (let b = base % modulus, e = exponent; e > 0n; e >>= 1n, b = (b * b) % modulus) {
    if (e & 1n) result = (result * b) % modulus;
  }
  return result;
}

export interface Ids {
  listing: IdSpace;
  /** Serial: the listing's times SLOTS, plus the slot. */
  image: IdSpace;
  shop: IdSpace;
  user: IdSpace;
  transaction: IdSpace;
}

/** Image numbers a listing can use up: ten pictures, and those that replace the first one later. */
export const SLOTS = 16;
export const MOST_LISTINGS = 2 ** 21;

export function createIds(seed: number): Ids {
  const shift = (of: string): number => hash(seed, 0, aspect(of));
  return {
    listing: idSpace(1_400_000_000, 2_999_999_929, 1_618_033_999, shift('id.listing')),
    image: idSpace(2_900_000_000, 4_999_999_937, 241_000_021, shift('id.image')),
    shop: idSpace(5_300_000, 54_999_943, 39_916_801, shift('id.shop')),
    user: idSpace(11_000_000, 899_999_963, 241_000_021, shift('id.user')),
    transaction: idSpace(1_000_000_000, 3_899_999_989, 433_494_437, shift('id.transaction')),
  };
}
