import { earliestYear } from '../../dataset/when-made.ts';
import type { Sql } from '../../store/database.ts';
import { count, plural } from '../../text/format.ts';
import { bars } from '../charts/bars.ts';
import type { Bar } from '../charts/bars.ts';
import { figureWith, legend } from '../charts/chart.ts';
import { figures, short, table } from '../charts/table.ts';
import { html } from '../html.ts';
import type { Content, Source } from '../subject.ts';
import { share, whenMadeName } from '../words.ts';

interface Word {
  readonly word: string | null;
  readonly n: number;
}

/** Words drawn; the table has them all. A faulty source may have made up many. */
const DRAWN = 40;

function readKept(sql: Sql): Promise<Word[]> {
  return sql.all<Word>('SELECT when_made AS word, count(*) AS n FROM listings GROUP BY when_made');
}

/** Entries that were not made certainly since then have no rows: what their when_made says. */
function readNoted(sql: Sql, madeSince: number): Promise<Word[]> {
  return sql.all<Word>(
    `SELECT iif(json_type(value) = 'object', value ->> 'when_made', NULL) AS word, count(*) AS n FROM meta_data AS m
     WHERE (earliest_year IS NULL OR earliest_year < ?)
       AND NOT EXISTS (SELECT 1 FROM listings WHERE listing_id = m.listing_id)
     GROUP BY word`,
    [madeSince],
  );
}

/** Newest first: "before 2007" after the words that begin in its decade, what says nothing last. */
function age(word: string | null): number {
  const before = /^before_(\d{3})\d$/.exec(word ?? '');
  return before ? Number(before[1]) * 10 - 0.5 : (earliestYear(word) ?? -1);
}

export async function whenMade({ sql, rules }: Source): Promise<Content> {
  const kept = (await readKept(sql)).map((one) => ({ ...one, isKept: true }));
  const noted = (await readNoted(sql, rules.madeSince)).map((one) => ({ ...one, isKept: false }));
  const rows = [...kept, ...noted].toSorted(
    (a, b) =>
      age(b.word) - age(a.word) ||
      (a.word ?? '').localeCompare(b.word ?? '') ||
      Number(b.isKept) - Number(a.isKept),
  );
  if (rows.length === 0) return { empty: 'No listing is known yet. The crawl stage of a run fills this.' };
  const sum = (words: readonly Word[]): number => words.reduce((total, { n }) => total + n, 0);
  const all = sum(rows);
  const bar = ({ word, n, isKept }: (typeof rows)[number]): Bar => ({
    name: whenMadeName(word),
    told: `${count(n)} · ${share(n, all)}`,
    value: n,
    tone: isKept ? 'main' : 'quiet',
  });
  const isVintage = ({ word, isKept }: (typeof rows)[number]): boolean => !isKept && age(word) >= 0;
  const vintage = rows.filter(isVintage);
  const old = sum(vintage);
  const folded: Bar[] =
    vintage.length < 2
      ? rows.slice(0, DRAWN).map(bar)
      : [
          ...rows
            .filter((row) => !isVintage(row))
            .slice(0, DRAWN)
            .map(bar),
          { name: 'Vintage', told: `${count(old)} · ${share(old, all)}`, value: old, tone: 'quiet' },
        ];
  const drawn = bars(
    `Listings by when they were made: ${count(sum(kept))} kept, ${count(sum(noted))} only noted`,
    folded,
    Math.max(...folded.map(({ value }) => value)),
  );
  const behind = table(
    'Listings by when they were made',
    [short('When made'), figures('Listings'), figures('Share'), short('Kept as')],
    rows.map(({ word, n, isKept }) => [
      whenMadeName(word),
      count(n),
      share(n, all),
      isKept ? 'rows' : 'an entry only',
    ]),
  );
  return {
    says: html`<p>
        <b>${plural(sum(kept), 'listing')}</b> made since ${rules.madeSince}, as their sellers say,
        ${sum(kept) === 1 ? 'has' : 'have'} rows. <b>${plural(sum(noted), 'other')}</b>, made earlier or not
        certainly since, ${sum(noted) === 1 ? 'is' : 'are'} only noted in the meta_data.
      </p>
      ${vintage.length > 1 ? html`<p>Vintage is everything that was made earlier; the figures have it by decade.</p>` : undefined}
      <p>
        Sellers choose from Etsy's ranges, which move on each year: those of older listings overlap with
        today's, as 2000–2009 and 2000–2006 do, and "before 2007" says nothing of how long before.
      </p>`,
    shows: figureWith(
      [
        drawn,
        legend([
          ['main', 'kept with rows'],
          ['quiet', 'an entry in the meta_data only'],
        ]),
      ],
      behind,
    ),
  };
}
