import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type {
  IListingImage,
  IMoney,
  IShop,
  IShopListing,
  IShopListingWithAssociations,
  ITransactionReview,
} from 'etsy-ts';
import * as fc from 'fast-check';
import { z } from 'zod';
import { createdAt, envelope, listing, listingImage, review, shop, sortOut } from '../lib/etsy/schemas.ts';
import type { Listing, ListingImage, Review, Shop } from '../lib/etsy/schemas.ts';

// Etsy's own types, without the "may be absent" that all of their fields carry.
type Whole<T> = {
  [Field in keyof T]-?: Field extends 'price' ? Required<IMoney> : Exclude<T[Field], undefined>;
};

/** Fields of ours that Etsy's type lacks, or whose value there ours would not take. */
type Unmatched<Ours, Theirs> = {
  [Field in keyof Ours]-?: Field extends keyof Theirs
    ? Whole<Theirs>[Field] extends Ours[Field]
      ? never
      : Field
    : Field;
}[keyof Ours];

/** 'none', or the names of the fields that are left over: then the word 'none' does not compile. */
type OrNone<Left> = [Left] extends [never] ? 'none' : Left;

const SHOP: Whole<Pick<IShop, keyof Shop>> = {
  shop_id: 7,
  create_date: 1_500_000_000,
  created_timestamp: 1_500_000_000,
  update_date: 1_700_000_000,
  updated_timestamp: 1_700_000_000,
  url: 'https://www.etsy.com/shop/x',
  is_shop_us_based: true,
  shipping_from_country_iso: 'US',
  shop_location_country_iso: null,
  listing_active_count: 3,
  accepts_custom_requests: false,
  num_favorers: 12,
  transaction_sold_count: 99,
  review_average: 4.8,
  review_count: 5,
};

const IMAGE: Whole<Pick<IListingImage, keyof ListingImage>> = {
  listing_id: 4_300_000_000,
  listing_image_id: 9_876_543_210,
  rank: 1,
  url_570xN: 'https://i.etsystatic.com/7/r/il/a1b2c3/5/il_570xN.5_x1y2.jpg',
};

const LISTING: Whole<Pick<IShopListingWithAssociations, keyof Listing>> = {
  listing_id: 4_300_000_000,
  shop_id: 7,
  title: 'Oak table, 30&quot; high',
  description: 'Two\nlines',
  url: 'https://www.etsy.com/listing/4300000000',
  state: 'active',
  creation_timestamp: 1_700_000_000,
  created_timestamp: 1_700_000_000,
  ending_timestamp: 1_710_500_000,
  quantity: 1,
  num_favorers: 4,
  views: 77,
  is_customizable: false,
  is_personalizable: true,
  listing_type: 'physical',
  tags: ['oak', 'table'],
  materials: [],
  processing_min: null,
  processing_max: 5,
  who_made: 'someone_else',
  when_made: '2007_2009',
  item_weight: 12.5,
  item_weight_unit: 'kg',
  item_length: 80,
  item_width: null,
  item_height: 75.5,
  item_dimensions_unit: 'cm',
  should_auto_renew: true,
  language: 'en-US',
  price: { amount: 12_900, divisor: 100, currency_code: 'USD' },
  taxonomy_id: 977,
  production_partners: [],
  images: [IMAGE],
  shop: SHOP,
};

const REVIEW: Whole<Pick<ITransactionReview, keyof Review>> = {
  shop_id: 7,
  listing_id: 4_300_000_000,
  transaction_id: 5_000_000_000,
  buyer_user_id: null,
  rating: 5,
  review: '',
  language: 'en',
  create_timestamp: 1_700_000_000,
  created_timestamp: 1_700_000_000,
};

const RECORDS: readonly {
  readonly what: string;
  readonly schema: z.ZodObject;
  readonly record: Readonly<Record<string, unknown>>;
  readonly demanded: readonly string[];
}[] = [
  { what: 'a listing', schema: listing, record: LISTING, demanded: ['listing_id', 'shop_id'] },
  { what: 'a shop', schema: shop, record: SHOP, demanded: ['shop_id'] },
  { what: 'an image', schema: listingImage, record: IMAGE, demanded: ['listing_image_id'] },
  {
    what: 'a review',
    schema: review,
    record: REVIEW,
    demanded: ['shop_id', 'listing_id'],
  },
];

describe('the schemas of answers', () => {
  it('read fields that Etsy has, and take every value it says they may have', () => {
    const batch: OrNone<Unmatched<Listing, IShopListingWithAssociations>> = 'none';
    // The page of a search lacks the associations, and by the specification `views`.
    type More = 'views' | 'production_partners' | 'images' | 'shop';
    const page: OrNone<Exclude<Unmatched<Listing, IShopListing>, More>> = 'none';
    const ofShop: OrNone<Unmatched<Shop, IShop>> = 'none';
    const image: OrNone<Unmatched<ListingImage, IListingImage>> = 'none';
    const ofReview: OrNone<Unmatched<Review, ITransactionReview>> = 'none';
    assert.deepEqual([...new Set([batch, page, ofShop, image, ofReview])], ['none']);
    const other: Unmatched<{ shop_id: string; shop_name: string }, IShop> = 'shop_id';
    const absent: Unmatched<{ shop_nickname: string }, IShop> = 'shop_nickname';
    assert.deepEqual([other, absent], ['shop_id', 'shop_nickname']);
  });

  for (const { what, schema, record, demanded } of RECORDS) {
    const optional = Object.keys(schema.shape).filter((field) => !demanded.includes(field));

    it(`keep every field of ${what}, and drop what they do not know`, () => {
      assert.deepEqual(Object.keys(record).toSorted(), Object.keys(schema.shape).toSorted());
      const { good, rejected } = sortOut(schema, [{ ...record, rich_description: '<p>new</p>' }]);
      assert.deepEqual([good, rejected], [[record], []]);
    });

    it(`accept ${what} without any field but its ids`, () => {
      const timeless = what === 'a review' ? ['create_timestamp', 'created_timestamp'] : [];
      fc.assert(
        fc.property(fc.subarray(optional), fc.subarray(optional), (absent, empty) => {
          const less: Record<string, unknown> = { ...record };
          for (const field of empty) less[field] = null;
          for (const field of absent) delete less[field];
          const without = timeless.length > 0 && timeless.every((field) => (less[field] ?? null) === null);
          // Nothing is on offer without a price.
          const unpriced = less['state'] === 'active' && 'price' in record && !less['price'];
          assert.equal(schema.safeParse(less).success, !without && !unpriced);
        }),
      );
    });

    it(`refuse ${what} without an id, naming it`, () => {
      for (const field of demanded) {
        for (const value of [undefined, null, 0, -1, 1.5, 'seven', '', true, {}, 2 ** 60]) {
          const { rejected } = sortOut(schema, [{ ...record, [field]: value }]);
          assert.ok(rejected[0]?.reason.startsWith(`${field}: `), `${field} ${JSON.stringify(value)}`);
        }
        const { good, misfits } = sortOut(schema, [{ ...record, [field]: '7' }]);
        assert.equal(good[0]?.[field], 7);
        assert.deepEqual(misfits, [{ field, example: '"7"', isRead: true }]);
      }
    });

    it(`take ${what} with any other field of another type, which is read where it is clear and told`, () => {
      // Of a review one time is enough; nothing is on offer without a price.
      const needed = (field: string): boolean => field === 'price' && record['state'] === 'active';
      for (const field of optional.filter((name) => name !== 'shop' && !needed(name))) {
        const { good, rejected, misfits } = sortOut(schema, [{ ...record, [field]: { odd: true } }]);
        assert.deepEqual(rejected, [], field);
        assert.equal(good[0]?.[field], undefined, field);
        assert.deepEqual(misfits, [{ field, example: 'an object', isRead: false }]);
      }
      fc.assert(
        fc.property(fc.dictionary(fc.constantFrom(...optional), fc.jsonValue()), (odd) => {
          if ('price' in odd || 'create_timestamp' in odd || 'state' in odd) return;
          const { good, rejected, misfits } = sortOut(schema, [{ ...record, ...odd }]);
          assert.deepEqual(rejected, []);
          assert.ok(schema.safeParse(good[0]).success);
          const told = new Set(misfits.map(({ field }) => field.split('.')[0]));
          for (const [field, value] of Object.entries(odd)) {
            if (schema.safeParse({ ...record, [field]: value }).success) continue;
            assert.ok(told.has(field), `${field} was changed and not told`);
          }
        }),
        { numRuns: 100 },
      );
    });
  }

  it('read what is clear as another type, and nothing else', () => {
    const cases: [field: string, value: unknown, read: unknown][] = [
      ['item_weight', '0.5', 0.5],
      ['item_weight', ' 12 ', 12],
      ['item_weight', '1,5', undefined],
      ['item_weight', 'heavy', undefined],
      ['item_weight', '', undefined],
      ['item_weight', true, undefined],
      ['quantity', '3', 3],
      ['quantity', '3.5', undefined],
      ['quantity', 3.5, undefined],
      ['views', '-1', -1],
      ['is_customizable', 1, true],
      ['is_customizable', 0, false],
      ['is_customizable', 'true', true],
      ['is_customizable', '0', false],
      ['is_customizable', 2, undefined],
      ['is_customizable', 'yes', undefined],
      ['listing_type', 0, undefined],
      ['title', 5, undefined],
      ['tags', 'oak, chair', undefined],
      ['tags', ['oak', null, 5, 'chair'], ['oak', 'chair']],
    ];
    for (const [field, value, read] of cases) {
      const { good, rejected, misfits } = sortOut(listing, [{ ...LISTING, [field]: value }]);
      assert.deepEqual(rejected, [], field);
      assert.deepEqual(
        (good[0] as Record<string, unknown>)[field],
        read,
        `${field} ${JSON.stringify(value)}`,
      );
      assert.ok(misfits.length > 0, field);
    }
    const price = { amount: '1000', divisor: 100, currency_code: 'USD' };
    assert.deepEqual(sortOut(listing, [{ ...LISTING, price }]).good[0]?.price, { ...price, amount: 1000 });
  });

  it('set a bad record aside with its reason, and go on with the rest', () => {
    const bad = [null, 5, 'text', [], {}, { ...SHOP, shop_id: 'many' }];
    const { good, rejected } = sortOut(shop, [SHOP, ...bad, SHOP]);
    assert.equal(good.length, 2);
    assert.deepEqual(
      rejected.map(({ raw }) => raw),
      bad,
    );
    assert.match(rejected[0]?.reason ?? '', /^record: /);
    assert.match(rejected.at(-1)?.reason ?? '', /^shop_id: /);
  });

  it('take any record for what it is and never throw', () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue()), (records) => {
        for (const { schema } of RECORDS) {
          const { good, rejected } = sortOut(schema, records);
          assert.equal(good.length + rejected.length, records.length);
        }
      }),
    );
  });

  it('take the time of a review under either name', () => {
    assert.equal(createdAt({ create_timestamp: 5, created_timestamp: 6 }), 5);
    assert.equal(createdAt({ create_timestamp: null, created_timestamp: 6 }), 6);
    assert.equal(createdAt({}), undefined);
  });

  it('know a list by its count and its results', () => {
    assert.ok(envelope.safeParse({ count: 0, results: [] }).success);
    assert.equal(envelope.parse({ count: '7', results: [] }).count, 7);
    for (const body of [null, [], {}, { results: [] }, { count: 1 }, { count: -1, results: [] }]) {
      assert.ok(!envelope.safeParse(body).success, JSON.stringify(body));
    }
  });
});
