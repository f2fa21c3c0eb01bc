import { countCutouts } from '../../dataset/cutouts.ts';
import { count, plural } from '../../text/format.ts';
import { card, priceOf, sheet, titleOf } from '../card.ts';
import { html } from '../html.ts';
import type { Html } from '../html.ts';
import { OFFER } from '../offers.ts';
import type { Offer } from '../offers.ts';
import type { Content, Source } from '../subject.ts';
import { share } from '../words.ts';

const SHOWN = 12;
const LOOKED_AT = 60;
const SHARE = 0.05;

/** Pieces without their background. Undefined where no stage makes any. */
export async function cutouts({ sql, album }: Source): Promise<Content | undefined> {
  const { done, whole, failed } = await countCutouts(sql);
  if (done + whole + failed === 0) return undefined;
  const images =
    (await sql.get<{ n: number }>("SELECT count(*) AS n FROM images WHERE state = 'done'"))?.n ?? 0;
  const offers = await sql.all<Offer>(
    `SELECT ${OFFER} FROM offers AS o CROSS JOIN cutouts AS c ON c.listing_id = o.listing_id AND c.state = 'done'
     CROSS JOIN listings AS l ON l.listing_id = o.listing_id
     ORDER BY o.favorites DESC, o.first_read DESC, o.listing_id LIMIT ${LOOKED_AT}`,
  );
  const shown: Html[] = [];
  for (const offer of offers) {
    if (shown.length === SHOWN) break;
    const picture = await album.cutout(offer.listing_id, titleOf(offer), 'cutouts', SHARE);
    if (picture) shown.push(card(offer, picture, priceOf(offer), []));
  }
  return {
    says: html`<p>
      Of <b>${plural(images, 'image')}</b>, <b>${share(done, images)}</b> ${done === 1 ? 'has' : 'have'} a
      cutout${whole > 0 ? html`; in ${count(whole)} there was nothing sensible to cut` : undefined}${failed > 0 ? html`, and ${count(failed)} failed` : undefined}${images > done + whole + failed ? html`; ${count(images - done - whole - failed)} are still to come` : undefined}.
    </p>`,
    shows: sheet(shown, 'sheet cut'),
  };
}
