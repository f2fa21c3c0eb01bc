import { join } from 'node:path';
import { asFileError } from '../errors.ts';
import { MOST_SETTINGS_BYTES } from '../limits.ts';
import { readRegular } from './files.ts';

export interface EnvFile {
  /** Empty where there is none, or it cannot be read. */
  readonly text: string;
  readonly problem?: string;
  /** Others of this computer may read it. */
  readonly isOpen: boolean;
}

/** The file .env of a folder. Never throws. */
export async function readEnvFile(folder: string): Promise<EnvFile> {
  const path = join(folder, '.env');
  try {
    const { bytes, info } = await readRegular(path, 'follow', MOST_SETTINGS_BYTES);
    // On Windows the mode says nothing about others.
    const isOpen = process.platform !== 'win32' && (info.mode & 0o044) !== 0;
    return { text: decoded(bytes), isOpen };
  } catch (error) {
    const named = asFileError(path, error);
    const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    const problem = named instanceof Error ? named.message : String(named);
    return { text: '', isOpen: false, ...(!isMissing && { problem }) };
  }
}

/** Some editors write a byte order mark, and some write UTF-16 after it. */
function decoded(bytes: Buffer): string {
  const isUtf16 = bytes[0] === 0xff && bytes[1] === 0xfe;
  return new TextDecoder(isUtf16 ? 'utf-16le' : 'utf-8').decode(bytes);
}
