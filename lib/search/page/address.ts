import { MOST_EXAMPLES, MOST_QUERY } from '../../limits.ts';
import type { Filters } from '../filters.ts';

/** What the page is asked for, as its address says it: back, reload and bookmarks work. */
export interface Request {
  readonly words: string;
  /** Listings to look like, and to look less like. */
  readonly like: readonly number[];
  readonly less: readonly number[];
  /** Uploads by name. */
  readonly pictures: readonly string[];
  readonly filters: Filters;
  readonly sort: Sort;
  /** From 1. */
  readonly page: number;
}

export const SORTS = {
  best: 'best match',
  cheap: 'lowest price',
  dear: 'highest price',
  new: 'newest',
} as const;
export type Sort = keyof typeof SORTS;

/** Pages of one search. */
const MOST_PAGES = 10;

/** Whatever does not fit is left out: an address is typed by anybody. */
export function requestOf(params: URLSearchParams): Request {
  const filters: Record<string, string | number | boolean> = {};
  const put = (name: keyof Filters, value: string | number | boolean | undefined): void => {
    if (value !== undefined) filters[name] = value;
  };
  const amount = (name: string): number | undefined => {
    const text = params.get(name) ?? '';
    return /^\d{1,9}(\.\d{1,2})?$/.test(text) ? Number(text) : undefined;
  };
  put('category', whole(params.get('category')));
  put('from', amount('from'));
  put('to', amount('to'));
  put('currency', /^[A-Z]{3}$/.exec(params.get('currency') ?? '')?.[0]);
  put('country', /^[A-Z]{2}$/.exec(params.get('country') ?? '')?.[0]);
  put('made', /^\w{3,20}$/.exec(params.get('made') ?? '')?.[0]);
  if (params.get('state') === 'sale') put('onSale', true);
  if (params.get('state') === 'gone') put('onSale', false);
  const sort = params.get('sort') ?? 'best';
  return {
    words: Array.from(params.get('q') ?? '')
      .slice(0, MOST_QUERY)
      .join('')
      .trim(),
    like: numbers(params.getAll('like')),
    less: numbers(params.getAll('less')),
    pictures: params
      .getAll('picture')
      .filter((name) => /^[\w-]{16}$/.test(name))
      .slice(0, MOST_EXAMPLES),
    filters,
    sort: sort in SORTS ? (sort as Sort) : 'best',
    page: Math.min(MOST_PAGES, Math.max(1, whole(params.get('page')) ?? 1)),
  };
}

/** The address that asks for this. @param change what is different from `request` */
export function addressOf(request: Request, change: Partial<Request> = {}): string {
  const { words, like, less, pictures, filters, sort, page } = { ...request, page: 1, ...change };
  const params = new URLSearchParams();
  if (words !== '') params.set('q', words);
  for (const id of like) params.append('like', String(id));
  for (const id of less) params.append('less', String(id));
  for (const name of pictures) params.append('picture', name);
  const { onSale, ...others } = filters;
  for (const [name, value] of Object.entries(others)) params.set(name, String(value));
  if (onSale !== undefined) params.set('state', onSale ? 'sale' : 'gone');
  if (sort !== 'best') params.set('sort', sort);
  if (page > 1) params.set('page', String(page));
  const query = params.toString();
  return query === '' ? '/' : `/search?${query}`;
}

const LISTING_ID = /^[1-9]\d{0,15}$/;

/** A listing's id in an address; undefined: it is none. */
export function whole(text: string | null | undefined): number | undefined {
  if (text === null || text === undefined || !LISTING_ID.test(text)) return undefined;
  const id = Number(text);
  return Number.isSafeInteger(id) ? id : undefined;
}

function numbers(texts: readonly string[]): number[] {
  return [...new Set(texts.flatMap((text) => whole(text) ?? []))].slice(0, MOST_EXAMPLES);
}
