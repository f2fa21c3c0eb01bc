import { cp, stat } from 'node:fs/promises';
import { yearOfEntry } from '../../lib/dataset/entries.ts';
import { Database } from '../../lib/store/database.ts';
import { MetaDataFile } from '../../lib/dataset/meta-data.ts';
import { number } from '../figures.ts';
import { withRig } from '../rig.ts';
import type { Rig, RigOptions } from '../rig.ts';
import { finished } from './finished.ts';
import { grow } from './grow.ts';
import { measured } from './measured.ts';
import type { Measured } from './measured.ts';
import type { Section } from './section.ts';

const SIZES = [10_000, 100_000, 1_000_000];

/** What is copied until the size is reached, and all that the marketplace itself offers. */
const SEED: RigOptions = {
  withoutImages: true,
  realTime: true,
  taxonomies: [12371],
  market: { categories: { 12371: { listings: 1120 } }, shops: 140 },
};

/** Requests after which a run is stopped: the search's pages, and batches of what it did not show. */
const BUSY = 60;
const FEW = 10;

interface AtSize {
  readonly listings: number;
  readonly databaseBytes: number;
  readonly saveMs: number;
  readonly metaDataBytes: number;
  /** All five stages but the images', with nothing due. */
  readonly quiet: Measured;
  readonly verify: Measured;
  /** With everything due, until it is stopped. */
  readonly busy: Measured;
  readonly reviews: Measured;
  readonly afterSigkill: Measured;
  /** Seconds of each stage of the quiet run. */
  readonly stages: Readonly<Record<string, number>>;
}

/** How the command fares beside so many listings that are in the database already. */
export function scale(sizes: readonly number[] = SIZES): Promise<Section> {
  return withRig(SEED, async (seed) => {
    await finished(seed);
    const rows: AtSize[] = [];
    for (const size of sizes) rows.push(await atSize(seed, size));
    return { title: 'Scale', lines: linesOf(rows), figures: { sizes: rows, bytes: await bytesOf(seed) } };
  });
}

function atSize(seed: Rig, size: number): Promise<AtSize> {
  return withRig({ ...SEED, beside: seed }, async (rig) => {
    for (const name of ['etsy_data.db', 'image_metadata.json']) await cp(seed.path(name), rig.path(name));
    const listings = await grow(rig.path('etsy_data.db'), size);
    const saveMs = await save(rig);
    const quiet = await measured(rig);
    const stages = await stageSeconds(rig);
    const verify = await measured(rig, { stage: 'verify' });
    for (const run of [quiet, verify]) if (run.code !== 0) throw new Error(run.stderr);

    const { size: databaseBytes } = await stat(rig.path('etsy_data.db'));
    const { size: metaDataBytes } = await stat(rig.path('image_metadata.json'));
    await rig.configure({ refreshAfter: '1s' });
    await forget(rig);
    const reviews = await measured(rig, { stage: 'reviews' }, { requests: FEW, by: 'KILL' });
    const busy = await measured(rig, {}, { requests: BUSY, by: 'KILL' });
    await measured(rig, {}, { requests: 1, by: 'SIGKILL' });
    const afterSigkill = await measured(rig, {}, { requests: FEW, by: 'KILL' });
    return {
      listings,
      databaseBytes,
      metaDataBytes,
      saveMs,
      quiet,
      verify,
      busy,
      reviews,
      afterSigkill,
      stages,
    };
  });
}

/** Makes the reviews of every shop due: nobody has read them for so long. */
async function forget(rig: Rig): Promise<void> {
  const database = await Database.open(rig.path('etsy_data.db'));
  const YEAR_S = 365 * 86_400;
  try {
    await database.write((tx) =>
      tx.run(
        `UPDATE review_sync SET started_at = started_at - ${YEAR_S}, completed_at = completed_at - ${YEAR_S}`,
      ),
    );
  } finally {
    await database.close();
  }
}

/** The file as a stage's end writes it, whole: every entry of the copies is new to it. */
async function save(rig: Rig): Promise<number> {
  const database = await Database.open(rig.path('etsy_data.db'));
  try {
    const file = new MetaDataFile(database, rig.path('image_metadata.json'), yearOfEntry);
    await database.write((tx) =>
      tx.run("UPDATE sync_state SET value = value + 1 WHERE key = 'meta_data_version'"),
    );
    const began = performance.now();
    await file.save();
    return performance.now() - began;
  } finally {
    await database.close();
  }
}

async function stageSeconds(rig: Rig): Promise<Record<string, number>> {
  const ends = await rig.rows<{ stage: string; at: number }>(
    `SELECT stage, max(finished_at) AS at FROM units WHERE run_id = (SELECT max(id) FROM runs) GROUP BY stage ORDER BY at`,
  );
  let last = await rig.number('SELECT started_at AS n FROM runs ORDER BY id DESC LIMIT 1');
  return Object.fromEntries(
    ends.map(({ stage, at }) => {
      const seconds = (at - last) / 1000;
      last = at;
      return [stage, seconds];
    }),
  );
}

/** Of the database that was copied: bytes a listing, by table, indexes included. */
async function bytesOf(seed: Rig): Promise<Record<string, number>> {
  const listings = await seed.number('SELECT count(*) AS n FROM listings');
  const tables = await seed.rows<{ name: string; bytes: number }>(
    `SELECT s.tbl_name AS name, sum(d.pgsize) AS bytes FROM dbstat AS d JOIN sqlite_schema AS s ON s.name = d.name
     GROUP BY s.tbl_name ORDER BY bytes DESC`,
  );
  return Object.fromEntries(tables.map(({ name, bytes }) => [name, Math.round(bytes / listings)]));
}

function linesOf(rows: readonly AtSize[]): Section['lines'] {
  const each = (unit: string, figure: (row: AtSize) => number, digits = 0): string =>
    `${rows.map((row) => number(figure(row), digits)).join(' / ')} ${unit}`;
  const runs = (row: AtSize): Measured[] => [row.quiet, row.verify, row.busy, row.reviews, row.afterSigkill];
  const first = (run: Measured): number => (run.firstRequestMs ?? NaN) / 1000;
  return [
    ['listings in the database', rows.map((row) => number(row.listings)).join(' / ')],
    ['peak memory', each('MB', (row) => Math.max(...runs(row).map((run) => run.peakMb))), '≤ 150 MB, flat'],
    ['start to first request', each('s', (row) => Math.max(first(row.quiet), first(row.busy)), 2), '≤ 1.5 s'],
    ['  after SIGKILL, file inspected', each('s', (row) => first(row.afterSigkill), 2)],
    ['meta_data written back', each('s', (row) => row.saveMs / 1000, 2)],
    ['verify, without images', each('s', (row) => row.verify.seconds, 1), '≤ 60 s'],
    ['reconcile with nothing due', each('s', (row) => row.stages['reconcile'] ?? NaN, 1)],
    ['KILL to the end', each('s', (row) => (row.busy.stopMs ?? NaN) / 1000, 2)],
    ['database a listing', each('bytes', (row) => row.databaseBytes / row.listings)],
  ];
}
