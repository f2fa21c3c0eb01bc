// Work on pictures as plain data, for threads of this computer and for other computers alike. Answers come in any order.

export interface PictureItem {
  readonly id: number;
  /** A JPEG, PNG or WebP as on disk. */
  readonly bytes: Uint8Array;
}

export interface TextItem {
  readonly id: number;
  readonly text: string;
}

/**
 * cutout: the background taken away; image: a vector of a picture, trimmed to what its alpha channel leaves; text: a
 * vector of words, comparable with those of pictures of the same model.
 */
export type Job =
  | {
      readonly work: 'cutout';
      readonly model: string;
      readonly items: readonly PictureItem[];
      /** Less of a picture, or more, is nothing sensible: it is kept whole. 0 to 1; undefined: see COVER. */
      readonly cover?: readonly [number, number];
    }
  | { readonly work: 'image'; readonly model: string; readonly items: readonly PictureItem[] }
  | { readonly work: 'text'; readonly model: string; readonly items: readonly TextItem[] };

/** Rooms without one main thing come out nearly empty (1 to 5 %), close-ups nearly full. */
export const COVER = [0.05, 0.97] as const;

export interface Cutout {
  /** whole: nothing sensible to cut; there is no file then. */
  readonly state: 'done' | 'whole';
  /** WebP with alpha, as large as the picture once it is turned upright; empty where the state is whole. */
  readonly webp: Uint8Array;
  /** Share of the picture that is kept, 0 to 1. */
  readonly cover: number;
  /** Around what is kept: x, y, width, height in pixels. */
  readonly box: readonly [number, number, number, number];
}

/** What came of an item; `error` says in a few words why nothing did, and no other item is affected. */
export type Result = { readonly id: number } & (
  { readonly cutout: Cutout } | { readonly vector: Float32Array } | { readonly error: string }
);

export interface Answer {
  /** Who did it. */
  readonly worker: string;
  /** Milliseconds that it took. */
  readonly ms: number;
  readonly items: readonly Result[];
}

/** The name of the coordinator's own threads among workers. */
export const THIS_COMPUTER = 'this computer';

/** A worker as a person is shown it: this computer is one of them. */
export interface WorkerView {
  readonly name: string;
  /** cpu, cuda, … */
  readonly device: string;
  readonly state: 'working' | 'silent' | 'refused' | 'left';
  /** Done so far, and per second of late. */
  readonly pictures: number;
  readonly perSecond: number;
  /** When it was last heard of; epoch ms. */
  readonly heardAt: number;
  /** Why it is refused or has left; else empty. */
  readonly reason: string;
}

/** Where jobs are done: threads of this computer, or other computers. */
export interface Pool {
  /** So many jobs at once keep everybody busy; it changes where workers come and go. */
  readonly width: number;
  /** Says what jobs are to come, so that other computers get ready meanwhile. */
  prepare?(work: Job['work'], model: string): void;
  /**
   * Does a job and answers for each of its items.
   *
   * @param signal once it is aborted, a job that nobody has begun is given up; one that was begun is finished
   * @throws ModelError where the model cannot be used at all; no item is to blame then. The reason of `signal`
   */
  run(job: Job, signal?: AbortSignal): Promise<Answer>;
  /** Waits for nothing: what is under way is given up. */
  close(): Promise<void>;
}

/** The threads of this computer. */
export interface OwnPool extends Pool {
  readonly threads: number;
  /** How far two cutouts are the same. Decoded in a thread, like every picture. */
  compare(one: Uint8Array, other: Uint8Array): Promise<Likeness>;
}

export interface Likeness {
  /** What both keep, as a share of what either keeps: 0 to 1. 0 where they are not of the same size. */
  readonly overlap: number;
  /** How far colours are apart in what both keep, on average: 0 to 255. */
  readonly colours: number;
}

/** @throws ModelError; Error with the reason where this picture cannot be used */
export async function cutout(pool: Pool, model: string, bytes: Uint8Array): Promise<Cutout> {
  const result = only(await pool.run({ work: 'cutout', model, items: [{ id: 0, bytes }] }));
  if ('cutout' in result) return result.cutout;
  throw new Error('error' in result ? result.error : 'no answer');
}

/** @throws ModelError; Error with the reason where this picture cannot be used */
export async function embedImage(pool: Pool, model: string, bytes: Uint8Array): Promise<Float32Array> {
  return vectorOf(only(await pool.run({ work: 'image', model, items: [{ id: 0, bytes }] })));
}

/** @throws ModelError, also where the model knows no words; Error with the reason where this text cannot be used */
export async function embedText(pool: Pool, model: string, text: string): Promise<Float32Array> {
  return vectorOf(only(await pool.run({ work: 'text', model, items: [{ id: 0, text }] })));
}

function only(answer: Answer): Result {
  const [result] = answer.items;
  if (!result) throw new Error('no answer');
  return result;
}

function vectorOf(result: Result): Float32Array {
  if ('vector' in result) return result.vector;
  throw new Error('error' in result ? result.error : 'no answer');
}
