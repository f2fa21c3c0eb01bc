import { join } from 'node:path';
import { describe } from '../../lib/errors.ts';
import { Database } from '../../lib/store/database.ts';
import { StoreError } from '../../lib/store/store-error.ts';
import { asFileError } from '../../lib/errors.ts';
import type { Folder, Row, Said } from './row.ts';

/** An error that only another machine meets, as its system would tell of it. */
export function foreign(when: string, error: Error, text: readonly [string, string]): Row {
  return { when, provoke: () => Promise.resolve({ text: describe(error) }), text, next: text[1] };
}

export function ofSystem(code: string, said: string): Error {
  const cause = Object.assign(new Error(`${code}: ${said}, write`), { code, syscall: 'write' });
  return asFileError('<folder>/images/1.jpg', cause) as Error;
}

export function ofStore(code: string, said: string): Error {
  return new StoreError('<folder>/etsy_data.db', code, new Error(`${code}: ${said}`));
}

export async function refused(work: () => Promise<unknown>): Promise<Said> {
  const error: unknown = await work().then(
    () => 'nothing went wrong',
    (reason: unknown) => reason,
  );
  return { text: describe(error) };
}

export const databaseOf = (folder: Folder): string => join(folder.path, 'etsy_data.db');

export async function withDatabase(
  folder: Folder,
  options: Parameters<typeof Database.open>[1],
  work: (database: Database) => Promise<unknown>,
): Promise<Said> {
  const database = await Database.open(databaseOf(folder), options);
  try {
    return await refused(() => work(database));
  } finally {
    await database.close().catch(() => undefined);
  }
}
