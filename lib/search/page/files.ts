import { join } from 'node:path';
import { readRegular } from '../../store/files.ts';
import { MOST_PICTURE_BYTES, MOST_PICTURE_PIXELS } from '../../limits.ts';
import { isPicture } from '../asked.ts';

/** What a browser is given: a picture's bytes and the type they are of. */
export interface Served {
  readonly bytes: Uint8Array;
  readonly type: string;
}

/** Pixels a side, for cards on screens of two dots per pixel. */
const SMALL = 360;
/** Of pictures made small, kept in memory. Bytes. */
const MOST_KEPT = 64_000_000;

/** Pictures of the dataset's two folders. A name is a listing's id, which nothing but the database is asked about. */
export class Pictures {
  readonly #folders: Readonly<Record<'images' | 'cutouts', string>>;
  readonly #kept = new Map<string, Served>();
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

  async small(kind: 'images' | 'cutouts', listingId: number): Promise<Served | undefined> {
    const key = `${kind}/${listingId}`;
    const kept = this.#kept.get(key);
    if (kept) return kept;
    const whole = await this.whole(kind, listingId);
    if (!whole) return undefined;
    const small = (await this.#shrunk(whole)) ?? whole;
    this.#kept.set(key, small);
    this.#size += small.bytes.length;
    for (const [oldest, { bytes }] of this.#kept) {
      if (this.#size <= MOST_KEPT) break;
      this.#kept.delete(oldest);
      this.#size -= bytes.length;
    }
    return small;
  }

  /** Undefined: sharp is not installed, or cannot read it; the browser then gets it as it is. */
  async #shrunk({ bytes }: Served): Promise<Served | undefined> {
    try {
      const { default: sharp } = await import('sharp');
      const made = await sharp(bytes, { limitInputPixels: MOST_PICTURE_PIXELS, failOn: 'error' })
        .rotate()
        .resize(SMALL, SMALL, { fit: 'inside', withoutEnlargement: true })
        .webp({ quality: 80 })
        .toBuffer();
      return { bytes: made, type: 'image/webp' };
    } catch {
      return undefined;
    }
  }
}
