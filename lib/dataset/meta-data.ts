import { createReadStream } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { basename } from 'node:path';
import pLimit from 'p-limit';
import { UserError } from '../errors.ts';
import type { Database, Sql, Tx } from '../store/database.ts';
import { asFileError, replaceFile } from '../store/files.ts';
import { JsonFault, jsonEntries } from './json-entries.ts';
import type { Entry } from './json-entries.ts';

/** Entries read back in one go while the file is written. */
const CHUNK = 5000;
const STAMP = 'meta_data_file';

/** The file as it was last read or written, and the state of the table that it holds. */
interface Saved {
  readonly file: string;
  readonly version: string | null;
}

export interface MetaEntry {
  readonly listingId: number;
  /** JSON text. */
  readonly value: string;
  readonly earliestYear: number | null;
}

/**
 * image_metadata.json and the table that is its truth while a run is under way. The file is read when it is not the
 * one that was last written, and written back whole (temporary name, sync, rename): readers never see half of it.
 */
export class MetaDataFile {
  readonly #database: Database;
  readonly #path: string;
  /** The year an entry's item was certainly not made before, read from its value. */
  readonly #turn = pLimit(1);
  readonly #yearOf: (value: unknown) => number | null;

  constructor(database: Database, path: string, yearOf: (value: unknown) => number | null) {
    this.#database = database;
    this.#path = path;
    this.#yearOf = yearOf;
  }

  /**
   * Takes the file's entries into the table, where the file has changed since it was last written or read.
   *
   * @throws UserError naming file, line and column when it is no JSON object, FileError; the table and the file stay as they were
   */
  async load(): Promise<void> {
    const file = await this.#stampOnDisk();
    if (file === undefined || file === (await this.#saved())?.file) return;
    try {
      await this.#database.write(async (tx) => {
        for await (const entries of jsonEntries(this.#path)) await this.#adopt(tx, entries);
        await this.#record(tx, { file, version: null });
      });
    } catch (error) {
      if (!(error instanceof JsonFault)) throw asFileError(this.#path, error);
      const { line, column } = await lineAndColumn(this.#path, error.offset);
      throw new UserError(`${basename(this.#path)}:${line}:${column}: ${error.message}`, {
        exitCode: 2,
        cause: error,
        hint: 'The file was left unchanged. Correct it, or restore a good copy, then start sync-data again.',
      });
    }
  }

  /** Writes the file, where it is not what the table holds. One call at a time. */
  save(): Promise<void> {
    return this.#turn(() => this.#write());
  }

  async #write(): Promise<void> {
    const version = await this.#version();
    const saved = await this.#saved();
    if (saved?.version === version && saved.file === (await this.#stampOnDisk())) return;
    // A link is the owner's: the file it leads to is the one that others read.
    const path = await realpath(this.#path).catch(() => this.#path);
    await replaceFile(path, `${path}.tmp`, true, (file) => this.#fill(file));
    const written = await this.#stampOnDisk();
    await this.#database.write((tx) => this.#record(tx, { file: written ?? '', version }));
  }

  async #fill(file: FileHandle): Promise<void> {
    let separator = '{\n';
    for await (const lines of this.#lines()) {
      await file.appendFile(separator + lines.join(',\n'));
      separator = ',\n';
    }
    await file.appendFile(separator === '{\n' ? '{}\n' : '\n}\n');
  }

  async *#lines(): AsyncGenerator<string[], void, undefined> {
    const { read } = this.#database;
    for (let after = -1; ;) {
      // One row a chunk, put together by SQLite: every stop waits for this, and a row an entry takes longer.
      const chunk = await read.get<{ last: number | null; text: string }>(
        `SELECT max(id) AS last, group_concat('"' || id || '": ' || value, char(44, 10) ORDER BY id) AS text
         FROM (SELECT listing_id AS id, value FROM meta_data WHERE listing_id > ? ORDER BY listing_id LIMIT ?)`,
        [after, CHUNK],
      );
      if (!chunk || chunk.last === null) break;
      after = chunk.last;
      yield [chunk.text];
    }
    const others = await read.all<{ key: string; value: string }>('SELECT key, value FROM meta_data_other');
    if (others.length > 0) yield others.map((row) => `${JSON.stringify(row.key)}: ${row.value}`);
  }

  async #adopt(tx: Tx, entries: readonly Entry[]): Promise<void> {
    const listings: MetaEntry[] = [];
    const others: Entry[] = [];
    for (const entry of entries) {
      const listingId = Number(entry.key);
      const isId = Number.isSafeInteger(listingId) && listingId > 0 && String(listingId) === entry.key;
      if (!isId) others.push(entry);
      else
        listings.push({ listingId, value: entry.text, earliestYear: this.#yearOf(JSON.parse(entry.text)) });
    }
    await putEntries(tx, listings);
    for (const other of others) {
      await tx.run('REPLACE INTO meta_data_other (key, value) VALUES (?, ?)', [other.key, other.text]);
    }
  }

  /** Changes whenever an entry does. */
  async #version(): Promise<string> {
    const row = await this.#database.read.get<{ value: string }>(
      "SELECT value FROM sync_state WHERE key = 'meta_data_version'",
    );
    return row?.value ?? '0';
  }

  async #stampOnDisk(): Promise<string | undefined> {
    try {
      const info = await stat(this.#path, { bigint: true });
      return `${info.size} bytes, ${info.mtimeNs} ns`;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  }

  async #saved(): Promise<Saved | undefined> {
    const row = await this.#database.read.get<{ value: string }>(
      'SELECT value FROM sync_state WHERE key = ?',
      [STAMP],
    );
    return row && (JSON.parse(row.value) as Saved);
  }

  async #record(tx: Tx, saved: Saved): Promise<void> {
    await tx.run('REPLACE INTO sync_state (key, value) VALUES (?, ?)', [STAMP, JSON.stringify(saved)]);
  }
}

/** Adds or replaces entries; what is known of a listing beside its entry stays. */
export async function putEntries(tx: Tx, entries: readonly MetaEntry[]): Promise<void> {
  if (entries.length === 0) return;
  await tx.run(
    `INSERT INTO meta_data (listing_id, value, earliest_year)
     SELECT r.value ->> 0, r.value ->> 1, r.value ->> 2 FROM jsonb_each(?) AS r WHERE true
     ON CONFLICT (listing_id) DO UPDATE SET value = excluded.value, earliest_year = excluded.earliest_year`,
    [JSON.stringify(entries.map((entry) => [entry.listingId, entry.value, entry.earliestYear]))],
  );
  await tx.run(
    `INSERT INTO sync_state (key, value) VALUES ('meta_data_version', '1')
     ON CONFLICT (key) DO UPDATE SET value = CAST(value AS INTEGER) + 1`,
  );
}

/** Values by listing id, as JSON text, for those of `listingIds` that have an entry. */
export async function getEntries(sql: Sql, listingIds: readonly number[]): Promise<Map<number, string>> {
  const rows = await sql.all<{ id: number; value: string }>(
    'SELECT listing_id AS id, value FROM meta_data WHERE listing_id IN (SELECT value FROM json_each(?))',
    [JSON.stringify(listingIds)],
  );
  return new Map(rows.map((row) => [row.id, row.value]));
}

/** Marks entries as seen in a slice of a crawl. @returns how many it had not seen before */
export async function markSeen(tx: Tx, listingIds: readonly number[], slice: number): Promise<number> {
  const { changes } = await tx.run(
    `UPDATE meta_data SET seen_slice = ? WHERE listing_id IN (SELECT value FROM json_each(?)) AND seen_slice IS NOT ?`,
    [slice, JSON.stringify(listingIds), slice],
  );
  return changes;
}

async function lineAndColumn(path: string, offset: number): Promise<{ line: number; column: number }> {
  let [line, column, seen] = [1, 1, 0];
  for await (const chunk of createReadStream(path, { end: Math.max(0, offset - 1) })) {
    for (const byte of chunk as Buffer) {
      if (seen++ >= offset) break;
      if (byte === 0x0a) [line, column] = [line + 1, 1];
      else column += 1;
    }
  }
  return { line, column };
}
