import type { Sql } from '../../store/database.ts';
import { clip } from '../../text/clean.ts';
import { count, plural } from '../../text/format.ts';
import { allSpaces, answering } from '../../vectors/spaces.ts';
import { card, priceOf, sheet, titleOf } from '../card.ts';
import { figures, table, words } from '../charts/table.ts';
import { html } from '../html.ts';
import type { Html } from '../html.ts';
import { whereThere } from '../old-schema.ts';
import { OFFER } from '../offers.ts';
import type { Offer } from '../offers.ts';
import type { Content, Source } from '../subject.ts';
import { alike } from '../alike.ts';
import type { Pair } from '../alike.ts';

/** Groups and pairs with pictures; groups in the table, and listings of a group there. */
const SHOWN = 5;
const TOLD = 30;
const OF_A_GROUP = 6;
const SHARE = 0.1;
const LONGEST = 40;

interface Group {
  readonly n: number;
  readonly shops: number;
  /** JSON of listing ids. */
  readonly listings: string;
  /** Of all groups that there are. */
  readonly all: number;
}

function readGroups(sql: Sql): Promise<Group[]> {
  return sql.all<Group>(
    `SELECT *, count(*) OVER () AS "all" FROM (
       SELECT count(*) AS n, count(DISTINCT o.shop_id) AS shops, json_group_array(o.listing_id) AS listings
       FROM images AS i CROSS JOIN offers AS o ON o.listing_id = i.listing_id
       WHERE i.state = 'done' AND i.sha256 IS NOT NULL GROUP BY i.sha256 HAVING shops > 1)
     ORDER BY shops DESC, n DESC, listings LIMIT ${TOLD}`,
  );
}

interface Member extends Offer {
  readonly shop_id: number;
  readonly shop: string | null;
}

async function membersOf(sql: Sql, listings: readonly number[]): Promise<Map<number, Member>> {
  const rows = await sql.all<Member>(
    `SELECT ${OFFER}, o.shop_id, (SELECT shop FROM current_shops WHERE shop_id = o.shop_id) AS shop
     FROM json_each(?) AS r CROSS JOIN offers AS o ON o.listing_id = r.value
     CROSS JOIN listings AS l ON l.listing_id = o.listing_id`,
    [JSON.stringify(listings)],
  );
  return new Map(rows.map((row) => [row.listing_id, row]));
}

function shopOf({ shop, shop_id }: Member): string {
  return clip(shop ?? `Shop ${shop_id}`, LONGEST);
}

/** The same picture in several shops: the same file, or (where there are vectors) nearly the same piece. */
export async function doubles({ sql, album }: Source): Promise<Content> {
  const known = await sql.get<{ n: number }>(
    "SELECT 1 AS n FROM images WHERE state = 'done' AND sha256 IS NOT NULL LIMIT 1",
  );
  if (!known) return { empty: 'No image has been downloaded yet. The images stage of a run fills this.' };
  const groups = await readGroups(sql);
  const space = answering((await whereThere(allSpaces(sql))) ?? [], 'image', undefined).toSorted(
    (a, b) => Number(b.input === 'cutout') - Number(a.input === 'cutout'),
  )[0];
  const pairs = space ? await alike(sql, space) : [];
  const ids = (group: Group): number[] => (JSON.parse(group.listings) as number[]).slice(0, OF_A_GROUP);
  const members = await membersOf(sql, [
    ...groups.flatMap(ids),
    ...pairs.slice(0, SHOWN).flatMap(({ listings }) => listings),
  ]);
  const of = (listings: readonly number[]): Member[] => listings.flatMap((id) => members.get(id) ?? []);

  const same: Html[] = [];
  for (const group of groups.slice(0, SHOWN)) {
    const own = of(ids(group));
    const [first] = own;
    if (!first) continue;
    const picture = await album.image(first.listing_id, titleOf(first), 'doubles', SHARE);
    same.push(
      card(first, picture, `${count(group.shops)} shops`, [pricesOf(own), own.map(shopOf).join(', ')]),
    );
  }
  const near: Html[] = [];
  for (const pair of pairs.slice(0, SHOWN)) near.push(...(await pairCard(pair, of(pair.listings), album)));

  const all = groups[0]?.all ?? 0;
  return {
    says: html`<p>
        ${all === 0 ? 'No two shops have the same picture file on offer.' : html`<b>${plural(all, 'picture')}</b> ${all === 1 ? 'is' : 'are'} on offer in more than one shop, as the very same file.`}
      </p>
      ${space ? html`<p>${pairs.length === 0 ? 'No two shops have nearly the same piece, as far as was looked.' : html`Pairs of different files that show nearly the same piece were found by their vectors (${space.model}), among the newest listings; how alike is from 0 to 1.`}</p>` : undefined}`,
    shows: html`${same.length === 0 ? undefined : [html`<h3>The same file</h3>`, sheet(same, 'sheet row')]}
    ${near.length === 0 ? undefined : [html`<h3>Nearly the same piece</h3>`, sheet(near, 'sheet row')]}
    ${
      groups.length === 0
        ? undefined
        : html`<details>
            <summary>The figures</summary>
            ${table(
              'Pictures in several shops',
              [words('Piece'), words('Shops'), words('Prices'), figures('Listings')],
              groups.map((group) => {
                const own = of(ids(group));
                const [first] = own;
                return [
                  first ? titleOf(first) : '–',
                  [...new Set(own.map(shopOf))].join(', '),
                  pricesOf(own),
                  count(group.n),
                ];
              }),
            )}
          </details>`
    }`,
  };
}

/** "$120, $95" */
function pricesOf(members: readonly Member[]): string {
  return [...new Set(members.flatMap((one) => priceOf(one) ?? []))].join(', ');
}

async function pairCard(pair: Pair, own: readonly Member[], album: Source['album']): Promise<Html[]> {
  const [first, second] = own;
  if (!first || !second) return [];
  const pictures: Html[] = [];
  for (const one of [first, second]) {
    const picture = await album.image(one.listing_id, titleOf(one), 'doubles', SHARE);
    if (picture) pictures.push(picture);
  }
  if (pictures.length < 2) return [];
  const together = html`<span class="two">${pictures}</span>`;
  return [
    card(first, together, `${pair.score.toFixed(3)} alike`, [pricesOf(own), own.map(shopOf).join(' and ')]),
  ];
}
