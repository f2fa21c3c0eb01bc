import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import * as fc from 'fast-check';
import { Database } from '../lib/store/database.ts';
import { jsonEntries } from '../lib/dataset/json-entries.ts';
import { MetaDataFile, markSeen, putEntries } from '../lib/dataset/meta-data.ts';
import { migrate } from '../lib/dataset/migrations.ts';
import { yearOfEntry } from '../lib/dataset/entries.ts';

/** An installation: a database, and the file beside it. */
interface Place {
  readonly database: Database;
  readonly path: string;
}

let folder = '';
let here: Place;
let elsewhere: Place;

async function place(name: string): Promise<Place> {
  const own = await mkdtemp(join(folder, name));
  const database = await Database.open(join(own, 'etsy_data.db'));
  await migrate(database);
  return { database, path: join(own, 'image_metadata.json') };
}

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'round-trip-'));
  [here, elsewhere] = [await place('here-'), await place('elsewhere-')];
});
after(async () => {
  await here.database.close();
  await elsewhere.database.close();
  await rm(folder, { recursive: true });
});

async function forget({ database, path }: Place): Promise<void> {
  await rm(path, { force: true });
  await database.write(async (tx) => {
    for (const table of ['meta_data', 'meta_data_other', 'sync_state']) await tx.run(`DELETE FROM ${table}`);
  });
}

function open({ database, path }: Place): MetaDataFile {
  return new MetaDataFile(database, path, yearOfEntry);
}

async function entriesIn({ path }: Place): Promise<[key: string, text: string][]> {
  const all: [string, string][] = [];
  for await (const some of jsonEntries(path)) for (const { key, text } of some) all.push([key, text]);
  return all;
}

const blank = fc.string({ unit: fc.constantFrom(' ', '\n', '\t', '\r'), maxLength: 2 });
const numberText = fc.oneof(
  fc.constantFrom('-0', '0.0', '1e5', '1E+05', '12345678901234567890', '-1e-400', '1.10', '9007199254740993'),
  fc.stringMatching(/^-?(0|[1-9]\d{0,19})(\.\d{1,19})?([eE][+-]?\d{1,3})?$/),
);
/** A text as JSON spells it: characters as they are, or escaped in any of the ways that there are. */
const stringText = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        '\\n',
        '\\/',
        '\\"',
        '\\\\',
        '\\b',
        '\\u0041',
        '\\u00e9',
        '\\u0000',
        '\\ud83d',
        '\\uDE00',
        '"',
      ),
      fc.string({ unit: 'binary', minLength: 1, maxLength: 2 }),
    ),
    { maxLength: 5 },
  )
  .map((parts) =>
    parts.map((part) => (part.startsWith('\\') ? part : JSON.stringify(part).slice(1, -1))).join(''),
  )
  .map((inner) => `"${inner}"`);
/** Any JSON text, an object's key twice included. */
const { value: valueText } = fc.letrec<{ value: string; array: string; object: string }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    numberText,
    stringText,
    fc.constantFrom('true', 'false', 'null', '{}', '[]'),
    tie('array'),
    tie('object'),
  ),
  array: fc
    .tuple(fc.array(tie('value'), { maxLength: 4 }), blank)
    .map(([all, space]) => `[${space}${all.join(`${space},`)}${space}]`),
  object: fc
    .tuple(
      fc.array(fc.tuple(fc.oneof(stringText, fc.constant('"twice"')), tie('value')), { maxLength: 4 }),
      blank,
    )
    .map(
      ([all, space]) => `{${space}${all.map(([key, text]) => `${key}:${space}${text}`).join(`,${space}`)}}`,
    ),
}));
const listingId = fc.oneof(
  fc.integer({ min: 1, max: 5 }),
  fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
);
/** Keys of a file as they are read: a listing's id, or anything else. */
const anyKey = fc.oneof(
  { weight: 3, arbitrary: listingId.map(String) },
  fc.constantFrom('', '0', '007', '1e5', '-3', '1.0', '9007199254740993', 'version', '__proto__'),
  fc.string({ unit: 'binary', maxLength: 4 }),
);
const file = fc.array(fc.tuple(anyKey, valueText, blank), { maxLength: 12 });
type File = typeof file extends fc.Arbitrary<infer T> ? T : never;

function textOf(entries: File): string {
  const lines = entries.map(
    ([key, text, space]) => `${space}${JSON.stringify(key)}${space}:${space}${text}${space}`,
  );
  return `{${lines.join(',')}}`;
}

function isListing(key: string): boolean {
  return /^[1-9]\d*$/.test(key) && Number.isSafeInteger(Number(key));
}

/** Of two entries with one key the last counts. */
function meaning(entries: readonly (readonly [string, string, ...unknown[]])[]): Map<string, string> {
  return new Map(entries.map(([key, text]) => [key, text]));
}

describe('image_metadata.json, loaded and saved', () => {
  it('says the same, letter for letter, here and in another installation', async () => {
    await fc.assert(
      fc.asyncProperty(file, async (entries) => {
        await forget(here);
        await forget(elsewhere);
        await writeFile(here.path, textOf(entries));
        await open(here).load();
        await open(here).save();
        const saved = await readFile(here.path, 'utf8');
        const back = await entriesIn(here);
        assert.deepEqual(meaning(back), meaning(entries));
        assert.equal(back.length, meaning(back).size, 'a key twice');

        await writeFile(elsewhere.path, saved);
        await open(elsewhere).load();
        // Something has to change, or the file would be left as it is.
        await elsewhere.database.write((tx) =>
          putEntries(tx, [{ listingId: 1, value: '0', earliestYear: null }]),
        );
        await open(elsewhere).save();
        const expected = meaning(entries).set('1', '0');
        assert.deepEqual(meaning(await entriesIn(elsewhere)), expected);
      }),
      { numRuns: 20 },
    );
  });

  it('is what the table says after every save, and is left alone where that has not changed', async () => {
    const act = fc.oneof(
      fc.record({ do: fc.constant('put' as const), id: listingId, text: valueText }),
      fc.record({ do: fc.constant('see' as const), id: listingId }),
      fc.record({ do: fc.constant('replace' as const), entries: file }),
      fc.record({ do: fc.constant('take away' as const) }),
      fc.record({ do: fc.constant('start again' as const) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(act, { maxLength: 10 }), async (acts) => {
        await forget(here);
        let metaData = open(here);
        const expected = new Map<string, string>();
        await metaData.save();
        for (const [index, one] of acts.entries()) {
          const before = await stat(here.path, { bigint: true });
          if (one.do === 'put') {
            const entry = { listingId: one.id, value: one.text, earliestYear: null };
            await here.database.write((tx) => putEntries(tx, [entry]));
            expected.set(String(one.id), one.text);
          } else if (one.do === 'see') {
            await here.database.write((tx) => markSeen(tx, [one.id], index));
          } else if (one.do === 'replace') {
            await writeFile(here.path, textOf(one.entries));
            // Another program takes its time: two writes within one tick of the clock cannot be told apart.
            await utimes(here.path, 0, 1_000_000 + index);
            await metaData.load();
            // Keys that are no listing's are another program's, which may take them away.
            for (const key of expected.keys()) if (!isListing(key)) expected.delete(key);
            for (const [key, text] of one.entries) expected.set(key, text);
          } else if (one.do === 'take away') await rm(here.path);
          else {
            metaData = open(here);
            await metaData.load();
          }
          await metaData.save();
          assert.deepEqual(meaning(await entriesIn(here)), expected, one.do);
          const after = await stat(here.path, { bigint: true });
          if (one.do === 'see' || one.do === 'start again') {
            assert.deepEqual([after.ino, after.mtimeNs], [before.ino, before.mtimeNs], one.do);
          }
        }
      }),
      { numRuns: 20 },
    );
  });
});
