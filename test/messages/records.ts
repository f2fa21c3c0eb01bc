import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Cdn } from '../../lib/etsy/cdn.ts';
import { Database } from '../../lib/store/database.ts';
import type { Tx } from '../../lib/store/database.ts';
import { imagesFailed } from '../../lib/dataset/images.ts';
import { checkImageFile } from '../../tasks/rules/verdicts.ts';
import { CRAWL, command, run, serving } from './provoke.ts';
import type { Answer } from './provoke.ts';
import type { Folder, Row, Said } from './row.ts';

// Records that are kept for the next run, with the reason: as the status tells of them.

const IMAGES = 'Images that failed; the next run tries them again';
const ASIDE = 'Records set aside; the next run asks for them again';
const FINDINGS = 'What failed and why: npx sync-data status';

/** The section of the status with this title. */
async function section(folder: Folder, title: string): Promise<Said> {
  const { text } = await command(folder, ['status']);
  const lines = text.split('\n');
  const from = lines.indexOf(title);
  const to = lines.findIndex((line, index) => index > from && line === '');
  return {
    text: lines
      .slice(from, to)
      .map((line) => line.trim())
      .join('\n'),
  };
}

async function changing(folder: Folder, work: (tx: Tx) => Promise<unknown>): Promise<void> {
  const database = await Database.open(join(folder.path, 'etsy_data.db'));
  try {
    await database.write(work);
  } finally {
    await database.close();
  }
}

/** What is on record of images whose host answers so, the first and so on. */
function images(when: string, answers: readonly Answer[], text: readonly string[]): Row {
  return {
    when,
    provoke: async (folder) => {
      await run(folder);
      const reasons = await serving({ answer: (url) => answers[Number(url.slice(1))] }, (origin) =>
        Promise.all(
          answers.map((_, nth) =>
            new Cdn({ timeoutMs: 300, firstPauseMs: 1 }).download(`${origin}/${nth}`, ['127.0.0.1']).then(
              () => 'fine',
              (error: unknown) => (error as Error).message,
            ),
          ),
        ),
      );
      await fail(folder, reasons);
      return section(folder, IMAGES);
    },
    text,
    next: IMAGES,
  };
}

async function fail(folder: Folder, reasons: readonly string[]): Promise<void> {
  await changing(folder, async (tx) => {
    for (const [id, reason] of reasons.entries()) {
      await tx.run("INSERT INTO images (listing_id, state) VALUES (?, 'waiting')", [id + 1]);
      await imagesFailed(tx, [{ listingId: id + 1, state: 'failed', reason, attempts: 1 }], 1);
    }
  });
}

const JPEG = Buffer.concat([Buffer.from([0xff, 0xd8, 0xff]), Buffer.alloc(2000, 0x5a)]);

const LISTING = {
  listing_id: 1,
  shop_id: 9,
  state: 'active',
  when_made: 'made_to_order',
  taxonomy_id: 12371,
  price: { amount: 100, divisor: 100, currency_code: 'USD' },
};
const listed = (...results: readonly object[]): Answer => ({
  body: JSON.stringify({ count: results.length, results }),
});
/** A tree with the categories of these rows. */
const TREE = JSON.stringify({
  count: 1,
  results: [
    {
      id: 967,
      name: 'Furniture',
      children: [
        {
          id: 993,
          name: 'Coffee & End Tables',
          children: [{ id: 12371, name: 'Coffee Tables', children: [] }],
        },
      ],
    },
  ],
});
const STAGES = `${CRAWL}  - { id: reconcile, task: ./tasks/reconcile.ts, needs: [crawl] }
  - { id: reviews, task: ./tasks/reviews.ts, needs: [reconcile] }\n`;

export const records: readonly Row[] = [
  images(
    'images that are gone, empty, no pictures, or cut',
    [
      { status: 404 },
      { body: '' },
      { body: '<html>', headers: { 'content-type': 'text/html' } },
      { body: JPEG },
      { body: JPEG.subarray(0, 100), headers: { 'content-type': 'image/jpeg' } },
    ],
    [
      'Images that failed; the next run tries them again',
      '1 HTTP 404',
      '1 empty (no content-type)',
      '1 not a JPEG but text/html',
      '1 only 100 bytes, a placeholder (image/jpeg)',
      '1 the end of the JPEG is missing (no content-type)',
    ],
  ),
  images(
    'an image that is labelled as one and is none',
    [{ body: Buffer.alloc(2000), headers: { 'content-type': 'image/jpeg' } }],
    ['Images that failed; the next run tries them again', '1 labelled JPEG but is not one'],
  ),
  images(
    'images that are too large, late, broken off, or on another host',
    [
      { headers: { 'content-length': '30000000' } },
      'silence',
      'reset',
      { status: 302, headers: { location: 'https://elsewhere.example/1.jpg' } },
      { status: 503 },
    ],
    [
      'Images that failed; the next run tries them again',
      '1 HTTP 503',
      '1 https://elsewhere.example is not among the hosts of pipeline.yaml (127.0.0.1)',
      '1 no complete answer within 0.3 s',
      '1 read ECONNRESET',
      '1 the body has 30000000 bytes, more than the 20 MB allowed',
    ],
  ),
  {
    when: 'image files that are not there, no files, or others than before',
    provoke: async (folder) => {
      await run(folder);
      const path = join(folder.path, 'images');
      await mkdir(join(path, '2.jpg'), { recursive: true });
      await symlink('/dev/null', join(path, '3.jpg'));
      await writeFile(join(path, '4.jpg'), Buffer.concat([JPEG, Buffer.from([0xff, 0xd9])]));
      const record = { bytes: 1, modified_ms: 1, sha256: 'abc' };
      const reasons: string[] = [];
      for (const id of [1, 2, 3, 4]) {
        const verdict = await checkImageFile(path, { ...record, listing_id: id });
        reasons.push(verdict && 'fault' in verdict ? verdict.fault : 'fine');
      }
      await fail(folder, reasons);
      return section(folder, IMAGES);
    },
    text: [
      'Images that failed; the next run tries them again',
      '1 a folder is in its place',
      '1 a symbolic link',
      '1 missing',
      '1 replaced by another file',
    ],
    next: IMAGES,
  },
  {
    when: 'records that cannot be used',
    provoke: async (folder) => {
      const { price: _, ...free } = LISTING;
      await run(folder, {
        stages: STAGES,
        tree: TREE,
        answer: (url) => {
          if (url.includes('/reviews'))
            return listed({ shop_id: 9, listing_id: 1, transaction_id: 5, rating: 5 });
          if (url.includes('/shops/')) return { status: 404, body: '{"error":"Resource not found"}' };
          if (url.includes('/batch')) return listed(LISTING, { ...free, listing_id: 2 });
          return url.includes('/active')
            ? listed(LISTING, { ...free, listing_id: 2 }, { ...LISTING, listing_id: 'three' })
            : listed(LISTING);
        },
      });
      return section(folder, ASIDE);
    },
    text: [
      'Records set aside; the next run asks for them again',
      '1 listings/active: listing_id: Invalid input: expected number, received string',
      '1 listings/active: price: is missing',
      '1 listings/batch: price: is missing',
      '1 shops/{id}: HTTP 404: Etsy no longer knows the shop',
    ],
    next: ASIDE,
  },
  {
    when: 'answers that cannot be had while all others can',
    provoke: async (folder) => {
      await run(folder, {
        stages: STAGES,
        tree: TREE,
        answer: (url) => {
          if (/=12371.*offset=0|offset=0.*=12371/.test(url))
            return { body: JSON.stringify({ count: 200, results: [LISTING] }) };
          if (/shops\/9(?:\/|$)/.test(url)) return { status: 404, body: '{"error":"Resource not found"}' };
          return url.includes('/active')
            ? { status: 500, body: '{"error":"Internal error"}' }
            : listed(LISTING);
        },
      });
      return section(folder, ASIDE);
    },
    text: [
      'Records set aside; the next run asks for them again',
      '1 listings/active: given up: HTTP 500: Internal error (taxonomy 12371 (Coffee Tables), from 0.00 up: page 2)',
      '1 listings/active: given up: HTTP 500: Internal error (taxonomy 12371 (Coffee Tables), from 0.00 up: page 3)',
      '1 shops/{id}: HTTP 404: Etsy no longer knows the shop',
    ],
    next: ASIDE,
  },
  {
    when: 'what verify finds',
    provoke: async (folder) => {
      await run(folder);
      await folder.write({
        'images/note.txt': '',
        'images/77.jpg': Buffer.concat([JPEG, Buffer.from([0xff, 0xd9])]),
      });
      await changing(folder, async (tx) => {
        const entry = '{"shop_id":9,"when_made":"made_to_order"}';
        await tx.run(
          'INSERT INTO meta_data (listing_id, value, earliest_year) VALUES (1, ?, 9999), (2, ?, 9999), (3, ?, 9999), (4, ?, 9999)',
          [entry, entry, entry, entry],
        );
        await tx.run(
          "INSERT INTO listings (listing_id, shop_id, when_made) VALUES (2, 8, 'made_to_order'), (3, 9, '1990s'), (4, 7, 'made_to_order'), (5, 9, 'made_to_order')",
        );
        await tx.run(
          "INSERT INTO listings_dynamic (listing_id, snapshot_timestamp, state) VALUES (3, 1, 'active'), (4, 1, 'active')",
        );
        await tx.run('INSERT INTO shops (shop_id) VALUES (9)');
      });
      const { stdout } = await run(folder, {
        stages: '  - { id: verify, task: ./tasks/verify.ts }\n',
        answer: (url) =>
          url.includes('/shops/')
            ? { status: 404, body: '{"error":"Resource not found"}' }
            : listed({ ...LISTING, listing_id: 4, shop_id: 7, images: [] }),
      });
      const found = await findings(folder);
      return {
        text: `${found}\n${
          stdout
            .trimEnd()
            .split('\n')
            .find((line) => line === FINDINGS) ?? ''
        }`,
      };
    },
    text: [
      'foreign-file: note.txt: not an image of a listing; left alone',
      'image-without-entry: 77.jpg: its listing has no entry in meta_data; left alone',
      'listing-without-entry: 5: in listings, but not in meta_data; entry made from the row',
      'made-before: 1990s: 1 in listings, not certainly made since 2000; left alone',
      'missing-image: 1: no image is on record; could not be downloaded: Etsy no longer shows the listing',
      'missing-image: 2: no image is on record; could not be downloaded: Etsy no longer shows the listing',
      'missing-image: 3: no image is on record; could not be downloaded: Etsy no longer shows the listing',
      'missing-image: 4: no image is on record; could not be downloaded: the listing has no image',
      'missing-listing-dynamic: 2: no row in listings_dynamic',
      'missing-listing: 1: an entry in meta_data, but no row in listings',
      'missing-shop-dynamic: 9: no row in shops_dynamic',
      'missing-shop: 7: listing 4 is in listings, its shop not in shops',
      'missing-shop: 8: listing 2 is in listings, its shop not in shops',
      'What failed and why: npx sync-data status',
    ],
    next: FINDINGS,
  },
  {
    when: 'listings that Etsy counted and did not show',
    provoke: async (folder) => {
      const { stdout } = await run(folder, {
        stages: `${CRAWL}  - { id: verify, task: ./tasks/verify.ts, needs: [crawl], with: { tolerate: [missing-image] } }\n`,
        answer: (url) =>
          url.includes('/active') ? { body: JSON.stringify({ count: 3, results: [] }) } : undefined,
      });
      const lines = stdout.split('\n').filter((line) => /unseen-listings:/.test(line) || line === FINDINGS);
      return { text: lines.map((line) => line.trim()).join('\n') };
    },
    text: [
      'unseen-listings: taxonomy 12371 (Coffee Tables), from 0.00 up: Etsy counted 3, seen 0: 3 missing',
      'What failed and why: npx sync-data status',
    ],
    next: FINDINGS,
  },
  {
    when: 'a category whose first page cannot be had',
    provoke: async (folder) => {
      await run(folder, {
        stages: CRAWL.replace('[12371]', '[12371, 993]'),
        tree: TREE,
        answer: (url) => (url.includes('=993') ? { status: 400, body: '{"error":"Bad"}' } : listed(LISTING)),
      });
      return { text: await findings(folder) };
    },
    text: [
      'unseen-listings: taxonomy 993 (Coffee & End Tables), from 0.00 up: nothing of it was read in this run, for its first page was refused: HTTP 400: Bad; the next run asks again',
    ],
    next: 'the next run asks again',
  },
  {
    when: 'categories that Etsy answers for with others',
    provoke: async (folder) => {
      const others = Array.from({ length: 20 }, (_, id) => ({
        ...LISTING,
        listing_id: id + 1,
        taxonomy_id: 1234,
      }));
      const { stdout } = await run(folder, {
        stages: CRAWL.replace('[12371]', '[12371, 967]'),
        tree: TREE,
        answer: (url) => (url.includes('/active') ? listed(...others) : undefined),
      });
      const lines = stdout
        .split('\n')
        .filter((line) => /unfiltered-category:/.test(line) || line === FINDINGS);
      return { text: lines.map((line) => line.trim()).join('\n') };
    },
    text: [
      'unfiltered-category: taxonomy 12371 (Coffee Tables): Etsy search does not filter by it: of 20 listings returned, 0 belong to this category. It was skipped; name Coffee & End Tables (993) in pipeline.yaml instead',
      'unfiltered-category: taxonomy 967 (Furniture): Etsy search does not filter by it: of 20 listings returned, 0 belong to this category. It was skipped; name a category below it in pipeline.yaml instead',
      'What failed and why: npx sync-data status',
    ],
    next: FINDINGS,
  },
];

async function findings(folder: Folder): Promise<string> {
  const database = await Database.open(join(folder.path, 'etsy_data.db'), { readOnly: true });
  try {
    const rows = await database.read.all<{ line: string }>(
      "SELECT kind || ': ' || subject || ': ' || detail AS line FROM findings ORDER BY line",
    );
    return rows.map(({ line }) => line).join('\n');
  } finally {
    await database.close();
  }
}
