import { clip } from '../../text/clean.ts';
import { readOddities } from '../../dataset/oddities.ts';
import { count, plural } from '../../text/format.ts';
import { figures, table, words } from '../charts/table.ts';
import { html } from '../html.ts';
import type { Content, Source } from '../subject.ts';
import { day } from '../words.ts';

const LONGEST = 200;

/** What was odd in the last run, how often, and what became of it. */
export async function oddities({ sql }: Source): Promise<Content> {
  const run = await sql.get<{ id: number; started_at: number }>(
    'SELECT id, started_at FROM runs ORDER BY id DESC LIMIT 1',
  );
  const odd = run ? await readOddities(sql, run.id) : [];
  if (!run || odd.length === 0) {
    return { empty: 'Nothing odd in the last run. Answers that contradict what is known are listed here.' };
  }
  return {
    says: html`<p>
      In run ${run.id} of ${day(run.started_at)}: <b>${plural(odd.length, 'oddity', 'oddities')}</b>.
    </p>`,
    shows: table(
      'What was odd',
      [words('What'), figures('Times'), words('What became of it'), words('For example')],
      odd.map((one) => [
        clip(one.what, LONGEST),
        count(one.n),
        clip(one.became, LONGEST),
        clip(one.example ?? '', LONGEST),
      ]),
    ),
  };
}
