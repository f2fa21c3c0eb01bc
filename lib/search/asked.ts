import { basename, resolve } from 'node:path';
import { UserError } from '../errors.ts';
import { MOST_PICTURE_BYTES } from '../limits.ts';
import { NotAFile, readRegular } from '../store/files.ts';
import { oneLine } from '../text/clean.ts';

/** What a search is asked for. Several pictures count as their mean; words and pictures together are fused. */
export interface Asked {
  /** As a person typed them; empty: none. */
  readonly words: string;
  readonly listings: readonly number[];
  readonly pictures: readonly Picture[];
}

export interface Picture {
  /** For a person. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** Etsy's ids have 6 digits or more; shorter numbers are words: "table 120". */
const LISTING_ID = /^[1-9]\d{5,15}$/;
const PICTURE_NAME = /\.(jpe?g|png|webp)$/i;

/**
 * Sorts the words behind `search`: a listing's id, a picture's file, and all others are words to look for.
 *
 * @param cwd where relative paths start
 * @throws UserError where a picture cannot be read
 */
export async function asked(args: readonly string[], cwd: string): Promise<Asked> {
  const words: string[] = [];
  const listings: number[] = [];
  const pictures: Picture[] = [];
  for (const arg of args.flatMap((one) => (PICTURE_NAME.test(one) ? one : one.split(/\s+/)))) {
    if (LISTING_ID.test(arg)) listings.push(Number(arg));
    else if (PICTURE_NAME.test(arg)) pictures.push(await picture(resolve(cwd, arg)));
    else if (arg !== '') words.push(arg);
  }
  return { words: words.join(' '), listings, pictures };
}

async function picture(path: string): Promise<Picture> {
  const name = oneLine(basename(path));
  let bytes;
  try {
    ({ bytes } = await readRegular(path, 'follow', MOST_PICTURE_BYTES));
  } catch (error) {
    throw new UserError(`${name}: ${whyNot(error)}`, {
      exitCode: 2,
      hint: 'Check the path of the picture. Words to look for must not end in .jpg, .png or .webp.',
      cause: error,
    });
  }
  if (isPicture(bytes)) return { name, bytes };
  throw new UserError(`${name}: not a JPEG, PNG or WebP picture`, {
    exitCode: 2,
    hint: 'Save it in one of these formats, then search again.',
  });
}

function whyNot(error: unknown): string {
  if (error instanceof NotAFile) {
    return error.what === 'too large'
      ? 'larger than the 10 MB that a picture may have'
      : `${error.what}, not a file`;
  }
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return code === 'ENOENT' ? 'no such file' : oneLine(error instanceof Error ? error.message : String(error));
}

/** By its first bytes; what a file is called says nothing. */
export function isPicture(bytes: Uint8Array): boolean {
  const start = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(12, bytes.byteLength));
  if (start.subarray(0, 3).equals(Buffer.from([0xff, 0xd8, 0xff]))) return true;
  if (start.subarray(0, 8).equals(Buffer.from('89504e470d0a1a0a', 'hex'))) return true;
  return start.toString('latin1', 0, 4) === 'RIFF' && start.toString('latin1', 8, 12) === 'WEBP';
}
