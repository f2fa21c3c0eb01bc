import assert from 'node:assert/strict';

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';

import * as fc from 'fast-check';

import { JsonFault, jsonEntries } from '../lib/dataset/json-entries.ts';
import type { Entry } from '../lib/dataset/json-entries.ts';

import { entryOf, key, objectOf, space } from './json-texts.ts';

/** How much of a file is read at once. */
const READ = 256 * 1024;

let folder = '';
let file = '';

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'json-entries-'));
  file = join(folder, 'image_metadata.json');
});
after(() => rm(folder, { recursive: true }));

async function entriesOf(content: string | Buffer): Promise<Entry[]> {
  await writeFile(file, content);
  const all: Entry[] = [];
  for await (const some of jsonEntries(file)) all.push(...some);
  return all;
}

describe('entries of a JSON file', () => {
  it('are the same behind a byte order mark', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(entryOf(key), { maxLength: 5 }), async (entries) => {
        assert.deepEqual(await entriesOf(`\ufeff${objectOf(entries)}`), entries);
      }),
      { numRuns: 50 },
    );
  });

  it('come with their value as the text that stands in the file', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(entryOf(key), { maxLength: 20 }),
        space,
        space,
        async (entries, one, other) => {
          const content = objectOf(entries, `${one}:${other}`, `${other},${one}`);
          assert.deepEqual(await entriesOf(one + content + other), entries);
        },
      ),
    );
  });

  it('come however deep a value is nested', async () => {
    const depth = 5000;
    const text = `${'[{"a":'.repeat(depth)}"}"${'}]'.repeat(depth)}`;
    assert.deepEqual(await entriesOf(`{"1":${text},"2":{}}`), [
      { key: '1', text },
      { key: '2', text: '{}' },
    ]);
  });

  it('come twice where a key does, in the order of the file', async () => {
    assert.deepEqual(await entriesOf('{"1":1,"2":2,"1":3}'), [
      { key: '1', text: '1' },
      { key: '2', text: '2' },
      { key: '1', text: '3' },
    ]);
  });

  it('come whole wherever the file is cut into chunks', async () => {
    const tail =
      '"77": 123456, "é😀": {"k": "é😀é😀"}, "78" : "é😀\\u00e9", "79": true, "80":  -1.5e3 , "81":[1, 2]';
    const bytes = Buffer.byteLength(tail);
    const expected = await entriesOf(`{${tail}}`);
    assert.equal(expected.length, 6);
    for (let cut = 0; cut <= bytes + 1; cut += 1) {
      const opening = '{"1": "';
      const filler = `${opening}${'x'.repeat(READ - cut - opening.length - 2)}",`;
      const [first, ...rest] = await entriesOf(`${filler}${tail}}`);
      assert.equal(first?.key, '1');
      assert.deepEqual(rest, expected, `cut ${cut} bytes into: ${tail}`);
    }
  });

  it('come whole out of files of several chunks, with characters of any width across their ends', async () => {
    for (const character of ['x', 'é', '€', '😀']) {
      const text = JSON.stringify(character.repeat(90_000));
      const entries = Array.from({ length: 6 }, (_, index) => ({ key: `${character}${index}`, text }));
      assert.deepEqual(await entriesOf(objectOf(entries)), entries);
    }
  });

  it('are none in an empty object', async () => {
    for (const content of ['{}', ' {\n}\n']) assert.deepEqual(await entriesOf(content), []);
  });
});

/** What is wrong, and the text before it: the position is where that text ends. */
const MALFORMED: readonly [what: string, before: string, rest: string][] = [
  ['an array', '', '[1]'],
  ['a number', '  \n ', '5'],
  ['a key without quotes', '{\n  ', 'a: 1}'],
  ['a key in single quotes', '{\n  ', "'1': 1}"],
  ['a number for a key', '{\n  ', '1: 1}'],
  ['no colon', '{"1" ', '{}}'],
  ['no value', '{"1": ', '}'],
  ['no value before a comma', '{"1": 1,\n"2": ', ', "3": 1}'],
  ['a comma after the last entry', '{"1": 1,\n', '}'],
  ['a comma before the first entry', '{', ', "1": 1}'],
  ['a second object', '{"1": 1}\n', '{"2": 2}'],
  ['a stray bracket', '{"1": 1', ']'],
  ['a word that is none', '{"1": n', 'aN}'],
  ['a line break within a text', '{"1": "é', '\n"}'],
];

describe('a file that is no JSON object', () => {
  for (const [what, before, rest] of MALFORMED) {
    it(`is refused at the byte that is wrong: ${what}`, async () => {
      await assert.rejects(entriesOf(before + rest), (error) => {
        assert.ok(error instanceof JsonFault);
        assert.equal(error.offset, Buffer.byteLength(before), error.message);
        return true;
      });
    });
  }

  it('is refused at the same place with a byte order mark before it, which its first line counts', async () => {
    for (const mark of ['', '\ufeff']) {
      for (const [what, before, rest] of MALFORMED) {
        const lines = Buffer.from(mark + before)
          .toString('latin1')
          .split('\n');
        await assert.rejects(
          entriesOf(mark + before + rest),
          { line: lines.length, column: (lines.at(-1)?.length ?? 0) + 1 },
          what,
        );
      }
    }
  });

  it('is refused at the second of two entries without a comma between them', async () => {
    await assert.rejects(entriesOf('{"1": {"a": "é"}\n "2": 2}'), { offset: 19 });
  });

  it('is refused at its end where something is missing', async () => {
    for (const content of [
      '',
      ' ',
      '{',
      '{"1"',
      '{"1":',
      '{"1": 1',
      '{"1": 1,',
      '{"1": [1',
      '{"1": "a',
      '{"é": tr',
    ]) {
      await assert.rejects(entriesOf(content), (error) => {
        assert.ok(error instanceof JsonFault, content);
        assert.equal(error.offset, Buffer.byteLength(content), `${content}: ${error.message}`);
        return true;
      });
    }
  });

  it('is refused for a value whose words are in no order, within that value', async () => {
    for (const text of [
      '[1 2]',
      '[1,]',
      '{"a"}',
      '{"a":1,}',
      '{1:1}',
      '[}',
      '01',
      '[1.]',
      '-',
      '"\\x"',
      '"\t"',
    ]) {
      await assert.rejects(entriesOf(`{"1": 1, "2":${text}, "3": 1}`), (error) => {
        assert.ok(error instanceof JsonFault, text);
        assert.ok(error.offset >= 13 && error.offset <= 13 + text.length, `${text} at ${error.offset}`);
        return true;
      });
    }
  });

  it('is refused wherever a good one is cut off', async () => {
    const content = '{"1": {"a": [1, "é😀"]}, "x": 12, "3": null}';
    for (let length = 0; length < Buffer.byteLength(content); length += 1) {
      await assert.rejects(entriesOf(Buffer.from(content).subarray(0, length)), JsonFault, `${length} bytes`);
    }
  });
});
