import type { Sql } from '../../store/database.ts';
import { count, plural } from '../../text/format.ts';
import { clip } from '../../text/clean.ts';
import { bars } from '../charts/bars.ts';
import { figureWith } from '../charts/chart.ts';
import { figures, table, words } from '../charts/table.ts';
import { html, plainText } from '../html.ts';
import type { Html } from '../html.ts';
import type { Content, Source } from '../subject.ts';
import { share } from '../words.ts';

/** Listings whose words are counted: of more, every so-many-th. */
const SAMPLE = 100_000;
const DRAWN = 10;
const TOLD = 60;
const LONGEST = 40;

interface Word {
  readonly word: string;
  readonly n: number;
}

interface Words {
  readonly all: number;
  readonly top: readonly Word[];
}

/** @param column a JSON array of words */
async function readWords(sql: Sql, column: 'tags' | 'materials', nth: number): Promise<Words> {
  const top = await sql.all<Word & { readonly all: number }>(
    `WITH chosen AS (
       SELECT l.${column} AS words FROM offers AS o CROSS JOIN listings AS l ON l.listing_id = o.listing_id
       WHERE o.listing_id % ? = 0 AND json_valid(l.${column}) AND json_array_length(l.${column}) > 0)
     SELECT lower(trim(w.value)) AS word, count(*) AS n, (SELECT count(*) FROM chosen) AS "all"
     FROM chosen, json_each(chosen.words) AS w WHERE w.type = 'text' AND trim(w.value) <> ''
     GROUP BY word ORDER BY n DESC, word LIMIT ${TOLD}`,
    [nth],
  );
  return { all: top[0]?.all ?? 0, top };
}

/** What sellers call it: tags, and materials. */
export async function tags({ sql }: Source): Promise<Content> {
  const listings = (await sql.get<{ n: number }>('SELECT count(*) AS n FROM offers'))?.n ?? 0;
  const nth = Math.max(1, Math.ceil(listings / SAMPLE));
  const styles = await readWords(sql, 'tags', nth);
  const materials = await readWords(sql, 'materials', nth);
  const [first] = styles.top;
  const [made] = materials.top;
  if (!first && !made) return { empty: 'No tag is known yet. The crawl stage of a run fills this.' };
  return {
    says: html`<p>
        ${first ? html`Of ${plural(styles.all, 'piece')} with tags, <b>${share(first.n, styles.all)}</b> say <b>${named(first)}</b>.` : undefined}
        ${made ? html`Of ${count(materials.all)} with materials, <b>${share(made.n, materials.all)}</b> name <b>${named(made)}</b>.` : undefined}
      </p>
      <p>
        As sellers wrote them, without regard to capitals; a piece has up to 13
        tags.${nth > 1 ? ` Counted in every ${nth}th listing.` : ''}
      </p>`,
    shows: html`<div class="pair">${wordsOf('Tags', styles)}${wordsOf('Materials', materials)}</div>`,
  };
}

function named({ word }: Word): string {
  return clip(plainText(word), LONGEST);
}

function wordsOf(title: string, { all, top }: Words): Html | undefined {
  const [first] = top;
  if (!first) return undefined;
  return figureWith(
    html`<h3>${title}</h3>
      ${bars(
        `${title} by the share of pieces that have them: ${top
          .slice(0, 3)
          .map((one) => `${named(one)} ${share(one.n, all)}`)
          .join(', ')}`,
        top.slice(0, DRAWN).map((one) => ({ name: named(one), told: share(one.n, all), value: one.n })),
        first.n,
      )}`,
    table(
      title,
      [words(title === 'Tags' ? 'Tag' : 'Material'), figures('Pieces'), figures('Share')],
      top.map((one) => [named(one), count(one.n), share(one.n, all)]),
    ),
  );
}
