import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { decode } from 'jpeg-js';
import { startMarketplace, type Marketplace, type MarketplaceOptions } from '../marketplace/index.ts';
import { spawnMarketplace } from '../marketplace/spawn.ts';

const NOW = Date.UTC(2026, 7, 20);
const FURNITURE = {
  12470: { listings: 240 },
  976: { listings: 330, cluster: { cents: 19_900, listings: 120 } },
};

interface Row {
  [field: string]: unknown;
  listing_id: number;
  shop_id: number;
  transaction_id: number;
  create_timestamp: number;
  created_timestamp: number;
  when_made: string | null;
  price: { amount: number; divisor: number; currency_code: string };
  images: { rank: number; listing_image_id: number; url_570xN: string }[] | null;
}

interface Answer {
  status: number;
  headers: Headers;
  count: number;
  results: Row[];
  error?: string;
}

const started: Marketplace[] = [];
after(() => Promise.all(started.map((market) => market.close())));

async function start(options: MarketplaceOptions = {}): Promise<Marketplace> {
  const market = await startMarketplace({ now: NOW, categories: FURNITURE, ...options });
  started.push(market);
  return market;
}

async function ask(market: { apiUrl: string; key: string }, path: string, key = market.key): Promise<Answer> {
  const response = await fetch(market.apiUrl + path, { headers: { 'x-api-key': key } });
  const body = (await response.json()) as object;
  return { count: -1, results: [], ...body, status: response.status, headers: response.headers };
}

async function all(market: Marketplace, path: string): Promise<Row[]> {
  const rows: Row[] = [];
  for (let offset = 0; ; offset += 100) {
    const page = await ask(market, `${path}&limit=100&offset=${offset}`);
    assert.equal(page.status, 200, page.error);
    rows.push(...page.results);
    if (offset + 100 > page.count) return rows;
  }
}

const ids = (rows: readonly Row[]): number[] => rows.map((row) => row.listing_id);
const sorted = (numbers: readonly number[]): number[] => numbers.toSorted((a, b) => a - b);

describe('search', () => {
  it('pages add up to the count, newest first, and to the truth', async () => {
    const market = await start();
    const rows = await all(market, '/listings/active?taxonomy_id=967');
    assert.equal(rows.length, 570);
    assert.equal(new Set(ids(rows)).size, 570);
    assert.deepEqual(
      rows.map((row) => row.created_timestamp),
      rows.map((row) => row.created_timestamp).toSorted((a, b) => b - a),
    );
    const truth = market.truth([967]);
    assert.deepEqual(sorted(ids(rows)), sorted(truth.listings.map((listing) => listing.listing_id)));
    assert.deepEqual(market.truth([12470, 976]).counts, { 12470: 240, 976: 330 });
    assert.ok(rows.every((row) => row.images === undefined && typeof row['views'] === 'number'));
    for (const row of rows) {
      const known = market.listing(row.listing_id);
      assert.ok(known);
      for (const [field, value] of Object.entries(known)) {
        if (field !== 'since2000' && field !== 'image') assert.deepEqual(row[field], value, field);
      }
    }
  });

  it('is the same for the same seed, and another for another', async () => {
    const bodies = await Promise.all(
      [1, 1, 2].map(async (seed) => {
        const market = await start({ seed });
        const page = await ask(market, '/listings/active?limit=100');
        return JSON.stringify([page.count, page.results]);
      }),
    );
    assert.equal(bodies[0], bodies[1]);
    assert.notEqual(bodies[0], bodies[2]);
  });

  it('filters by price inclusively, in decimals', async () => {
    const market = await start();
    const truth = market.truth([976]).listings;
    const exact = await ask(market, '/listings/active?taxonomy_id=976&min_price=199.00&max_price=199');
    assert.ok(exact.count >= 120);
    const slices = ['max_price=198.99', 'min_price=199&max_price=199', 'min_price=199.01'];
    const found = await Promise.all(
      slices.map((slice) => all(market, `/listings/active?taxonomy_id=976&${slice}`)),
    );
    assert.deepEqual(sorted(found.flatMap(ids)), sorted(truth.map((listing) => listing.listing_id)));
  });

  it('sorts where it is told to, or only with keywords', async () => {
    const query = '/listings/active?taxonomy_id=12470&limit=100&sort_on=price&sort_order=asc';
    const prices = ({ results }: Answer): number[] =>
      results.filter((row) => row.price.currency_code === 'USD').map((row) => row.price.amount);
    const sorting = prices(await ask(await start(), query));
    assert.deepEqual(sorting, sorted(sorting));
    const strict = await start({ sortNeedsKeywords: true });
    const unsorted = prices(await ask(strict, query));
    assert.notDeepEqual(unsorted, sorted(unsorted));
    const again = prices(await ask(strict, `${query}&keywords=vanity`));
    assert.deepEqual(again, sorted(again));
  });

  it('refuses what Etsy refuses, in its words', async () => {
    const market = await start();
    const refused = async (path: string, status: number, error: RegExp | string): Promise<void> => {
      const answer = await ask(market, path);
      assert.equal(answer.status, status, path);
      if (typeof error === 'string') assert.equal(answer.error, error);
      else assert.match(answer.error ?? '', error);
    };
    await refused('/listings/active?limit=101', 400, /limit/);
    await refused('/listings/active?limit=0', 400, /limit/);
    await refused('/listings/active?limit=ten', 400, "Expected int value for 'limit' (got string)");
    const tooFar = 'Offset provided is greater than the maximum offset allowed.';
    await refused('/listings/active?offset=12001', 400, tooFar);
    await refused(`/shops/${market.shopId(0)}/reviews?offset=12001`, 400, tooFar);
    const past = 'Offset provided is greater than the total count of search results.';
    await refused('/listings/active?offset=571', 400, past);
    await refused('/listings/active?sort_on=age', 400, /^Invalid value \(&quot;age&quot;\) for enum\(/);
    await refused(
      '/listings/batch?listing_ids=1&includes=Inventory',
      400,
      /^Invalid value .* for enum\(images, shop,/,
    );
    await refused(
      '/listings/batch?listing_ids="1","2"',
      400,
      "Expected int value for 'listing_ids' (got string)",
    );
    const many = Array.from({ length: 101 }, (_, i) => i + 1).join(',');
    await refused(`/listings/batch?listing_ids=${many}`, 400, /100/);
    await refused('/shops/77', 404, 'Resource not found');
    await refused('/listings', 404, 'Resource not found');
    assert.equal((await ask(market, '/listings/active?offset=570')).results.length, 0);
    const lenient = await start({ pastTheEnd: 'empty' });
    assert.deepEqual((await ask(lenient, '/listings/active?offset=9000')).results, []);
  });

  it('holds a category too large for its offsets, most of it at one price', async () => {
    const market = await start({
      categories: { 1001: { listings: 30_500, cluster: { cents: 25_000, listings: 12_600 } } },
      reviews: { perShop: 1, big: { shop: 3, count: 13_200 } },
    });
    assert.equal(
      (await ask(market, '/listings/active?taxonomy_id=1001&offset=12000&limit=100')).results.length,
      100,
    );
    const clustered = await ask(market, '/listings/active?taxonomy_id=1001&min_price=250&max_price=250');
    assert.ok(clustered.count >= 12_600);
    const shop = market.shopId(3);
    assert.equal((await ask(market, `/shops/${shop}/reviews`)).count, 13_200);
    assert.ok(market.truth([1001]).shops.includes(shop));
  });
});

describe('single reads', () => {
  it('batches up to a hundred listings with images and shops, leaving out what is removed', async () => {
    const market = await start();
    const wanted = ids((await ask(market, '/listings/active?limit=100')).results);
    const [gone = 0, sold = 0] = wanted;
    market.removeListing(gone);
    market.setState(sold, 'sold_out');
    const path = `/listings/batch?includes=images,Shop&listing_ids=${wanted.join('%2C')},99`;
    const batch = await ask(market, path.replace(',99', ''));
    assert.deepEqual(sorted(ids(batch.results)), sorted(wanted.slice(1)));
    assert.ok(batch.results.some((row) => row.listing_id === sold && row['state'] === 'sold_out'));
    for (const row of batch.results) {
      assert.equal((row['shop'] as Row).shop_id, row.shop_id);
      const lowest = Math.min(...(row.images ?? []).map((image) => image.rank));
      const first = row.images?.find((image) => image.rank === lowest);
      assert.equal(market.listing(row.listing_id)?.image?.image_id, first?.listing_image_id);
    }
    const strict = await start({ batchReturnsInactive: false });
    strict.setState(sold, 'expired');
    assert.deepEqual(ids((await ask(strict, `/listings/batch?listing_ids=${sold},99`)).results), []);
  });

  it('gives the reviews of a shop newest first, between two times inclusively', async () => {
    const market = await start({ reviews: { perShop: 20, big: { shop: 0, count: 450 } } });
    const path = `/shops/${market.shopId(0)}/reviews`;
    const rows = await all(market, `${path}?`);
    assert.equal(rows.length, 450);
    const times = rows.map((row) => row.create_timestamp);
    assert.deepEqual(
      times,
      times.toSorted((a, b) => b - a),
    );
    const [from = 0, to = 0] = [times[300], times[200]];
    const between = await all(market, `${path}?min_created=${from}&max_created=${to}`);
    assert.deepEqual(
      between.map((row) => row.transaction_id),
      rows
        .filter((row) => row.create_timestamp >= from && row.create_timestamp <= to)
        .map((row) => row.transaction_id),
    );
    assert.deepEqual(
      sorted(market.truth([967]).reviews[market.shopId(0)] ?? []),
      sorted(rows.map((row) => row.transaction_id)),
    );
    const keys = rows.map(
      (row) => `${row.listing_id} ${String(row['buyer_user_id'])} ${row.create_timestamp}`,
    );
    assert.ok(new Set(keys).size < rows.length, 'two reviews can share listing, buyer and second');
  });

  it('shows the taxonomy from its root, level 1', async () => {
    const market = await start();
    const { count, results } = await ask(market, '/seller-taxonomy/nodes');
    assert.equal(count, 1);
    assert.equal(results[0]?.['level'], 1);
    assert.match(JSON.stringify(results), /"id":12470,"level":4,"name":"Vanity Tables","parent_id":968/);
  });
});

describe('limits', () => {
  it('checks the key', async () => {
    const market = await start();
    const error = async (key: string): Promise<string | undefined> => {
      const answer = await ask(market, '/openapi-ping', key);
      assert.equal(answer.status, 403);
      return answer.error;
    };
    assert.equal(await error('demo-keystring'), 'Shared secret is required in x-api-key header.');
    assert.equal(await error('a:b:c'), "Invalid API key: should be in the format 'keystring:shared_secret'.");
    assert.match((await error('demo-keystring:wrong')) ?? '', /^API key not found or not active/);
    assert.equal((await ask(market, '/openapi-ping')).status, 200);
  });

  it('answers 429 beyond its requests a second, as seen without the daily headers', async () => {
    const market = await start({ perSecond: 5 });
    const answers = await Promise.all(Array.from({ length: 9 }, () => ask(market, '/seller-taxonomy/nodes')));
    assert.equal(answers.filter((answer) => answer.status === 200).length, 5);
    const refused = answers.find((answer) => answer.status === 429);
    assert.equal(refused?.error, 'Exceeded per second rate limit');
    assert.equal(refused?.headers.get('x-remaining-this-second'), '0');
    assert.equal(refused?.headers.get('retry-after'), null);
    assert.equal(market.worstWindow(), 9);
  });

  it('counts the day down, ends it and lets it come back block by block', async () => {
    const market = await start({ perDay: 3, dayMs: 600, headersOn429: 'all' });
    const left: (string | null)[] = [];
    for (let i = 0; i < 3; i++)
      left.push((await ask(market, '/listings/active')).headers.get('x-remaining-today'));
    assert.deepEqual(left, ['2', '1', '0']);
    const refused = await ask(market, '/listings/active');
    assert.equal(refused.error, 'Exceeded daily rate limit');
    assert.equal(refused.headers.get('retry-after'), '1');
    assert.equal((await ask(market, '/openapi-ping')).status, 200);
    market.advance(1);
    assert.equal((await ask(market, '/listings/active')).status, 200);
  });
});

describe('time', () => {
  it('changes the world the same way for the same steps', async () => {
    const [one, other] = await Promise.all([start(), start()]);
    const before = one.truth([967]);
    for (const market of [one, other]) {
      market.advance(8);
      market.advance(0.5);
    }
    const truth = one.truth([967]);
    assert.deepEqual(truth.listings.length, other.truth([967]).listings.length);
    const values = (market: Marketplace): unknown[] =>
      market.truth([967]).listings.map(({ image, ...rest }) => ({ ...rest, image: image?.image_id }));
    assert.deepEqual(values(one), values(other));
    assert.equal(truth.at - before.at, 8.5 * 86_400);
    const old = new Set(before.listings.map((listing) => listing.listing_id));
    const fresh = truth.listings.filter((listing) => !old.has(listing.listing_id));
    assert.ok(fresh.length > 0, 'new listings');
    assert.ok(truth.listings.length - fresh.length < old.size, 'listings that are gone');
    const reviews = (of: typeof truth): number => Object.values(of.reviews).flat().length;
    assert.ok(reviews(truth) > reviews(before), 'new reviews');
  });

  it('spells the words of when_made with the year', async () => {
    const market = await start({ now: Date.UTC(2026, 11, 28), categories: { 976: { listings: 2000 } } });
    const words = (): Set<string | null> =>
      new Set(market.truth([976]).listings.map((listing) => listing.when_made));
    assert.ok(words().has('2007_2009') && words().has('before_2007') && words().has(null));
    market.advance(14);
    for (const word of ['2020_2027', '2008_2009', 'before_2008', '2000_2007'])
      assert.ok(words().has(word), word);
    assert.ok(!words().has('2007_2009'));
  });
});

describe('pictures', () => {
  it('are JPEG files, each its own, and fail as they were told to', async () => {
    const market = await start({ badImages: {} });
    const [first, second, third, fourth, fifth] = market
      .truth([976])
      .listings.filter((listing) => listing.image);
    assert.ok(first?.image && second?.image && third?.image && fourth?.image && fifth?.image);
    const fetched = await fetch(first.image.url);
    const file = Buffer.from(await fetched.arrayBuffer());
    assert.equal(fetched.headers.get('content-type'), 'image/jpeg');
    assert.equal(fetched.headers.get('content-length'), String(file.length));
    assert.equal(decode(file).width, 570);
    assert.ok(file.includes(`image ${first.image.image_id}`));
    assert.equal((await fetch(first.image.url.replace('570xN', '75x75'))).status, 404);
    market.setImage(second.listing_id, 'tiny');
    const tiny = await fetch(second.image.url);
    assert.ok(tiny.status === 200 && (await tiny.arrayBuffer()).byteLength < 1000);
    market.setImage(third.listing_id, 'missing');
    assert.equal((await fetch(third.image.url)).status, 404);
    market.setImage(fourth.listing_id, 'truncated');
    await assert.rejects(fetch(fourth.image.url).then((answer) => answer.arrayBuffer()));
    market.setImage(fifth.listing_id, 'elsewhere');
    assert.match(
      market.listing(fifth.listing_id)?.image?.url ?? '',
      /^https:\/\/pictures\.example\.invalid\//,
    );
  });
});

describe('faults', () => {
  it('happen to the requests they were ordered for', async () => {
    const market = await start({
      faults: { script: [{ path: '/listings/active', fault: 'error503', times: 2 }] },
    });
    const path = '/listings/active?limit=5';
    assert.equal((await ask(market, '/openapi-ping')).status, 200);
    assert.equal((await ask(market, path)).status, 503);
    assert.equal((await ask(market, path)).status, 503);
    assert.equal((await ask(market, path)).status, 200);
    for (const fault of ['reset', 'truncated', 'invalidJson', 'htmlPage'] as const) {
      market.setFaults({ script: [{ path: '/listings/active', fault }] });
      await assert.rejects(ask(market, path), fault);
    }
    market.setFaults({ script: [{ path: 'active', fault: 'limitDay' }] });
    assert.equal((await ask(market, path)).error, 'Exceeded daily rate limit');
    market.setFaults({ script: [{ path: 'active', fault: 'badRecord' }] });
    const spoilt = JSON.stringify((await ask(market, path)).results);
    const whole = JSON.stringify((await ask(market, path)).results);
    assert.notEqual(spoilt, whole);
    const statuses = market.requests().map((request) => request.fault ?? request.status);
    assert.deepEqual(statuses, [200, 'error503', 'error503', 200, 'reset', 'truncated', 'invalidJson', 'htmlPage', 'limitDay', 'badRecord', 200]); // prettier-ignore
  });

  it('happen as often as they were given a chance to', async () => {
    const market = await start({
      faults: { api: { rates: { error500: 0.3 }, latency: { min: 1, max: 5 } } },
    });
    for (let i = 0; i < 100; i++) await ask(market, '/openapi-ping');
    const failed = market.requests().filter((request) => request.status === 500).length;
    assert.ok(failed > 15 && failed < 45, String(failed));
  });
});

describe('a marketplace in another process', () => {
  it('answers the same and takes the same orders', async () => {
    const options: MarketplaceOptions = { now: NOW, categories: FURNITURE };
    const [here, there] = await Promise.all([start(), spawnMarketplace(options)]);
    try {
      await there.advance(3);
      here.advance(3);
      const path = '/listings/active?limit=100';
      assert.deepEqual((await ask(there, path)).results, (await ask(here, path)).results);
      const [mine, theirs] = [here.truth([976]), await there.truth([976])];
      assert.deepEqual(theirs.reviews, mine.reviews);
      assert.equal((await there.requests()).length, 1);
      const stats = await (await fetch(`${there.controlUrl}/stats`)).json();
      assert.deepEqual(stats, {
        worstWindow: 1,
        meanRate: 0,
        counts: { '/v3/application/listings/active': 1 },
      });
    } finally {
      await there.close();
    }
  });
});
