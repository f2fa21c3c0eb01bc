import { classify, earliestYear } from './when-made.ts';
import type { ImageParts } from './image-url.ts';

// The entries of image_metadata.json. Besides the two forms written here it holds older ones (a bare image id, words
// such as "404", an `images` list): they stay as they are until Etsy says something new of the listing, and keys that
// are not ours stay for good.

export interface ImageRef extends Partial<ImageParts> {
  readonly imageId: number;
}

/** The old system's mark of a failed download; no image has this id. */
const FAILED_MARK = 9_999_999_999;

/** The keys of an entry that are ours, in the order the file has always had. All others belong to whoever wrote them. */
const IMAGE_KEYS = ['image_id', 'hex', 'suffix'] as const;
const OWN_KEYS = ['image_id', 'shop_id', 'hex', 'suffix', 'when_made'] as const;

/** What an entry takes from a listing. */
interface Seen {
  readonly shop_id: number;
  readonly when_made?: string | null | undefined;
}
type Json = Readonly<Record<string, unknown>>;

function asObject(value: unknown): Json | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : undefined;
}

function whenMadeOf(value: unknown): string | null {
  const word = asObject(value)?.['when_made'];
  return typeof word === 'string' ? word : null;
}

/** What an entry's value says of the year; null where it does not say. */
export function yearOfEntry(value: unknown): number | null {
  return earliestYear(whenMadeOf(value));
}

/** Whether the entry names an image of its own, in whichever form. */
function hasImage(entry: Json): boolean {
  const id = entry['image_id'];
  return typeof id === 'number' && id !== FAILED_MARK;
}

/**
 * The entry after a listing was seen: a new one, or the old one with what it lacked. The spelling of when_made stays
 * that of the year it was first read, unless the listing now falls on the other side of `madeSince`.
 * @returns undefined where the old one says it all
 */
export function seenEntry(old: unknown, listing: Seen, madeSince: number): Json | undefined {
  const since = classify(listing.when_made, madeSince) === 'since';
  const facts = { shop_id: listing.shop_id, when_made: listing.when_made ?? null };
  if (old === undefined) return since ? withImage(facts, undefined) : facts;

  const entry = asObject(old);
  if (!entry) {
    // A bare image id or a word of failure says too little of an item that is wanted; of others it may stay.
    if (!since) return undefined;
    return withImage(facts, typeof old === 'number' && old !== FAILED_MARK ? { imageId: old } : undefined);
  }
  const changes: Record<string, unknown> = {};
  if ((entry['shop_id'] ?? null) === null) changes['shop_id'] = listing.shop_id;
  const known =
    'when_made' in entry && classify(whenMadeOf(entry), madeSince) === classify(listing.when_made, madeSince);
  if (!known) changes['when_made'] = facts.when_made;
  if (since && !('image_id' in entry) && !('images' in entry)) {
    Object.assign(changes, { image_id: null, hex: null, suffix: null });
  }
  return Object.keys(changes).length > 0 ? ordered({ ...entry, ...changes }) : undefined;
}

/**
 * The entry with the listing's image.
 * @param kept the file on disk is of the entry's own image and stays: only what is missing is filled in
 */
export function imageEntry(old: Json, image: ImageRef | undefined, kept: boolean): Json | undefined {
  if (!image || (kept && (hasImage(old) || Array.isArray(old['images'])))) return undefined;
  const parts = { image_id: image.imageId, hex: image.hex ?? null, suffix: image.suffix ?? null };
  const same = Object.entries(parts).every(([key, value]) => old[key] === value);
  return same ? undefined : withImage(old, image);
}

/** The image an entry names, where it tells all that its URL is made of. */
export function imageOfEntry(value: unknown): (ImageParts & { imageId: number; shopId: number }) | undefined {
  const entry = asObject(value);
  if (!entry || !hasImage(entry)) return undefined;
  const { image_id: imageId, shop_id: shopId, hex, suffix } = entry;
  const isWhole = typeof shopId === 'number' && typeof hex === 'string' && typeof suffix === 'string';
  return isWhole && typeof imageId === 'number' ? { imageId, shopId, hex, suffix } : undefined;
}

/**
 * The entry after another program has written one: an older copy put back, a label added. Its own keys are taken as it
 * left them. Of ours, those that the database knows stay, for its rows and images agree with them; what it does not know
 * is taken from the file. The image id, hex and suffix go together.
 *
 * @returns undefined where the other program's entry can be taken as it is
 */
export function mergedEntry(ours: unknown, theirs: unknown): Json | undefined {
  const known = asObject(ours);
  if (!known) return undefined;
  const other = asObject(theirs);
  const kept: Record<string, unknown> = {};
  for (const key of hasImage(known) ? IMAGE_KEYS : []) {
    const isOther = known['image_id'] !== other?.['image_id'];
    if (isOther || (known[key] ?? null) !== null) kept[key] = known[key] ?? null;
  }
  for (const key of ['shop_id', 'when_made']) if ((known[key] ?? null) !== null) kept[key] = known[key];
  if (Object.keys(kept).length === 0) return undefined;
  // A bare image id or a word of failure says less than what is known.
  if (!other) return known;
  const agrees = Object.entries(kept).every(([key, value]) => other[key] === value);
  return agrees ? undefined : ordered({ ...other, ...kept });
}

function withImage(entry: Json, image: ImageRef | undefined): Json {
  return ordered({
    ...entry,
    image_id: image?.imageId ?? null,
    hex: image?.hex ?? null,
    suffix: image?.suffix ?? null,
  });
}

/** In the order the file has always had. */
function ordered(entry: Json): Json {
  const first = OWN_KEYS.filter((key) => key in entry);
  return { ...Object.fromEntries(first.map((key) => [key, entry[key]])), ...entry };
}
