import { count } from '../../text/format.ts';
import { card, priceOf, sheet, titleOf } from '../card.ts';
import { html } from '../html.ts';
import type { Html } from '../html.ts';
import { OFFER } from '../offers.ts';
import type { Offer } from '../offers.ts';
import type { Content, Source } from '../subject.ts';

/** Pictures shown, of a shop at most, and how many are looked at for them: a file may be missing, or too large. */
const SHOWN = 24;
const OF_A_SHOP = 2;
const LOOKED_AT = 300;
const SHARE = 0.4;

/** What people like most, with pictures. */
export async function pieces({ sql, album }: Source): Promise<Content> {
  const offers = await sql.all<Offer & { readonly shop_id: number }>(
    `SELECT ${OFFER}, o.shop_id FROM offers AS o CROSS JOIN listings AS l ON l.listing_id = o.listing_id
     WHERE o.has_image ORDER BY o.favorites DESC, o.first_read DESC, o.listing_id LIMIT ${LOOKED_AT}`,
  );
  const shown: Html[] = [];
  const shops = new Map<number, number>();
  for (const offer of offers) {
    if (shown.length === SHOWN) break;
    const ofShop = shops.get(offer.shop_id) ?? 0;
    if (ofShop === OF_A_SHOP) continue;
    const title = titleOf(offer);
    const picture = await album.image(offer.listing_id, title, 'pieces', SHARE);
    if (!picture) continue;
    shops.set(offer.shop_id, ofShop + 1);
    const { favorites } = offer;
    const liked = favorites === null ? undefined : html`<small>${count(favorites)} ♥</small>`;
    shown.push(card(offer, picture, html`${priceOf(offer) ?? '–'} ${liked}`, [title]));
  }
  if (shown.length === 0)
    return { empty: 'No image of a listing is on disk yet. The images stage of a run fills this.' };
  return {
    says: html`<p>
      ${shown.length < SHOWN ? 'Those with the most favourites (♥) first' : html`The ${count(SHOWN)} with the most favourites (♥)`},
      at most ${OF_A_SHOP} from one shop. Each picture leads to its listing on Etsy.
    </p>`,
    shows: sheet(shown),
  };
}
