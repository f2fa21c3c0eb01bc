import { existsSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { Taxonomy } from '../dataset/taxonomy.ts';
import type { Pipeline } from '../pipeline/config.ts';
import { UserError } from '../errors.ts';
import { Database } from '../store/database.ts';
import type { Sql } from '../store/database.ts';
import { replaceFile } from '../store/files.ts';
import { readTaxonomy } from '../dataset/taxonomy-table.ts';
import { version } from '../version.ts';
import { finding } from './finding.ts';
import { headline } from './headline.ts';
import { whereThere } from './old-schema.ts';
import { page } from './page.ts';
import type { Part } from './page.ts';
import type { Content, Source, Subject } from './subject.ts';
import { coverage } from './subjects/coverage.ts';
import { findings } from './subjects/findings.ts';
import { freshness } from './subjects/freshness.ts';
import { images } from './subjects/images.ts';
import { oddities } from './subjects/oddities.ts';
import { overTime } from './subjects/over-time.ts';
import { prices } from './subjects/prices.ts';
import { reviews } from './subjects/reviews.ts';
import { runs } from './subjects/runs.ts';
import { setAside } from './subjects/set-aside.ts';
import { shops } from './subjects/shops.ts';
import { whenMade } from './subjects/when-made.ts';

/** What a reader asks first stands first; how good the data is, at the end and folded. */
const SUBJECTS: readonly Subject[] = [
  { id: 'images', title: 'Newest pieces', write: images },
  { id: 'prices', title: 'Prices by category', write: prices },
  { id: 'over-time', title: 'New, gone, changed', write: overTime },
  { id: 'shops', title: 'Shops by country', write: shops },
  { id: 'when-made', title: 'When they were made', write: whenMade },
  { id: 'reviews', title: 'Reviews per month', write: reviews },
  { id: 'coverage', title: 'Coverage', write: coverage, isQuality: true },
  { id: 'freshness', title: 'Freshness of reviews', write: freshness, isQuality: true },
  { id: 'runs', title: 'Runs', write: runs, isQuality: true },
  { id: 'findings', title: 'Findings', write: findings, isQuality: true },
  { id: 'oddities', title: 'Oddities', write: oddities, isQuality: true },
  { id: 'set-aside', title: 'Set aside', write: setAside, isQuality: true },
];

/**
 * Writes report.html beside the database, from one snapshot of it; a run under way is not held up.
 * @param redact strikes the API key out of what is written
 * @param real the path under which the database is opened, whichever link leads to it
 * @returns the file's path
 * @throws UserError when there is no database, StoreError and FileError
 */
export async function writeReport(
  { name, folder, data, rules }: Pipeline,
  redact: (text: string) => string,
  real: string,
): Promise<string> {
  if (!existsSync(real)) {
    throw new UserError(`There is no database to report on: ${data.database}`, {
      exitCode: 2,
      hint: 'Run a sync first: npx sync-data',
    });
  }
  const path = join(dirname(data.database), 'report.html');
  const database = await Database.open(real, { readOnly: true });
  try {
    const sql = database.read;
    await database.snapshot();
    const now = Date.now();
    const source = { sql, now, rules, images: data.images, category: await categories(sql) };
    const parts: Part[] = [];
    for (const { id, title, write, isQuality = false } of SUBJECTS)
      parts.push({ id, title, isQuality, content: await contentOf(write, source) });
    const text = page({
      name,
      now,
      database: relative(folder, data.database),
      version: version(),
      finding: await finding(source),
      headline: await headline(source),
      parts,
    });
    await replaceFile(path, `${path}.part`, false, (file) => file.writeFile(redacted(text, redact)));
    return path;
  } finally {
    await database.close();
  }
}

/** The bytes of images are no text. */
function redacted(page: string, redact: (text: string) => string): string {
  return page
    .split(/(data:image\/jpeg;base64,[A-Za-z0-9+/=]+)/)
    .map((part, index) => (index % 2 === 0 ? redact(part) : part))
    .join('');
}

async function contentOf(write: Subject['write'], source: Source): Promise<Content> {
  const content = await whereThere(write(source));
  return (
    content ?? {
      empty: 'This database is of an earlier version. The next run adds what is missing, and fills this.',
    }
  );
}

/** As Etsy calls them, where its tree has been read; else as this version knows them. */
async function categories(sql: Sql): Promise<Source['category']> {
  const known = (await whereThere(readTaxonomy(sql))) ?? new Taxonomy([], undefined);
  return (id) => (id === null ? 'No category' : known.nameOf(id));
}
