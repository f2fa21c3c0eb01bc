import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { inspect } from 'node:util';
import * as fc from 'fast-check';
import { UserError } from '../lib/errors.ts';
import { ApiKey, findKey } from '../lib/etsy/key.ts';

const LETTERS = 'abcdefghijklmnopqrstuvwxyz0123456789'.split('');

describe('the API key', () => {
  let folder = '';
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'etsy-parts-'));
  });
  after(() => rm(folder, { recursive: true }));

  it('is read from .env beside pipeline.yaml, the secret joined to the keystring', async () => {
    await writeFile(join(folder, '.env'), '# mine\nETSY_API_KEY="abcdef"\nETSY_SHARED_SECRET= s3cret \n');
    assert.equal((await findKey(folder, {}))?.header(), 'abcdef:s3cret');
    await writeFile(join(folder, '.env'), 'ETSY_API_KEY=abcdef:whole\nETSY_SHARED_SECRET=s3cret\n');
    assert.equal((await findKey(folder, {}))?.header(), 'abcdef:whole');
  });

  it('is that of the environment where both have one', async () => {
    await writeFile(join(folder, '.env'), 'ETSY_API_KEY=file:file\n');
    assert.equal((await findKey(folder, { ETSY_API_KEY: ' from:env ' }))?.header(), 'from:env');
  });

  it('is read from a .env that begins with a byte order mark, in UTF-8 or UTF-16, with any ends of lines', async () => {
    for (const [text, encoding] of [
      ['\uFEFFETSY_API_KEY=abcdef:s3cret\n', 'utf8'],
      ['\uFEFFETSY_API_KEY=abcdef:s3cret\r\n', 'utf16le'],
      ['# mine\r\nETSY_API_KEY = "abcdef:s3cret"\r\n', 'utf8'],
      ['export ETSY_API_KEY=abcdef:s3cret\u00a0\n', 'utf8'],
    ] as const) {
      await writeFile(join(folder, '.env'), Buffer.from(text, encoding));
      assert.equal((await findKey(folder, {}))?.header(), 'abcdef:s3cret', text);
    }
  });

  it('with a character that no key has is refused: character and place are named, the key is not', async () => {
    const keystring = fc.string({ unit: fc.constantFrom(...LETTERS), minLength: 4, maxLength: 30 });
    const foreign = fc
      .oneof(
        fc.constantFrom(...Array.from('\u201c\u201d\u2019\u200b\u2060\u00ad\u0007\t\n \uFEFFé：')),
        fc.string({ unit: 'grapheme', minLength: 1, maxLength: 1 }),
      )
      .map((text) => Array.from(text)[0] ?? '\u200b')
      .filter((character) => !/^[!-~]$/.test(character));
    const name = fc.constantFrom('ETSY_API_KEY', 'ETSY_SHARED_SECRET');
    await fc.assert(
      fc.asyncProperty(keystring, keystring, foreign, name, async (before, after, character, where) => {
        const env = { ETSY_API_KEY: 'keystring', [where]: `${before}${character}${after}` };
        const error: unknown = await findKey(join(folder, 'nowhere'), env).catch((reason: unknown) => reason);
        assert.ok(error instanceof UserError && error.exitCode === 2, String(error));
        const code = `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
        const place = `character ${before.length + 1} of ${before.length + 1 + after.length} is ${code}`;
        assert.ok(error.message.startsWith(`${where} in the environment: ${place}`), error.message);
        assert.ok(!`${error.message}${error.hint}`.includes(before + character));
      }),
      { numRuns: 200 },
    );
    await writeFile(join(folder, '.env'), '# mine\nETSY_API_KEY=\u201cabcdef:s3cret\u201d\n');
    await assert.rejects(findKey(folder, {}), {
      message:
        'ETSY_API_KEY in .env, line 2: character 1 of 15 is U+201C LEFT DOUBLE QUOTATION MARK, which is not part of a key.',
    });
  });

  it('is undefined where nobody gives one', async () => {
    const none = await mkdtemp(join(folder, 'none-'));
    assert.equal(await findKey(none, {}), undefined);
    assert.equal(await findKey(none, { ETSY_API_KEY: '  ' }), undefined);
    assert.equal(await findKey(none, { ETSY_SHARED_SECRET: 'alone' }), undefined);
  });

  it('is struck out of every text, whole and in parts', () => {
    const key = new ApiKey('keystring7', 'shared$1secret');
    assert.equal(key.header(), 'keystring7:shared$1secret');
    assert.equal(
      key.redact('x-api-key: keystring7:shared$1secret, keystring7, keystring7%3Ashared$1secret'),
      'x-api-key: [key], [key], [key]',
    );
    // Copied from a hint it is no secret, and the hint stays readable.
    const placeholder = new ApiKey('keystring', 'shared_secret');
    assert.equal(
      placeholder.redact('ETSY_API_KEY=keystring:shared_secret'),
      'ETSY_API_KEY=keystring:shared_secret',
    );
    assert.equal(new ApiKey('ab:c').redact('ab and c'), 'ab and c', 'too short to be told from a word');
    const word = fc.string({ unit: fc.constantFrom(...LETTERS, '$', '&', '.', '*'), minLength: 8 });
    fc.assert(
      fc.property(word, word, fc.string(), fc.string(), (keystring, secret, one, other) => {
        const text = new ApiKey(keystring, secret).redact(`${one}${secret}${other}${keystring}:${secret}`);
        assert.ok(!text.replaceAll('[key]', '\n').includes(secret));
      }),
    );
  });

  it('does not show itself', () => {
    const key = new ApiKey('keystring', 'secret');
    for (const text of [JSON.stringify({ key }), inspect({ key }, { showHidden: true })]) {
      assert.doesNotMatch(text, /keystring|secret/);
    }
  });
});
