import { mkdir, open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { evil, nested } from './bomb.ts';
import type { Bomb } from './bomb.ts';

const MB = 1_000_000;
/** With pipeline.yaml's largest size. */
const FULL = 1_040_000;
const of = (part: string, size = FULL): string => part.repeat(Math.floor(size / Buffer.byteLength(part)));

const file = (name: string, what: string, text: () => string | Buffer): Bomb => ({
  name: `${name}: ${what}`,
  files: async (folder) => writeFile(join(folder, name), text(), { mode: 0o600 }),
});

/** Takes no space on disk. */
const hollow = (name: (ids: readonly number[]) => string, what: string): Bomb => ({
  name: `${what} of 10 GB`,
  files: async (folder, ids) => {
    await mkdir(join(folder, 'images'), { recursive: true });
    const handle = await open(join(folder, name(ids)), 'w', 0o600);
    await handle.truncate(10_000 * MB);
    await handle.close();
  },
});

const yaml = (what: string, text: () => string): Bomb => file('pipeline.yaml', what, text);
const letters = Array.from({ length: 26 }, (_, at) => String.fromCharCode(97 + at));

/** With these the command ends at once. */
export const settingsFiles: readonly Bomb[] = [
  ...[
    '[',
    '- ',
    '? ',
    '{a: ',
    '&a ',
    '!a ',
    ': ',
    '"',
    "'",
    '\t',
    '\n',
    '# c\n',
    '- a\n',
    'a: 1\n',
    '- [a\n',
    '|\n',
    '---\n',
    '%A\n',
    '*a ',
    '[]: ',
    'a\n',
    '\u0000',
    '\ufeff',
  ].map((part) => yaml(`1 MB of ${JSON.stringify(part)}`, () => of(part))),
  yaml('aliases of aliases', () =>
    letters
      .map(
        (name, at) =>
          `${name}: &${name} [${Array(9)
            .fill(at > 0 ? `*${letters[at - 1]}` : 'x')
            .join(', ')}]`,
      )
      .join('\n'),
  ),
  yaml('one word of 1 MB', () => `name: ${of('x')}`),
  yaml('1 MB of hostile text', () => `name: ${JSON.stringify(evil(500_000))}\nstages: 1\n`),
  yaml('1 MB that looks like keys', () => `stages: 1\nname: ${of('abcdefghijklmnopqrstuvwx:abcdefghij ')}`),
  yaml('3,000 unknown keys', () => Array.from({ length: 3000 }, (_, at) => `stagess${at}: 1\n`).join('')),
  yaml(
    '1,500 stages',
    () =>
      `stages:\n${Array.from({ length: 1500 }, (_, at) => `- { id: s${at}, task: ./tasks/crawl.ts }\n`).join('')}`,
  ),
  yaml(
    '400 stages that need each other',
    () =>
      `stages:\n${Array.from({ length: 400 }, (_, at) => `- { id: s${at}, task: ./x.ts, needs: [${Array.from({ length: 15 }, (__, other) => `s${(at + other * 7) % 400}`).join(', ')}] }\n`).join('')}`,
  ),
  yaml('a task of 1 MB of name', () => `stages: [{ id: a, task: ./${of('a')} }]\n`),
  hollow(() => 'pipeline.yaml', 'pipeline.yaml'),
  file('.env', '1 MB of keys', () => of('ETSY_API_KEY=a\n')),
  file('.env', 'one line of 1 MB', () => `ETSY_API_KEY=${of('a')}`),
  hollow(() => '.env', '.env'),
];

const entries = (what: string, text: () => string): Bomb => file('image_metadata.json', what, text);

export const otherFiles: readonly Bomb[] = [
  entries('32 MB of brackets', () => nested(16 * MB)),
  entries('a value of 400,000 levels', () => `{"1":${nested(400_000)}}`),
  entries('a value of 1 MB of blocks', () => `{"1":[${of('{},', 990_000)}{}]}`),
  entries('a key of 32 MB', () => `{"${of('k', 32 * MB)}":1}`),
  entries('a value of 32 MB', () => `{"1":"${of('v', 32 * MB)}"}`),
  entries('32 MB of spaces', () => `{${of(' ', 32 * MB)}}`),
  entries('1 MB of hostile text under a listing’s id', () => `{"1":${JSON.stringify(evil(300_000))}}`),
  entries('20,000 entries with the same key', () => `{${of('"1":{"a":1},', 12 * 20_000)}"2":{}}`),
  entries('a text that never ends, of 32 MB', () => `{"${of('\\"', 32 * MB)}`),
  hollow(() => 'image_metadata.json', 'image_metadata.json'),
  hollow(([id]) => `images/${id}.jpg`, 'an image'),
  hollow(() => 'KILL', 'KILL'),
  hollow(() => 'etsy_data.db.lock', 'the lock file'),
  hollow(() => 'sync-data.log', 'the log'),
  hollow(() => 'etsy_data.db', 'the database'),
  file('sync-data.log', '4 MB of hostile text', () => evil(4 * MB)),
  file('etsy_data.db.lock', '32 MB of JSON', () => nested(16 * MB)),
];
