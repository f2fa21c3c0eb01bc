import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before } from 'node:test';
import { Database } from '../lib/store/database.ts';
import type { Tx } from '../lib/store/database.ts';
import { migrate } from '../lib/dataset/migrations.ts';
import { ReportPage } from './report-page.ts';
import type { Row } from './report-page.ts';
import { Rig, withRig } from './rig.ts';
import type { Ended } from './rig.ts';

/** A small world, shared by those who hardly ask it: it is there from the first test of a file to its last. */
export class SmallWorld {
  private rig: Rig | undefined;

  constructor() {
    before(async () => {
      this.rig = await Rig.open({ market: { categories: { 12371: { listings: 5 } }, shops: 2 } });
    });
    after(() => this.rig?.close());
  }

  /** To be asked once tests run. */
  get market(): Rig {
    assert.ok(this.rig, 'the small world is not there yet');
    return this.rig;
  }

  beside(test: (rig: Rig) => Promise<void>): Promise<void> {
    return withRig({ beside: this.market, taxonomies: [12371] }, test);
  }
}

export function write(rig: Rig): Promise<Ended> {
  return rig.run({ qps: 'exact', args: ['report'] });
}

/** Has it written, and reads it. */
export async function report(rig: Rig): Promise<ReportPage> {
  assert.deepEqual(await write(rig), { code: 0, signal: null, stdout: 'report.html\n', stderr: '' });
  return new ReportPage(await readFile(rig.path('report.html'), 'utf8'));
}

/** Changes the database, which is made if it is not there. */
export async function change(rig: Rig, work: (tx: Tx) => Promise<unknown>): Promise<void> {
  const database = await Database.open(rig.path('etsy_data.db'));
  try {
    await migrate(database);
    await database.write(work);
  } finally {
    await database.close();
  }
}

/** Of a column of figures. */
export function sum(rows: readonly Row[], column: string): number {
  return rows.reduce((total, row) => total + Number(row[column]?.replaceAll(',', '') ?? NaN), 0);
}
