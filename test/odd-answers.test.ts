import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { mostlyUnusable, noteReceived } from '../lib/dataset/answers.ts';
import type { Received } from '../lib/dataset/answers.ts';
import { Database } from '../lib/store/database.ts';
import { join } from 'node:path';
import { writeFile } from 'node:fs/promises';
import { CRAWL, run, withFolder } from './messages/provoke.ts';
import type { Run } from './messages/provoke.ts';
import { storePerTest } from './store-rig.ts';

describe('a run fails for what an endpoint sent', () => {
  const store = storePerTest();
  const SEARCH = 'listings/active';
  const BATCH = 'listings/batch';
  const cases: [what: string, received: Received[], isTold: boolean][] = [
    ['nothing odd', [{ endpoint: SEARCH, usable: 100 }], false],
    ['half of it', [{ endpoint: SEARCH, usable: 50, unusable: 50 }], false],
    ['more than half', [{ endpoint: SEARCH, usable: 49, unusable: 51 }], true],
    [
      'more than half, over several answers',
      [
        { endpoint: SEARCH, usable: 2 },
        { endpoint: SEARCH, unusable: 3 },
      ],
      true,
    ],
    ['the only page refused', [{ endpoint: SEARCH, refused: 1 }], true],
    [
      'one page of many refused',
      [
        { endpoint: SEARCH, usable: 100 },
        { endpoint: SEARCH, refused: 1 },
      ],
      false,
    ],
    ['a few poison records, which is all that was asked for', [{ endpoint: BATCH, unusable: 2 }], false],
    ['many of a batch', [{ endpoint: BATCH, usable: 2, unusable: 3 }], true],
    [
      'one endpoint well and another not',
      [
        { endpoint: SEARCH, usable: 9 },
        { endpoint: BATCH, refused: 4 },
      ],
      true,
    ],
  ];
  for (const [what, received, isTold] of cases) {
    it(`only where more than half of it was of no use: ${what}`, async () => {
      await store.database.write(async (tx) => {
        for (const one of received) await noteReceived(tx, 5, one);
        // Another run's are its own.
        await noteReceived(tx, 4, { endpoint: SEARCH, unusable: 1000 });
      });
      assert.equal((await mostlyUnusable(store.database.read, 5)).length > 0, isTold);
    });
  }
});

const LISTING = {
  listing_id: 4,
  shop_id: 9,
  state: 'active',
  views: 1,
  when_made: 'made_to_order',
  taxonomy_id: 12371,
  price: { amount: 100, divisor: 100, currency_code: 'USD' },
};
const SHOP = { shop_id: 9, review_count: 1 };
const STAGES = `${CRAWL}  - { id: reconcile, task: ./tasks/reconcile.ts, needs: [crawl] }
  - { id: reviews, task: ./tasks/reviews.ts, needs: [reconcile] }
`;
const listed = (...results: object[]) => ({ body: JSON.stringify({ count: results.length, results }) });

/** Etsy, with this image of the one listing. */
function etsy(image: object, more: Partial<Run> = {}): Run {
  return {
    stages: STAGES,
    answer: (url) =>
      url.includes('/reviews') ? listed() : listed({ ...LISTING, images: [image], shop: SHOP }),
    ...more,
  };
}

it('an image whose address is that of another is not taken for the listing’s, whatever the two numbers are', async () => {
  const images: [image: Record<string, unknown>, isTaken: boolean][] = [
    [
      { listing_image_id: 7, url_570xN: 'https://i.etsystatic.com/9/r/il/aaaaaa/7/il_570xN.7_abcd.jpg' },
      true,
    ],
    [
      { listing_image_id: 7, url_570xN: 'https://i.etsystatic.com/9/r/il/aaaaaa/8/il_570xN.8_abcd.jpg' },
      false,
    ],
    [
      {
        listing_image_id: 7,
        listing_id: 5,
        url_570xN: 'https://i.etsystatic.com/9/r/il/aaaaaa/7/il_570xN.7_abcd.jpg',
      },
      false,
    ],
  ];
  for (const [image, isTaken] of images) {
    await withFolder(async (folder) => {
      const { stdout } = await run(folder, etsy({ rank: 1, ...image }));
      assert.equal(/had the address of another image: once/.test(stdout), !isTaken, stdout);
      const database = await Database.open(join(folder.path, 'etsy_data.db'), { readOnly: true });
      const rows = await database.read.all<{ url: string }>("SELECT url FROM images WHERE state = 'waiting'");
      await database.close();
      assert.equal(rows.length, isTaken ? 1 : 0);
    });
  }
});

it('an unfinished run older than refreshAfter is closed once crawl and reconcile are complete, and named', async () => {
  for (const daysAgo of [6, 8]) {
    await withFolder(async (folder) => {
      const image = {
        listing_image_id: 7,
        url_570xN: 'https://i.etsystatic.com/9/r/il/aaaaaa/7/il_570xN.7_abcd.jpg',
      };
      const well = etsy(image);
      const stopped = await run(folder, {
        ...well,
        answer: async (url) => {
          if (url.includes('/reviews')) await writeFile(join(folder.path, 'KILL'), '');
          return url.includes('/reviews') ? { status: 503, body: '' } : well.answer?.(url);
        },
      });
      assert.equal(stopped.exitCode, 75, stopped.text);
      const database = await Database.open(join(folder.path, 'etsy_data.db'));
      await database.write((tx) =>
        tx.run('UPDATE runs SET started_at = started_at - ?', [daysAgo * 86_400_000]),
      );
      await database.close();
      const { stdout, exitCode } = await run(folder, well);
      assert.equal(exitCode, 0);
      assert.equal(/run 1 of \S+ was never finished: reviews: once/.test(stdout), daysAgo > 7, stdout);
      assert.equal(/run 2 started/.test(stdout), daysAgo > 7);
    });
  }
});
