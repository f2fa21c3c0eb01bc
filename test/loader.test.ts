import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { it } from 'node:test';
import { loadLocalesLate, loaderFrom } from '../lib/start/loader.js';

const require = createRequire(new URL('../lib/start/loader.js', import.meta.url));
const locales = (): string[] => Object.keys(require.cache).filter((path) => /[\\/]locales[\\/]/.test(path));

it('the languages of zod are loaded by whoever asks for one, and are all there', async () => {
  loadLocalesLate();
  const { z } = await loaderFrom(import.meta.url).import<typeof import('zod')>('zod');
  const said = (): string | undefined => z.string().safeParse(1).error?.issues[0]?.message;
  assert.equal(said(), 'Invalid input: expected string, received number');
  assert.ok(locales().length <= 2, locales().join('\n'));
  z.config(z.locales.de());
  assert.match(said() ?? '', /^Ungültige Eingabe/);
  z.config(z.locales.en());
  assert.ok('fr' in z.locales && Object.keys(z.locales).length > 20);
});
