import { readCovered } from '../../dataset/slices.ts';
import type { Covered } from '../../dataset/slices.ts';
import { count, plural } from '../../text/format.ts';
import { bars } from '../charts/bars.ts';
import { figureWith } from '../charts/chart.ts';
import { figures, table, words } from '../charts/table.ts';
import { html } from '../html.ts';
import type { Content, Source } from '../subject.ts';
import { share } from '../words.ts';

/** From here on a category is as good as whole. */
const WHOLE = 0.99;

export async function coverage({ sql, category }: Source): Promise<Content> {
  const rows = await readCovered(sql);
  const [first] = rows;
  if (!first) return { empty: 'No crawl has counted anything yet. The crawl stage of a run fills this.' };
  const sum = (of: (row: Covered) => number): number => rows.reduce((total, row) => total + of(row), 0);
  const counted = sum((row) => row.counted);
  const seen = sum((row) => row.seen);
  // Bars that are all full say nothing.
  const isWhole = rows.every((row) => row.seen >= WHOLE * row.counted);
  const drawn = bars(
    `Share of what Etsy counts that was seen, by category: ${share(seen, counted)} of all`,
    rows.map((row) => ({
      name: category(row.taxonomy_id),
      told: share(row.seen, row.counted),
      value: row.counted === 0 ? 0 : row.seen / row.counted,
    })),
    1,
  );
  const behind = table(
    'Listings by crawled category',
    [words('Category'), figures('Etsy counts'), figures('Seen'), figures('Share')],
    rows.map((row) => [
      category(row.taxonomy_id),
      count(row.counted),
      count(row.seen),
      share(row.seen, row.counted),
    ]),
  );
  return {
    says: html`<p>
        Run ${first.run_id} saw <b>${count(seen)}</b> of the <b>${plural(counted, 'active listing')}</b> that
        Etsy counts in ${rows.length === 1 ? 'the category' : html`the ${count(rows.length)} categories`} it
        crawled.
      </p>
      <p>Etsy counts while listings come and go, so a little less or more than 100 % is nothing lost.</p>`,
    shows: isWhole ? behind : figureWith(drawn, behind),
  };
}
