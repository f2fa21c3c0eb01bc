import { clip } from '../text/clean.ts';
import { html, etsyAddress, plainText } from './html.ts';
import type { Html, Piece } from './html.ts';
import type { Offer } from './offers.ts';
import { money } from './words.ts';

const LONGEST = 140;

export function titleOf({ title, listing_id }: Pick<Offer, 'title' | 'listing_id'>): string {
  return clip(plainText(title?.trim() || `Listing ${listing_id}`), LONGEST);
}

export function priceOf({ price, currency }: Pick<Offer, 'price' | 'currency'>): string | undefined {
  return price === null || currency === null ? undefined : money(price, currency);
}

/**
 * A picture with what is said of it, that leads to its listing on Etsy.
 * @param picture undefined: an empty place, where the others have theirs
 * @param bold stands first, @param notes below, @param more at the end: a drawing
 */
export function card(
  offer: Pick<Offer, 'title' | 'listing_id' | 'url'>,
  picture: Html | undefined,
  bold: Piece,
  notes: readonly Piece[],
  more?: Html,
): Html {
  const inner = html`${picture ?? html`<span class="no-picture"></span>`}${bold === undefined ? undefined : html`<b>${bold}</b>`}${notes.map((note) => (note === undefined ? undefined : html`<span class="said">${note}</span>`))}${more}`;
  const address = etsyAddress(offer.url);
  return address === undefined
    ? html`<li>${inner}</li> `
    : html`<li><a href="${address}" rel="noopener noreferrer">${inner}</a></li> `;
}

/** @param kind of the sheet: its size */
export function sheet(cards: readonly Html[], kind = 'sheet'): Html {
  return html`<ul class="${kind}">
    ${cards}
  </ul>`;
}
