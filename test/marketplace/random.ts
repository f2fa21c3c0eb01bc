/** Two kinds of chance, both decided by the seed alone: facts about a thing, and a running sequence. */

function scramble(value: number): number {
  let h = Math.imul(value ^ (value >>> 16), 0x7feb352d);
  h = Math.imul(h ^ (h >>> 15), 0x846ca68b);
  return h ^ (h >>> 16);
}

/** Turns the name of a fact into the number that `hash` takes; meant to run once, when a module loads. */
export function aspect(name: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < name.length; i++) h = Math.imul(h ^ name.charCodeAt(i), 0x01000193);
  return h >>> 0;
}

/** The same 32 bits for the same seed, subject and aspect, in whatever order they are asked for. */
export function hash(seed: number, subject: number, about: number): number {
  return scramble(scramble(seed + Math.imul(subject, 0x9e3779b1)) + about) >>> 0;
}

/** A number in [0, 1), made as `hash` makes its bits. */
export function share(seed: number, subject: number, about: number): number {
  return hash(seed, subject, about) / 0x1_0000_0000;
}

export function pick<T>(from: readonly [T, ...T[]], bits: number): T {
  return from[bits % from.length] ?? from[0];
}

export interface Random {
  /** A number in [0, 1). */
  next(): number;
  /** A whole number in [0, below). */
  int(below: number): number;
  chance(probability: number): boolean;
  /** From the normal distribution with mean 0 and deviation 1. */
  normal(): number;
  /** How many rare events happen where `mean` are expected. */
  poisson(mean: number): number;
}

export function createRandom(seed: number): Random {
  let state = scramble(seed + 0x6d2b79f5);
  function next(): number {
    state = (state + 0x9e3779b9) | 0;
    return (scramble(state) >>> 0) / 0x1_0000_0000;
  }
  function normal(): number {
    return Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
  }
  function poisson(mean: number): number {
    if (mean > 30) return Math.max(0, Math.round(mean + Math.sqrt(mean) * normal()));
    const floor = Math.exp(-mean);
    let count = 0;
    for (let product = next(); product > floor; product *= next()) count++;
    return count;
  }
  return {
    next,
    int: (below) => Math.floor(next() * below),
    chance: (probability) => next() < probability,
    normal,
    poisson,
  };
}
