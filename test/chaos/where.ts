import { existsSync } from 'node:fs';
import type { Rig } from '../rig.ts';

const UNITS = { crawl: 2, images: 1, reconcile: 1, verify: 3, reviews: 1 };
export const STAGES = Object.keys(UNITS);

/** Before a run has begun, or after it has finished. */
const OUTSIDE = 'outside a run';

/** The stages that were under way when the command ended, as far as the database tells. */
export async function whereItEnded(rig: Rig): Promise<string[]> {
  if (!existsSync(rig.path('etsy_data.db'))) return [OUTSIDE];
  const tables = await rig.number("SELECT count(*) AS n FROM sqlite_schema WHERE name IN ('runs', 'units')");
  if (tables < 2) return [OUTSIDE];
  const [run] = await rig.rows<{ id: number; finished_at: number | null }>(
    'SELECT id, finished_at FROM runs ORDER BY id DESC LIMIT 1',
  );
  if (!run || run.finished_at !== null) return [OUTSIDE];
  const units = await rig.rows<{ stage: string; begun: number; finished: number }>(
    `SELECT stage, count(*) AS begun, count(finished_at) AS finished FROM units WHERE run_id = ? GROUP BY stage`,
    [run.id],
  );
  const at = new Map(units.map((unit) => [unit.stage, unit]));
  const isOver = ([stage, count]: [string, number]): boolean => at.get(stage)?.finished === count;
  const open = Object.entries(UNITS).filter((stage) => !isOver(stage));
  const under = open.filter(([stage]) => at.has(stage)).map(([stage]) => stage);
  if (under.length > 0) return under;
  // Before its first commit a stage leaves no trace.
  return [open[0]?.[0] ?? 'reviews'];
}
