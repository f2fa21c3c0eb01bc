import { Database } from '../../lib/store/database.ts';
import type { Tx } from '../../lib/store/database.ts';

/** Listings written in one transaction. */
const AT_ONCE = 50_000;

/** Where the ids of the copies begin: above all that a marketplace gives out, and as wide as Etsy's newest. */
const FIRST = { listing: 5_000_000_000, shop: 100_000_000, transaction: 10_000_000_000 };

/** Whose ids a table is copied by: each of its rows once for every copy of that. */
const COPIED = {
  shops: 'shop',
  shops_dynamic: 'shop',
  review_sync: 'shop',
  meta_data: 'listing',
  listings: 'listing',
  listings_dynamic: 'listing',
  images: 'listing',
  reviews: 'review',
} as const;

const SEEDS = {
  shop: 'SELECT shop_id AS old FROM main.shops ORDER BY shop_id',
  listing: 'SELECT listing_id AS old FROM main.meta_data ORDER BY listing_id',
  review: 'SELECT id AS old FROM main.reviews ORDER BY id',
};

/**
 * Copies what a real run has put into a database until it holds so many listings: the rows are as the stages write
 * them, in the schema as it is, and only their ids are new. Images become such as lie on disk.
 * @returns rows in `listings`
 */
export async function grow(path: string, listings: number): Promise<number> {
  const database = await Database.open(path);
  try {
    await database.write(async (tx) => {
      await tx.run(
        "UPDATE images SET state = 'done', bytes = 60000 + listing_id % 9000, modified_ms = 1.7e12, sha256 = lower(hex(randomblob(32)))",
      );
      for (const [of, select] of Object.entries(SEEDS)) {
        await tx.run(`CREATE TEMP TABLE seed_${of} (old INTEGER PRIMARY KEY, serial INTEGER)`);
        await tx.run(`INSERT INTO seed_${of} SELECT old, row_number() OVER () FROM (${select})`);
      }
    });
    const seeds = (await count(database, 'listings')) || 1;
    const copies = Math.max(0, Math.ceil(listings / seeds) - 1);
    const step = Math.max(1, Math.floor(AT_ONCE / seeds));
    for (let from = 0; from < copies; from += step) {
      const to = Math.min(copies, from + step);
      await database.write(async (tx) => {
        for (const [table, of] of Object.entries(COPIED)) await copy(tx, table, of, from, to);
        await tx.run(
          `INSERT INTO listing_words (rowid, title, tags, materials) SELECT listing_id, title, tags, materials FROM listings
           WHERE NOT EXISTS (SELECT 1 FROM listing_words_docsize WHERE id = listing_id)`,
        );
      });
    }
    return await count(database, 'listings');
  } finally {
    await database.close();
  }
}

/** The copies from `from` to before `to` of every row that was there at first. */
async function copy(tx: Tx, table: string, of: keyof typeof SEEDS, from: number, to: number): Promise<void> {
  const info = await tx.all<{ name: string }>(`SELECT name FROM pragma_table_info('${table}')`);
  const columns = info.map((column) => column.name).filter((name) => name !== 'id');
  const values = columns.map((name) => {
    if (name === 'shop_id') return renamed('shop', FIRST.shop);
    if (name === 'listing_id') return renamed('listing', FIRST.listing);
    // Rows of the early system have none.
    if (name === 'transaction_id') {
      return `iif(t.transaction_id IS NULL, NULL, ${FIRST.transaction} + c.copy * (SELECT count(*) FROM seed_review) + s.serial)`;
    }
    return `t.${name}`;
  });
  const key = of === 'review' ? 'id' : `${of}_id`;
  await tx.run(
    `WITH RECURSIVE c (copy) AS (SELECT ${from} UNION ALL SELECT copy + 1 FROM c WHERE copy + 1 < ${to})
     INSERT INTO ${table} (${columns.join(', ')}) SELECT ${values.join(', ')}
     FROM c CROSS JOIN seed_${of} AS s CROSS JOIN ${table} AS t WHERE t.${key} = s.old`,
  );
}

function renamed(of: 'shop' | 'listing', first: number): string {
  const serial = `(SELECT serial FROM seed_${of} WHERE old = t.${of}_id)`;
  // What is not among the seeds keeps its id: a review can name a listing that has no entry.
  return `coalesce(${first} + c.copy * (SELECT count(*) FROM seed_${of}) + ${serial}, t.${of}_id)`;
}

async function count(database: Database, table: string): Promise<number> {
  return (await database.read.get<{ n: number }>(`SELECT count(*) AS n FROM ${table}`))?.n ?? 0;
}
