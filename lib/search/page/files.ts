import { join } from 'node:path';
import { MOST_PICTURE_BYTES } from '../../limits.ts';
import { Shrinker } from '../../pictures/shrinker.ts';
import type { Small } from '../../pictures/shrinker.ts';
import { readRegular } from '../../store/files.ts';
import { isPicture } from '../asked.ts';

/** What a browser is given: a picture's bytes and the type they are of. */
export interface Served {
  readonly bytes: Uint8Array;
  readonly type: string;
}

/** For cards on screens of two dots per pixel. */
const SMALL: Small = { type: 'webp', width: 360, fit: 'inside', quality: 80 };
/** Of pictures made small, kept in memory. Bytes. */
const MOST_KEPT = 64_000_000;

/** Pictures of the dataset's two folders. A name is a listing's id, which nothing but the database is asked about. */
export class Pictures {
  readonly #folders: Readonly<Record<'images' | 'cutouts', string>>;
  readonly #shrinker = new Shrinker();
  readonly #kept = new Map<string, Served>();
  /** Being made small: a page that is opened twice asks twice. */
  readonly #coming = new Map<string, Promise<Served | undefined>>();
  #size = 0;

  constructor(folders: Readonly<Record<'images' | 'cutouts', string>>) {
    this.#folders = folders;
  }

  /** Undefined: there is no picture that may be shown. Opened without following links and without waiting. */
  async whole(kind: 'images' | 'cutouts', listingId: number): Promise<Served | undefined> {
    const name = kind === 'images' ? `${listingId}.jpg` : `${listingId}.webp`;
    try {
      const { bytes } = await readRegular(join(this.#folders[kind], name), 'refuse', MOST_PICTURE_BYTES);
      return isPicture(bytes) ? { bytes, type: kind === 'images' ? 'image/jpeg' : 'image/webp' } : undefined;
    } catch {
      return undefined;
    }
  }

  /** As small as a card shows it; where that cannot be had, as it is. */
  async small(kind: 'images' | 'cutouts', listingId: number): Promise<Served | undefined> {
    const key = `${kind}/${listingId}`;
    const kept = this.#kept.get(key) ?? this.#coming.get(key);
    if (kept) return kept;
    const coming = this.#make(key, kind, listingId).finally(() => this.#coming.delete(key));
    this.#coming.set(key, coming);
    return coming;
  }

  close(): void {
    this.#shrinker.close();
  }

  async #make(key: string, kind: 'images' | 'cutouts', listingId: number): Promise<Served | undefined> {
    const whole = await this.whole(kind, listingId);
    if (!whole) return undefined;
    const made = await this.#shrinker.shrink(whole.bytes, SMALL);
    const small: Served = made ? { bytes: made, type: 'image/webp' } : whole;
    this.#kept.set(key, small);
    this.#size += small.bytes.length;
    for (const [oldest, { bytes }] of this.#kept) {
      if (this.#size <= MOST_KEPT) break;
      this.#kept.delete(oldest);
      this.#size -= bytes.length;
    }
    return small;
  }
}
