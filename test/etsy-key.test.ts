import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { inspect } from 'node:util';
import * as fc from 'fast-check';
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

  it('is undefined where nobody gives one', async () => {
    const none = await mkdtemp(join(folder, 'none-'));
    assert.equal(await findKey(none, {}), undefined);
    assert.equal(await findKey(none, { ETSY_API_KEY: '  ' }), undefined);
    assert.equal(await findKey(none, { ETSY_SHARED_SECRET: 'alone' }), undefined);
  });

  it('is struck out of every text, whole and in parts', () => {
    const key = new ApiKey('keystring', 'shared$1secret');
    assert.equal(key.header(), 'keystring:shared$1secret');
    assert.equal(
      key.redact('x-api-key: keystring:shared$1secret, keystring, keystring%3Ashared$1secret'),
      'x-api-key: [key], [key], [key]%3A[key]',
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
