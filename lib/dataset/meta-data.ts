import { realpath, stat } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { basename } from 'node:path';
import pLimit from 'p-limit';
import { UserError } from '../errors.ts';
import type { Database, Sql, Tx } from '../store/database.ts';
import { asFileError } from '../errors.ts';
import { replaceFile } from '../store/files.ts';
import { count } from '../text/format.ts';
import { mergedEntry } from './entries.ts';
import { isDeep } from '../text/json.ts';
import { JsonFault, jsonEntries } from './json-entries.ts';
import type { Entry } from './json-entries.ts';

/** Entries read back in one go while the file is written. */
const CHUNK = 5000;
const STAMP = 'meta_data_file';
/** A file that others change all the time is written over in the end. */
const TRIES = 5;
const HINT = 'The file was left unchanged. Correct it, or restore a good copy, then start sync-data again.';

/** The file as it was last read or written, and the state of the table that it holds. */
interface Saved {
  readonly file: string;
  readonly version: string | null;
}

/** What was made of a file that another program wrote. */
interface Taken {
  /** Entries that are new or changed. */
  entries: number;
  /** The same of keys that are no listing ids, and those that are gone. */
  others: number;
  /** Entries in which the database knew better. */
  kept: number;
}

/** Another program wrote the file while it was being written here. */
class Overtaken extends Error {}

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
  readonly #yearOf: (value: unknown) => number | null;
  readonly #turn = pLimit(1);
  readonly #warn: (message: string) => void;

  /** @param warn called with what another program changed, and what was done about it */
  constructor(
    database: Database,
    path: string,
    yearOf: (value: unknown) => number | null,
    warn: (message: string) => void = () => undefined,
  ) {
    this.#database = database;
    this.#path = path;
    this.#yearOf = yearOf;
    this.#warn = warn;
  }

  /**
   * Takes the file's entries into the table, where the file has changed since it was last written or read. Keys and
   * entries that are not ours are taken as they are; see `mergedEntry` for the others.
   *
   * @throws UserError naming file, line and column when it is no JSON object, FileError; the table and the file stay as they were
   */
  load(): Promise<void> {
    return this.#turn(async () => {
      const file = await this.#stampOnDisk();
      const saved = await this.#saved();
      if (file !== undefined && file !== saved?.file) await this.#take(file, saved === undefined);
    });
  }

  /** Writes the file, where it is not what the table holds. One call at a time. */
  save(): Promise<void> {
    return this.#turn(async () => {
      for (let tries = 1; ; tries += 1) if (await this.#write(tries === TRIES)) return;
    });
  }

  /**
   * What another program has written since is taken in first: it would be gone for good.
   * @returns false where the file was changed while it was written: then nothing was replaced
   */
  async #write(isLast: boolean): Promise<boolean> {
    const found = await this.#stampOnDisk();
    const last = await this.#saved();
    if (found !== undefined && found !== last?.file) await this.#take(found, last === undefined);
    const version = await this.#version();
    const saved = await this.#saved();
    if (saved?.version === version && saved.file === found) return true;
    // A link is the owner's: the file it leads to is the one that others read.
    const path = await realpath(this.#path).catch(() => this.#path);
    try {
      const unlessOvertaken = async (): Promise<void> => {
        if (!isLast && (await this.#stampOnDisk()) !== found) throw new Overtaken();
      };
      await replaceFile(path, `${path}.tmp`, true, (file) => this.#fill(file), unlessOvertaken);
    } catch (error) {
      if (error instanceof Overtaken) return false;
      throw error;
    }
    const written = await this.#stampOnDisk();
    await this.#database.write((tx) => this.#record(tx, { file: written ?? '', version }));
    return true;
  }

  async #take(file: string, isFirst: boolean): Promise<void> {
    const taken: Taken = { entries: 0, others: 0, kept: 0 };
    const others = new Set<string>();
    try {
      await this.#database.write(async (tx) => {
        for await (const entries of jsonEntries(this.#path)) await this.#adopt(tx, entries, taken, others);
        if (!isFirst) taken.others += await dropOthers(tx, others);
        await this.#record(tx, { file, version: null });
      });
    } catch (error) {
      if (!(error instanceof JsonFault)) throw asFileError(this.#path, error);
      throw new UserError(`${basename(this.#path)}:${error.line}:${error.column}: ${error.message}`, {
        exitCode: 2,
        cause: error,
        hint: HINT,
      });
    }
    if (!isFirst && taken.entries + taken.others + taken.kept > 0)
      this.#warn(`${basename(this.#path)} was changed by another program: ${toldOf(taken)}`);
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
    const others = await read.all<{ key: string; value: string }>(
      `SELECT key, value FROM meta_data_other AS o WHERE NOT EXISTS (
         SELECT 1 FROM meta_data WHERE listing_id = CAST(o.key AS INTEGER) AND CAST(listing_id AS TEXT) = o.key)`,
    );
    if (others.length > 0) yield others.map((row) => `${JSON.stringify(row.key)}: ${row.value}`);
  }

  async #adopt(tx: Tx, entries: readonly Entry[], taken: Taken, others: Set<string>): Promise<void> {
    /** Of several entries of one listing the last counts. */
    const texts = new Map<number, string>();
    for (const entry of entries) {
      const listingId = Number(entry.key);
      const isId = Number.isSafeInteger(listingId) && listingId > 0 && String(listingId) === entry.key;
      // SQLite cannot read what is nested so deep: it is kept as it is, until there is a real entry.
      if (isId && !isDeep(entry.text)) texts.set(listingId, entry.text);
      else {
        others.add(entry.key);
        taken.others += await putOther(tx, entry);
      }
    }
    const changed: MetaEntry[] = [];
    for (const { id, value } of await differing(tx, texts)) {
      const text = texts.get(id) ?? 'null';
      const theirs: unknown = JSON.parse(text);
      const merged = value === null ? undefined : mergedEntry(JSON.parse(value), theirs);
      const own = merged && JSON.stringify(merged);
      if (own !== undefined) taken.kept += 1;
      if (own === value) continue;
      changed.push({ listingId: id, value: own ?? text, earliestYear: this.#yearOf(merged ?? theirs) });
    }
    taken.entries += changed.length;
    await putEntries(tx, changed);
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

/** Of these entries (JSON text by listing id), those that the table lacks (null) or has otherwise. */
async function differing(
  tx: Tx,
  texts: ReadonlyMap<number, string>,
): Promise<{ id: number; value: string | null }[]> {
  if (texts.size === 0) return [];
  return tx.all(
    `SELECT r.value ->> 0 AS id, m.value FROM jsonb_each(?) AS r LEFT JOIN meta_data AS m ON m.listing_id = r.value ->> 0
     WHERE m.value IS NOT r.value ->> 1`,
    [JSON.stringify([...texts])],
  );
}

/** @returns 1 where it is new or changed, else 0 */
async function putOther(tx: Tx, { key, text }: Entry): Promise<number> {
  const { changes } = await tx.run(
    `INSERT INTO meta_data_other (key, value) VALUES (?, ?)
     ON CONFLICT (key) DO UPDATE SET value = excluded.value WHERE value IS NOT excluded.value`,
    [key, text],
  );
  return changes;
}

/** What is not ours is as the file has it, also where it is gone. @returns how many were */
async function dropOthers(tx: Tx, keys: ReadonlySet<string>): Promise<number> {
  const { changes } = await tx.run(
    'DELETE FROM meta_data_other WHERE key NOT IN (SELECT value FROM json_each(?))',
    [JSON.stringify([...keys])],
  );
  return changes;
}

function toldOf({ entries, others, kept }: Taken): string {
  const parts = [
    `${count(entries)} ${entries === 1 ? 'entry' : 'entries'}${others > 0 ? ` and ${count(others)} other ${others === 1 ? 'key' : 'keys'}` : ''} taken in`,
    ...(kept > 0
      ? [
          `${count(kept)} disagreed with the database, which keeps the image_id, shop_id, hex, suffix and when_made it knows`,
        ]
      : []),
  ];
  return parts.join('; ');
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
  // In one row: for each of its own the driver makes an object, which costs more than to find it.
  const row = await sql.get<{ entries: string }>(
    `SELECT json_group_object(listing_id, value) AS entries
     FROM meta_data WHERE listing_id IN (SELECT value FROM json_each(?))`,
    [JSON.stringify(listingIds)],
  );
  const entries = JSON.parse(row?.entries ?? '{}') as Record<string, string>;
  return new Map(Object.entries(entries).map(([id, value]) => [Number(id), value]));
}

/** Marks entries as seen in a slice of a crawl. @returns how many it had not seen before */
export async function markSeen(tx: Tx, listingIds: readonly number[], slice: number): Promise<number> {
  const { changes } = await tx.run(
    `UPDATE meta_data SET seen_slice = ? WHERE listing_id IN (SELECT value FROM json_each(?)) AND seen_slice IS NOT ?`,
    [slice, JSON.stringify(listingIds), slice],
  );
  return changes;
}
