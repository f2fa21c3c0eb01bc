import { z } from 'zod';
import { fit } from './fit.ts';
import type { Misfit } from './fit.ts';
import { MOST_COUNT, MOST_FAULTS, MOST_ITEMS, MOST_REASON } from '../limits.ts';
import { clip } from '../text/clean.ts';
import type { Kept } from '../text/clean.ts';
import { isCut, TOO_DEEP } from '../text/json.ts';

// Field types after Etsy's published specification. It requires no field, so any may be absent or null; only the ids
// that a row cannot do without are demanded. Unknown fields are dropped. test/etsy-schemas.test.ts checks these types
// against those of the etsy-ts package.

const id = z.int().positive();
const int = z.int().nullish();
const number = z.number().nullish();
const text = z.string().nullish();
const flag = z.boolean().nullish();
/** Epoch seconds. */
const time = z.int().nullish();

/** Its length is looked at before its items are: a million wrong ones would be a million faults. */
const list = <Item extends z.ZodType>(item: Item) =>
  z
    .custom<unknown[]>((value) => Array.isArray(value) && value.length <= MOST_ITEMS, {
      error: ({ input }) => `expected a list${Array.isArray(input) ? ` of at most ${MOST_ITEMS} items` : ''}`,
    })
    .pipe(z.array(item))
    .nullish();

/** value = amount / divisor, in the shop's currency. */
const money = z.object({ amount: z.int(), divisor: z.int().positive(), currency_code: z.string() });

export const listingImage = z.object({
  listing_id: int,
  listing_image_id: id,
  rank: int,
  url_570xN: text,
});

export const shop = z.object({
  shop_id: id,
  create_date: time,
  created_timestamp: time,
  update_date: time,
  updated_timestamp: time,
  url: text,
  is_shop_us_based: flag,
  shipping_from_country_iso: text,
  shop_location_country_iso: text,
  listing_active_count: int,
  accepts_custom_requests: flag,
  num_favorers: int,
  transaction_sold_count: int,
  review_average: number,
  review_count: int,
});

const anyListing = z.object({
  listing_id: id,
  shop_id: id,
  title: text,
  description: text,
  url: text,
  state: text,
  creation_timestamp: time,
  created_timestamp: time,
  ending_timestamp: time,
  quantity: int,
  num_favorers: int,
  /** Absent from search pages at times; tabulated daily. */
  views: int,
  is_customizable: flag,
  is_personalizable: flag,
  listing_type: text,
  tags: list(z.string()),
  materials: list(z.string()),
  processing_min: int,
  processing_max: int,
  who_made: text,
  when_made: text,
  item_weight: number,
  item_weight_unit: text,
  item_length: number,
  item_width: number,
  item_height: number,
  item_dimensions_unit: text,
  should_auto_renew: flag,
  language: text,
  price: money.nullish(),
  taxonomy_id: int,
  production_partners: list(z.unknown()),
  /** Only where asked for. */
  images: list(z.unknown()),
  shop: z.unknown().optional(),
});

/** Everything on offer has a price: without it the record was cut. */
export const listing = anyListing.refine(({ state, price }) => state !== 'active' || price, {
  path: ['price'],
  error: 'is missing',
});

export const review = z
  .object({
    shop_id: id,
    listing_id: id,
    /** Left out at times. */
    transaction_id: id.nullish(),
    buyer_user_id: int,
    rating: int,
    review: text,
    language: text,
    create_timestamp: time,
    created_timestamp: time,
  })
  .refine((value) => createdAt(value) !== undefined, { path: ['create_timestamp'], error: 'is missing' });

/** Etsy sends the time under both names, and says that either may be absent. Epoch seconds. */
export function createdAt(of: {
  create_timestamp?: number | null | undefined;
  created_timestamp?: number | null | undefined;
}): number | undefined {
  return of.create_timestamp ?? of.created_timestamp ?? undefined;
}

/** Each with all below it; a level lower, each has the one it hangs below as parent. */
export const taxonomyNode = z.object({
  id,
  name: z.string().min(1),
  get children() {
    return z.array(taxonomyNode).nullish();
  },
});

/** Every list answer. `count` is all that match, not what is in `results`. */
export const envelope = z.object({
  count: z.preprocess(
    (count) => (typeof count === 'string' && /^\d{1,15}$/.test(count) ? Number(count) : count),
    z
      .int()
      .nonnegative()
      .transform((count) => Math.min(count, MOST_COUNT)),
  ),
  results: z.array(z.unknown()),
});

/** What a schema reads of a value. Not for one that has itself in it. */
function readBy(type: z.core.$ZodType): Kept {
  if (type instanceof z.ZodObject)
    return Object.entries<z.core.$ZodType>(type.shape).map(([name, of]) => [name, readBy(of)]);
  if (type instanceof z.ZodOptional || type instanceof z.ZodNullable) return readBy(type.unwrap());
  if (type instanceof z.ZodPipe) return readBy(type.out);
  return type instanceof z.ZodArray ? readBy(type.element) : 'all';
}

/** What is read of the answers with many records. Of a batch with images and shops it is a third. */
export const READ = {
  listings: listOf(withParts(readBy(listing), { images: readBy(listingImage), shop: readBy(shop) })),
  reviews: listOf(readBy(review)),
};

function withParts(kept: Kept, parts: Readonly<Record<string, Kept>>): Kept {
  return kept === 'all' ? kept : kept.map(([name, of]) => [name, parts[name] ?? of]);
}

function listOf(results: Kept): Kept {
  return withParts(readBy(envelope), { results });
}

export type Listing = z.infer<typeof listing>;
export type ListingImage = z.infer<typeof listingImage>;
export type Shop = z.infer<typeof shop>;
export type Review = z.infer<typeof review>;
export type TaxonomyNode = z.infer<typeof taxonomyNode>;

/** A record that is not what the schema says, with the reason; it is set aside, and the rest continues. */
export interface Rejected {
  readonly raw: unknown;
  readonly reason: string;
  /** The listing to ask for again, where that is known. */
  readonly listingId?: number | undefined;
  /** The listing itself is good; it is its shop or one of its images that is not. */
  readonly ofPart?: boolean;
}

export interface Sorted<T> {
  readonly good: T[];
  readonly rejected: Rejected[];
  /** Fields of the good ones that were not of their type. */
  readonly misfits: Misfit[];
}

/** A record is refused only where something is wrong that its row cannot exist without. */
export function sortOut<T>(schema: z.ZodObject & z.ZodType<T>, records: readonly unknown[]): Sorted<T> {
  const good: T[] = [];
  const rejected: Rejected[] = [];
  const misfits: Misfit[] = [];
  for (const raw of records) {
    if (isCut(raw)) {
      rejected.push({ raw, reason: TOO_DEEP });
      continue;
    }
    const first = schema.safeParse(raw);
    let parsed = first;
    let odd: Misfit[] = [];
    // A second time for what was read as a number, and is none that the field can take.
    for (let record = raw, round = 0; !parsed.success && round < 2; round += 1) {
      const fitted = fit(schema, record, parsed.error.issues);
      if (!fitted) break;
      const again = new Set(fitted.misfits.map(({ field }) => field));
      odd = [...fitted.misfits, ...odd.filter(({ field }) => !again.has(field))];
      record = fitted.record;
      parsed = schema.safeParse(record);
    }
    if (parsed.success) {
      good.push(parsed.data);
      misfits.push(...odd);
    } else rejected.push({ raw, reason: reasonOf(first.error ?? parsed.error) });
  }
  return { good, rejected, misfits };
}

/** The first few faults, and how many more there are. */
export function reasonOf({ issues }: z.ZodError): string {
  const faults = issues
    .slice(0, MOST_FAULTS)
    .map(({ path, message }) => `${path.map(String).join('.') || 'record'}: ${message}`);
  const more = issues.length - faults.length;
  return clip([...faults, ...(more > 0 ? [`and ${more} more`] : [])].join('; '), MOST_REASON);
}
