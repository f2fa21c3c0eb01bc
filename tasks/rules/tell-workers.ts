import { THIS_COMPUTER } from '../../lib/models/jobs.ts';
import { readWorkers } from '../../lib/dataset/workers.ts';
import { oddityLine, readOddities } from '../../lib/dataset/oddities.ts';
import type { Sql } from '../../lib/store/database.ts';
import type { Telling, ToldRun } from '../../lib/task/telling.ts';
import { clockTime } from '../../lib/text/format.ts';

/** Which computers made the pictures of a run; nothing where it was this one alone. The same from every stage. */
export async function tellWorkers(sql: Sql, run: ToldRun, place: 'summary' | 'status'): Promise<Telling> {
  const workers = await readWorkers(sql, run.id);
  if (workers.length === 0) return {};
  const refused = workers.filter(({ state }) => state === 'refused');
  const did = workers.filter(({ pictures }) => pictures > 0);
  const stands = did.map(({ pictures, name }) => [pictures, name] as const);
  const oddities = place === 'summary' ? (await readOddities(sql, run.id)).map(oddityLine) : [];
  return {
    rows: did.length === 0 ? [] : [{ label: 'made by', stands, order: 62 }],
    notes: workers.filter(({ name }) => name !== THIS_COMPUTER).map(noteOf),
    oddities,
    problems: [
      {
        title: 'Workers that were refused',
        count: refused.length,
        reasons: refused.map(({ name, reason }) => ({ text: `${name}: ${reason ?? ''}`, n: 1 })),
      },
    ],
    counts: {
      workers: workers.map(({ heardAt, reason, ...worker }) => ({
        ...worker,
        heardAt: new Date(heardAt * 1000).toISOString(),
        reason,
      })),
    },
  };
}

function noteOf({
  name,
  device,
  state,
  perSecond,
  heardAt,
  reason,
}: Awaited<ReturnType<typeof readWorkers>>[number]): string {
  const since = clockTime(heardAt * 1000, Date.now());
  const how = {
    working: `${perSecond.toFixed(1)} pictures/s on ${device}`,
    silent: `silent since ${since}`,
    refused: `refused, ${reason ?? ''}`,
    left: `left at ${since}, ${reason ?? ''}`,
  }[state];
  return `Worker ${name}: ${how}.`;
}
