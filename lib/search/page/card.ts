import { html } from '../../report/html.ts';
import type { Html } from '../../report/html.ts';
import { countryName, money as amountOf } from '../../report/words.ts';
import { count } from '../../text/format.ts';
import type { Result } from '../engine.ts';
import type { Listing } from '../found.ts';
import { etsyUrl, money, stateOf } from '../words-for.ts';
import { addressOf } from './address.ts';
import type { Request } from './address.ts';

/** Results that show the same picture: one card. */
export interface Card {
  readonly first: Result;
  /** The first included. */
  readonly all: readonly Result[];
}

/** The same picture in several shops is one card, where the best of them stands. */
export function cardsOf(results: readonly Result[]): Card[] {
  const groups = new Map<string, Result[]>();
  for (const result of results) {
    const { picture, listing_id } = result.listing;
    const key = picture ?? `listing ${listing_id}`;
    groups.set(key, [...(groups.get(key) ?? []), result]);
  }
  return [...groups.values()].flatMap((all) => (all[0] ? [{ first: all[0], all }] : []));
}

export function grid(cards: readonly Card[], request: Request): Html {
  return html`<ul class="grid" id="grid">
    ${cards.map((card) => cardOf(card, request))}
  </ul>`;
}

function cardOf({ first, all }: Card, request: Request): Html {
  const { listing, why } = first;
  const { listing_id, gone } = listing;
  const url = etsyUrl(listing.url);
  const like = addressOf(request, { words: '', pictures: [], like: [listing_id], less: [], page: 1 });
  const less = addressOf(request, { less: [...request.less, listing_id], page: 1 });
  const canBeLess = request.like.length + request.pictures.length > 0;
  return html`<li
    class="card${gone ? ' gone' : ''}"
    data-like="${like}"
    ${url === undefined ? '' : html` data-etsy="${url}"`}
  >
    <a href="/listing/${listing_id}"
      >${shown(listing)}
      <span class="price">${priceOf(all)}</span>
      <span class="title">${titleOf(listing)}</span></a
    >
    <p class="facts">${factsOf(listing, all)}</p>
    ${why.length === 0 ? '' : html`<p class="why">${why.join(' · ')}</p>`}
    <p class="more">
      <a href="${like}">More like this</a>${canBeLess ? html` <a href="${less}">Less</a>` : ''}
    </p>
  </li>`;
}

/** Photo and cutout in one box of a fixed shape, so that nothing jumps. */
export function shown(listing: Listing, size: 'small' | 'whole' = 'small'): Html {
  const { listing_id, hasImage, hasCutout } = listing;
  const alt = size === 'whole' ? titleOf(listing) : '';
  const prefix = size === 'whole' ? '' : 'small/';
  const photo = hasImage
    ? html`<img
        class="photo"
        src="/${prefix}images/${listing_id}"
        alt="${alt}"
        loading="lazy"
        decoding="async"
      />`
    : html`<span class="none">no picture</span>`;
  const cut = hasCutout
    ? html`<img class="cut" src="/${prefix}cutouts/${listing_id}" alt="" loading="lazy" decoding="async" />`
    : '';
  return html`<span class="frame${hasCutout ? ' has-cut' : ''}">${photo}${cut}</span>`;
}

export function titleOf({ title, listing_id }: Listing): string {
  return title === null || title === '' ? `Listing ${listing_id}` : title;
}

function priceOf(all: readonly Result[]): string {
  const [first] = all;
  if (!first) return '';
  const { currency } = first.listing;
  const prices = all.flatMap(({ listing }) =>
    listing.price !== null && listing.currency === currency ? [listing.price] : [],
  );
  const [low, high] = [Math.min(...prices), Math.max(...prices)];
  if (prices.length === 0) return 'price unknown';
  const text =
    low === high
      ? money(low, currency)
      : `${amountOf(low, currency ?? '')}–${amountOf(high, currency ?? '')}`;
  const shops = new Set(all.map(({ listing }) => listing.shop_id)).size;
  return shops > 1 ? `${text} in ${count(shops)} shops` : text;
}

function factsOf(listing: Listing, all: readonly Result[]): string {
  const { shop, country, favorites, gone, last_read, price, currency } = listing;
  if (gone) {
    const when = last_read?.slice(0, 10) ?? '';
    return `Gone since ${when}${price === null ? '' : `, last ${money(price, currency)}`}`;
  }
  const isOnSale = listing.state === 'active';
  return [
    ...(isOnSale ? [] : [stateOf(listing)]),
    ...(all.length > 1 ? [] : [shop ?? `shop ${listing.shop_id}`]),
    ...(country === null ? [] : [countryName(country)]),
    ...(favorites === null || favorites === 0 ? [] : [`♥\u00a0${count(favorites)}`]),
  ].join(' · ');
}
