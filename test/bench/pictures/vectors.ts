import { addListings, addListingsDynamic } from '../../../lib/dataset/listings.ts';
import { REGISTRY } from '../../../lib/models/registry.ts';
import type { Database, Tx } from '../../../lib/store/database.ts';
import { putVectors } from '../../../lib/vectors/embeddings.ts';
import { completeSpace, ensureSpace } from '../../../lib/vectors/spaces.ts';
import { FRESH, listing, NOW } from '../../store-rig.ts';

const MODEL = 'siglip2-base';
/** As wide as Etsy's newest ids. */
export const FIRST_ID = 4_000_000_001;
/** Rows of a transaction. */
const AT_ONCE = 5000;
/** What is alike: kinds of pieces, and in how many ways they differ. */
const CENTRES = 2000;
const LATENT = 48;
/** Of a kind's pieces around it, beside the distance of the kinds from each other, 1. */
const SPREAD = 0.45;
/** What no kind explains. */
const NOISE = 0.12;
/** What all pictures have in common: two that have nothing else in common have a cosine of about a half. */
const COMMON = 1;
const BEST = 10;

/** Numbers around 0, as of a bell, the same each time. */
function bell(seed: number): () => number {
  let state = seed >>> 0 || 1;
  const even = (): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return ((state >>> 0) + 0.5) / 2 ** 32;
  };
  const table = Float32Array.from(
    { length: 1 << 16 },
    () => Math.sqrt(-2 * Math.log(even())) * Math.cos(2 * Math.PI * even()),
  );
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return table[state & 0xffff] ?? 0;
  };
}

/** Vectors as a model makes them of many pieces of a few kinds, of length 1. */
export class Pieces {
  readonly dims: number;
  readonly #next: () => number;
  readonly #ways: Float32Array;
  readonly #centres: Float32Array;
  readonly #common: Float32Array;

  constructor(dims: number, seed = 11) {
    this.dims = dims;
    const next = (this.#next = bell(seed));
    this.#ways = Float32Array.from({ length: dims * LATENT }, () => next() / Math.sqrt(LATENT));
    this.#centres = Float32Array.from({ length: CENTRES * LATENT }, next);
    this.#common = Float32Array.from({ length: dims }, () => COMMON * next());
  }

  /** Another one, of a kind by chance. */
  make(): Float32Array {
    const { dims } = this;
    const next = this.#next;
    const kind = Math.floor(Math.abs(next() * 1e6)) % CENTRES;
    const latent = new Float32Array(LATENT);
    for (let at = 0; at < LATENT; at += 1)
      latent[at] = (this.#centres[kind * LATENT + at] ?? 0) + SPREAD * next();
    const vector = new Float32Array(dims);
    let squares = 0;
    for (let dim = 0; dim < dims; dim += 1) {
      let value = (this.#common[dim] ?? 0) + NOISE * next();
      const row = dim * LATENT;
      for (let at = 0; at < LATENT; at += 1) value += (this.#ways[row + at] ?? 0) * (latent[at] ?? 0);
      vector[dim] = value;
      squares += value * value;
    }
    const length = Math.sqrt(squares);
    for (let dim = 0; dim < dims; dim += 1) vector[dim] = (vector[dim] ?? 0) / length;
    return vector;
  }
}

/** A vector that is asked with, and which listings are nearest to it by the vectors as they were before they were stored. */
export interface Question {
  readonly vector: readonly number[];
  readonly nearest: readonly number[];
}

/** Fills a database with so many listings that have a vector each, and says what the answers to some questions are. */
export async function fillWithVectors(
  database: Database,
  count: number,
  questions: number,
): Promise<{ readonly dims: number; readonly questions: readonly Question[] }> {
  const model = REGISTRY.embeddings.find(({ name }) => name === MODEL);
  if (!model) throw new Error(`There is no model ${MODEL}.`);
  const { dims } = model;
  const pieces = new Pieces(dims);
  const asked = Array.from({ length: questions }, () => ({ vector: pieces.make(), best: new Best(BEST) }));
  const space = await database.write((tx) =>
    ensureSpace(
      tx,
      {
        kind: 'image',
        model: MODEL,
        sha256: model.weights.sha256,
        recipe: model.pixels.recipe,
        input: 'cutout',
        dims,
      },
      NOW,
    ),
  );
  for (let from = 0; from < count; from += AT_ONCE) {
    const vectors = Array.from({ length: Math.min(AT_ONCE, count - from) }, () => pieces.make());
    const rows = vectors.map((vector, at) => {
      const listingId = FIRST_ID + from + at;
      for (const { vector: question, best } of asked) best.offer(listingId, cosine(question, vector));
      return { listingId, source: 's', stamp: 's', vector };
    });
    await database.write((tx) => putVectors(tx, space, rows));
  }
  await database.write(async (tx) => {
    await addCopies(tx, count);
    await completeSpace(tx, space.id, NOW);
  });
  return { dims, questions: asked.map(({ vector, best }) => ({ vector: [...vector], nearest: best.ids })) };
}

const PIECE = {
  title: 'Oak chair',
  price_divisor: 100,
  price_currency: 'USD',
  taxonomy_id: 975,
  when_made: '2020_2026',
} as const;

/** As many listings with a reading each: the first as the stages write it, the others as the first. */
async function addCopies(tx: Tx, count: number): Promise<void> {
  const first = listing(FIRST_ID, NOW, PIECE);
  await addListings(tx, [first]);
  await addListingsDynamic(tx, [first], FRESH);
  for (const table of ['listings', 'listings_dynamic']) {
    const info = await tx.all<{ name: string }>(`SELECT name FROM pragma_table_info('${table}')`);
    const columns = info.map(({ name }) => name).filter((name) => name !== 'id');
    const values = columns.map((name) => {
      if (name === 'listing_id') return 'listing_id + n';
      return name === 'price_amount' ? 'n * 7919 % 100000' : name;
    });
    await tx.run(
      `INSERT INTO ${table} (${columns.join(', ')})
       WITH RECURSIVE more (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM more WHERE n + 1 < ?)
       SELECT ${values.join(', ')} FROM more CROSS JOIN ${table}`,
      [count],
    );
  }
}

/** Of vectors of length 1. */
function cosine(one: Float32Array, other: Float32Array): number {
  let sum = 0;
  for (let at = 0; at < one.length; at += 1) sum += (one[at] ?? 0) * (other[at] ?? 0);
  return sum;
}

class Best {
  readonly #most: number;
  #found: { readonly id: number; readonly score: number }[] = [];

  constructor(most: number) {
    this.#most = most;
  }

  offer(id: number, score: number): void {
    if (this.#found.length === this.#most && score <= (this.#found.at(-1)?.score ?? 0)) return;
    const place = this.#found.findIndex((one) => one.score < score);
    this.#found.splice(place < 0 ? this.#found.length : place, 0, { id, score });
    this.#found = this.#found.slice(0, this.#most);
  }

  get ids(): number[] {
    return this.#found.map(({ id }) => id);
  }
}
