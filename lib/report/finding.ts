import type { Sql } from '../store/database.ts';
import { count, plural } from '../text/format.ts';
import { whereThere } from './old-schema.ts';
import type { Source } from './subject.ts';
import { money } from './words.ts';

interface Priced {
  readonly currency: string;
  readonly n: number;
}

export interface Finding {
  readonly text: string;
  /** What it is of. */
  readonly note?: string;
}

/** "1,228 pieces from 166 shops, median $170": of what is on Etsy now, the median in the most frequent currency. */
export async function finding({ sql }: Source): Promise<Finding> {
  const now = await whereThere(
    sql.get<{ pieces: number; shops: number }>(
      'SELECT count(*) AS pieces, count(DISTINCT shop_id) AS shops FROM offers',
    ),
  );
  if (!now) return { text: 'A dataset of an earlier version' };
  if (now.pieces === 0) return { text: 'Nothing on offer yet' };
  const pieces = `${plural(now.pieces, 'piece')} from ${plural(now.shops, 'shop')}`;
  const [main, ...others] = (await whereThere(readCurrencies(sql))) ?? [];
  const median = main && (await readMedian(sql, main));
  if (!main || median === undefined) return { text: pieces };
  const text = `${pieces}, median ${money(median, main.currency)}`;
  return others.length === 0
    ? { text }
    : { text, note: `The median is of the ${count(main.n)} that are priced in ${main.currency}.` };
}

function readCurrencies(sql: Sql): Promise<Priced[]> {
  return sql.all<Priced>(
    `SELECT currency, count(*) AS n FROM offers WHERE price > 0 AND currency IS NOT NULL
     GROUP BY currency ORDER BY n DESC, currency`,
  );
}

async function readMedian(sql: Sql, { currency, n }: Priced): Promise<number | undefined> {
  const row = await sql.get<{ price: number }>(
    `SELECT price FROM offers WHERE price > 0 AND currency = ?
     ORDER BY price LIMIT 1 OFFSET ?`,
    [currency, Math.ceil(n / 2) - 1],
  );
  return row?.price;
}
