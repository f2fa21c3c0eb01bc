import { join } from 'node:path';
import { MOST_IMAGE_BYTES } from '../limits.ts';
import { Shrinker } from '../pictures/shrinker.ts';
import type { PictureType, Small } from '../pictures/shrinker.ts';
import { readRegular } from '../store/files.ts';
import { Html, html } from './html.ts';

/** Bytes of all pictures together, before base64 makes them a third larger: the page stays under 3 MB. */
const ALL = 1_950_000;
/** A picture of so many bytes goes into the page as it is; a larger one is made smaller, where that can be done. */
const SMALL = 16_000;
/** Of one that cannot be made smaller. */
const ONE = 240_000;
/** Pixels: twice what it is shown at. */
const WIDTH = 304;
const SIZES: Readonly<Record<PictureType, Small>> = {
  jpeg: { type: 'jpeg', width: WIDTH, fit: 'cover', quality: 72 },
  webp: { type: 'webp', width: WIDTH, fit: 'inside', quality: 72 },
};

const SIGNS: Readonly<Record<PictureType, (bytes: Buffer) => boolean>> = {
  jpeg: (bytes) => bytes.subarray(0, 3).equals(Buffer.from([0xff, 0xd8, 0xff])),
  webp: (bytes) => bytes.toString('latin1', 0, 4) === 'RIFF' && bytes.toString('latin1', 8, 12) === 'WEBP',
};

/** The pictures of the report, within the bytes that it may have. */
export class Album {
  readonly #folders: { readonly images: string; readonly cutouts: string };
  readonly #shrinker = new Shrinker({ mostLost: 1 });
  readonly #shares = new Map<string, number>();

  constructor(folders: { readonly images: string; readonly cutouts: string }) {
    this.#folders = folders;
  }

  /**
   * @param part whose share of the bytes it takes, @param share of 1
   * @returns the picture as markup; undefined: there is none on disk, it is none, or there is no room
   */
  image(listingId: number, alt: string, part: string, share: number): Promise<Html | undefined> {
    return this.#picture(join(this.#folders.images, `${listingId}.jpg`), 'jpeg', alt, part, share);
  }

  cutout(listingId: number, alt: string, part: string, share: number): Promise<Html | undefined> {
    return this.#picture(join(this.#folders.cutouts, `${listingId}.webp`), 'webp', alt, part, share);
  }

  close(): void {
    this.#shrinker.close();
  }

  async #picture(
    path: string,
    type: PictureType,
    alt: string,
    part: string,
    share: number,
  ): Promise<Html | undefined> {
    const room = this.#shares.get(part) ?? share * ALL;
    const whole = await readPicture(path, type);
    if (!whole) return undefined;
    const small = whole.length <= SMALL ? whole : await this.#shrinker.shrink(whole, SIZES[type]);
    const bytes = small && small.length < whole.length ? small : whole;
    if (bytes.length > Math.min(ONE, room)) return undefined;
    this.#shares.set(part, room - bytes.length);
    return html`<img src="data:image/${type};base64,${new Html(bytes.toString('base64'))}" alt="${alt}" />`;
  }
}

/** Undefined: it is not there, cannot be read, is none, or too large. Only a plain file is opened. */
async function readPicture(path: string, type: PictureType): Promise<Buffer | undefined> {
  const bytes = await readRegular(path, 'refuse', MOST_IMAGE_BYTES).then(
    (read) => read.bytes,
    () => undefined,
  );
  return bytes && SIGNS[type](bytes) ? bytes : undefined;
}
