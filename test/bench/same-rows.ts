import { isDeepStrictEqual } from 'node:util';
import { Database } from '../../lib/store/database.ts';
import type { Rig } from '../rig.ts';

const TABLES = ['listings', 'listings_dynamic', 'shops', 'shops_dynamic', 'meta_data', 'images'];
/** They tell when and in which order rows were written, or what only ours tells. */
const APART = ['id', 'snapshot_timestamp', 'seen_slice', 'reason'];

/** @throws where what one crawl has brought into the database at `path` is not what it has brought into ours */
export async function checkSameRows(ours: Rig, path: string): Promise<void> {
  const theirs = await Database.open(path, { readOnly: true });
  try {
    for (const table of TABLES) {
      const columns = await ours.rows<{ name: string }>(`SELECT name FROM pragma_table_info('${table}')`);
      const names = columns.map((column) => column.name).filter((name) => !APART.includes(name));
      // The first tells whose row it is, and after one crawl none has two.
      const select = `SELECT ${names.join(', ')} FROM ${table} ORDER BY 1`;
      const [mine, others] = [await ours.rows(select), await theirs.read.all(select)];
      if (isDeepStrictEqual(mine, others)) continue;
      const at = mine.findIndex((row, index) => !isDeepStrictEqual(row, others[index]));
      const told = `${JSON.stringify(mine[at])} and ${JSON.stringify(others[at])}`;
      throw new Error(`${table}: ${mine.length} rows of ours, ${others.length} of the other's; ${told}`);
    }
  } finally {
    await theirs.close();
  }
}
