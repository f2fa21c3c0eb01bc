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
import { headline, recency } from './headline.ts';
import { makeOffers } from './offers.ts';
import { Album } from './album.ts';
import { whereThere } from './old-schema.ts';
import { page } from './page.ts';
import type { Part } from './page.ts';
import type { Content, Source, Subject } from './subject.ts';
import { coverage } from './subjects/coverage.ts';
import { cutouts } from './subjects/cutouts.ts';
import { doubles } from './subjects/doubles.ts';
import { favourites } from './subjects/favourites.ts';
import { findings } from './subjects/findings.ts';
import { freshness } from './subjects/freshness.ts';
import { lifetimes } from './subjects/lifetimes.ts';
import { movers } from './subjects/movers.ts';
import { oddities } from './subjects/oddities.ts';
import { overTime } from './subjects/over-time.ts';
import { pieces } from './subjects/pieces.ts';
import { prices } from './subjects/prices.ts';
import { reviews } from './subjects/reviews.ts';
import { runs } from './subjects/runs.ts';
import { sameItems } from './subjects/same-items.ts';
import { setAside } from './subjects/set-aside.ts';
import { shops } from './subjects/shops.ts';
import { tags } from './subjects/tags.ts';
import { whenMade } from './subjects/when-made.ts';

/** What a reader asks first stands first; how good the data is, at the end and folded. */
const SUBJECTS: readonly Subject[] = [
  { id: 'images', title: 'What people like most', write: pieces },
  { id: 'movers', title: 'Movers', write: movers },
  { id: 'prices', title: 'Prices by category', write: prices },
  { id: 'same-items', title: 'The same items over time', write: sameItems },
  { id: 'favourites', title: 'Price and favourites', write: favourites },
  { id: 'over-time', title: 'New, gone, changed', write: overTime },
  { id: 'lifetimes', title: 'How long listings stay', write: lifetimes },
  { id: 'shops', title: 'Shops', write: shops },
  { id: 'tags', title: 'Styles and materials', write: tags },
  { id: 'when-made', title: 'When they were made', write: whenMade },
  { id: 'reviews', title: 'Reviews and ratings', write: reviews },
  { id: 'doubles', title: 'The same picture in several shops', write: doubles },
  { id: 'cutouts', title: 'Cutouts', write: cutouts },
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
  const album = new Album({ images: data.images, cutouts: data.cutouts });
  try {
    const sql = database.read;
    await database.snapshot();
    await makeOffers(database);
    const now = Date.now();
    const source = { sql, now, rules, album, category: await categories(sql) };
    const parts: Part[] = [];
    for (const { id, title, write, isQuality = false } of SUBJECTS) {
      const content = await contentOf(write, source);
      if (content) parts.push({ id, title, isQuality, content });
    }
    const text = page({
      name,
      now,
      database: relative(folder, data.database),
      version: version(),
      finding: await finding(source),
      headline: await headline(source),
      recency: await recency(source),
      parts,
    });
    await replaceFile(path, `${path}.part`, false, (file) => file.writeFile(redacted(text, redact)));
    return path;
  } finally {
    album.close();
    await database.close();
  }
}

/** The bytes of images are no text. */
function redacted(page: string, redact: (text: string) => string): string {
  return page
    .split(/(data:image\/(?:jpeg|webp);base64,[A-Za-z0-9+/=]+)/)
    .map((part, index) => (index % 2 === 0 ? redact(part) : part))
    .join('');
}

/** Undefined: there is no such part. */
async function contentOf(write: Subject['write'], source: Source): Promise<Content | undefined> {
  const written = await whereThere(write(source).then((content) => ({ content })));
  if (written) return written.content;
  return {
    empty: 'This database is of an earlier version. The next run adds what is missing, and fills this.',
  };
}

/** As Etsy calls them, where its tree has been read; else as this version knows them. */
async function categories(sql: Sql): Promise<Source['category']> {
  const known = (await whereThere(readTaxonomy(sql))) ?? new Taxonomy([], undefined);
  return (id) => {
    if (id === null) return 'No category';
    const name = known.nameOf(id);
    return name === `Taxonomy ${id}` ? `Unknown category (${id})` : name;
  };
}
