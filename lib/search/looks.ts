import { join } from 'node:path';
import { cutout, embedImage, embedText } from '../models/jobs.ts';
import { Models } from '../models/models.ts';
import type { Sql } from '../store/database.ts';
import { readRegular } from '../store/files.ts';
import { MOST_PICTURE_BYTES } from '../limits.ts';
import { vectorOf } from '../vectors/embeddings.ts';
import type { Space } from '../vectors/spaces.ts';
import type { Picture } from './asked.ts';

export interface LooksOptions {
  /** Of a connection that can compare vectors. */
  readonly sql: Sql;
  readonly models: Models;
  /** The stage's model for cutouts, where pictures are compared by their cutouts; undefined: none was ever made. */
  readonly cutoutModel: string | undefined;
  /** Absolute: the folder of the images. */
  readonly images: string;
  readonly signal: AbortSignal;
}

/** What something asked for looks like, in the terms of a space; undefined: it cannot be said, and `note` says why. */
export interface Look {
  readonly vector: ArrayLike<number> | undefined;
  readonly note?: string;
}

/** Turns words, pictures and listings into vectors of a space. Models are fetched by the stages, never by a search. */
export class Looks {
  readonly #options: LooksOptions;

  constructor(options: LooksOptions) {
    this.#options = options;
  }

  /** A listing that is in the space already; otherwise its image on disk. */
  async ofListing(space: Space, listingId: number): Promise<Look> {
    const known = await vectorOf(this.#options.sql, space, listingId);
    if (known) return { vector: known };
    try {
      const path = join(this.#options.images, `${listingId}.jpg`);
      const { bytes } = await readRegular(path, 'refuse', MOST_PICTURE_BYTES);
      return await this.ofPicture(space, { name: `listing ${listingId}`, bytes });
    } catch {
      return { vector: undefined, note: `listing ${listingId} has no picture here` };
    }
  }

  async ofPicture(space: Space, picture: Picture): Promise<Look> {
    if (!(await this.#isUsable('image', space))) return { vector: undefined, note: missing(space.model) };
    const { models, signal } = this.#options;
    try {
      await models.ready('image', space.model, { signal });
      const bytes = space.input === 'cutout' ? await this.#cut(picture) : picture.bytes;
      return { vector: await embedImage(await models.pool(), space.model, bytes) };
    } catch (error) {
      if (signal.aborted) throw error;
      return {
        vector: undefined,
        note: `${picture.name}: ${error instanceof Error ? error.message : String(error)}`,
      };
    }
  }

  /** Pictures that look as the words say. Undefined without a note: the model knows no words. */
  async ofWords(space: Space, words: string): Promise<Look> {
    const { models, signal } = this.#options;
    if (!models.knowsWords(space.model)) return { vector: undefined };
    if (!(await this.#isUsable('text', space))) return { vector: undefined, note: missing(space.model) };
    await models.ready('text', space.model, { signal });
    return { vector: await embedText(await models.pool(), space.model, words) };
  }

  /** As the pictures of the space were: on nothing but themselves. A room without one main thing stays as it is. */
  async #cut(picture: Picture): Promise<Uint8Array> {
    const { models, cutoutModel, signal } = this.#options;
    if (cutoutModel === undefined || !(await models.isHere('cutout', cutoutModel))) return picture.bytes;
    await models.ready('cutout', cutoutModel, { signal });
    const { state, webp } = await cutout(await models.pool(), cutoutModel, picture.bytes);
    return state === 'done' ? webp : picture.bytes;
  }

  /** The same weights as made the space, and on this computer. */
  async #isUsable(work: 'image' | 'text', space: Space): Promise<boolean> {
    const { models } = this.#options;
    if (work === 'image' && models.identity(work, space.model).sha256 !== space.sha256) return false;
    return models.isHere(work, space.model);
  }
}

function missing(model: string): string {
  return `the model ${model} is not on this computer; the embed stage fetches it`;
}
