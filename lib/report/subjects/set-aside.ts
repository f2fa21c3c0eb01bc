import type { Sql } from '../../store/database.ts';
import { count, plural } from '../../text/format.ts';
import { figures, short, table, words } from '../charts/table.ts';
import { html } from '../html.ts';
import type { Content, Source } from '../subject.ts';
import { moment } from '../words.ts';

/** Open records shown one by one. */
const TOLD = 20;
const LONGEST = 200;

interface Record {
  readonly at: number;
  readonly endpoint: string;
  readonly reason: string;
  readonly tries: number;
}

function readOpen(sql: Sql): Promise<Record[]> {
  return sql.all<Record>(
    `SELECT at, endpoint, reason, tries FROM set_aside WHERE settled_at IS NULL ORDER BY id DESC LIMIT ${TOLD}`,
  );
}

export async function setAside({ sql }: Source): Promise<Content> {
  const counts = await sql.get<{ open: number; settled: number }>(
    'SELECT count(*) FILTER (WHERE settled_at IS NULL) AS open, count(settled_at) AS settled FROM set_aside',
  );
  const { open = 0, settled = 0 } = counts ?? {};
  if (open + settled === 0) {
    return { empty: 'None. A record that cannot be used stands here until a good one comes in.' };
  }
  const records = await readOpen(sql);
  return {
    says: html`<p>
      <b>${plural(open, 'record')}</b> that could not be used ${open === 1 ? 'is' : 'are'} open and asked for
      again in the next run. <b>${count(settled)}</b> from before ${settled === 1 ? 'has' : 'have'} since come
      in good, or not been met again.
    </p>`,
    shows:
      records.length === 0
        ? html``
        : table(
            open > TOLD ? `Open records, the ${TOLD} newest` : 'Open records',
            [words('Asked for at'), words('Why it was set aside'), short('When'), figures('Times')],
            records.map((one) => [one.endpoint, one.reason, moment(one.at * 1000), count(one.tries)]),
            LONGEST,
          ),
  };
}
