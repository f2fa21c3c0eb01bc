import { join } from 'node:path';
import { writeFile } from 'node:fs/promises';
import { migrate } from '../../lib/dataset/migrations.ts';
import { Database } from '../../lib/store/database.ts';
import { command } from './provoke.ts';
import type { Folder, Row } from './row.ts';

const PIPELINE = 'stages:\n  - { id: verify, task: ./tasks/verify.ts }\n';

async function dataset(folder: Folder, isCurrent = true): Promise<void> {
  await folder.write({ 'pipeline.yaml': PIPELINE });
  const database = await Database.open(join(folder.path, 'etsy_data.db'));
  if (isCurrent) await migrate(database);
  await database.close();
  if (!isCurrent) await writeFile(join(folder.path, 'etsy_data.db'), '');
}

function row(when: string, args: readonly string[], text: readonly string[], prepare = dataset): Row {
  return {
    when,
    provoke: async (folder) => {
      await prepare(folder);
      return command(folder, ['search', ...args]);
    },
    text,
    next: text.at(-1) ?? '',
    exitCode: 2,
  };
}

const PATH = 'Check the path of the picture. Words to look for must not end in .jpg, .png or .webp.';

/** What `sync-data search` cannot do. */
export const search: readonly Row[] = [
  row(
    'a search before the first run',
    ['oak'],
    ['There is nothing to search yet: <folder>/etsy_data.db', 'Run a sync first: npx sync-data'],
    (folder) => folder.write({ 'pipeline.yaml': PIPELINE }),
  ),
  row(
    'a search in a database of an earlier version',
    ['oak'],
    [
      '<folder>/etsy_data.db was made by an earlier version.',
      'The next run brings it up to date: npx sync-data',
    ],
    (folder) => dataset(folder, false),
  ),
  row('a picture that is not there', ['chair.jpg'], ['chair.jpg: no such file', PATH]),
  row(
    'a folder with the name of a picture',
    ['chair.jpg'],
    ['chair.jpg: a folder, not a file', PATH],
    async (folder) => {
      await dataset(folder);
      await folder.write({ 'chair.jpg/inside': '' });
    },
  ),
  row(
    'a picture that is too large',
    ['chair.jpg'],
    ['chair.jpg: larger than the 10 MB that a picture may have', PATH],
    async (folder) => {
      await dataset(folder);
      await folder.write({ 'chair.jpg': Buffer.alloc(10_000_001) });
    },
  ),
  row(
    'a picture in another format',
    ['chair.png'],
    ['chair.png: not a JPEG, PNG or WebP picture', 'Save it in one of these formats, then search again.'],
    async (folder) => {
      await dataset(folder);
      await folder.write({ 'chair.png': 'GIF89a' });
    },
  ),
  row(
    'a search for a whole book',
    ['oak '.repeat(100)],
    ['The search has 399 letters, at most 300.', 'Leave some words out.'],
  ),
  row(
    'a search with too many pictures',
    Array.from({ length: 9 }, (_, at) => String(1_000_000_000 + at)),
    ['The search has 9 pictures and listings, at most 8.', 'Leave some out.'],
  ),
  row(
    '--json with nothing to search for',
    ['--json'],
    ['--json needs something to search for.', 'Such as: npx sync-data search oak table --json'],
  ),
];
