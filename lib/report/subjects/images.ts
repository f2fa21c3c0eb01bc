import { money } from '../words.ts';
import { clip } from '../../text/clean.ts';
import { join } from 'node:path';
import type { Sql } from '../../store/database.ts';
import { readRegular } from '../../store/files.ts';
import { plural } from '../../text/format.ts';
import { Html, etsyAddress, html, plainText } from '../html.ts';
import type { Content, Source } from '../subject.ts';

/** Images shown, and how many are looked at for them: a file may be missing, or too large. */
const SHOWN = 24;
const LOOKED_AT = 3 * SHOWN;
/** Bytes of one image and of all together, before base64 makes them a third larger: the page stays under 3 MB. */
const ONE = 240_000;
const ALL = 1_900_000;

interface Candidate {
  readonly listing_id: number;
  readonly title: string | null;
  readonly url: string | null;
  readonly price: number | null;
  readonly currency: string | null;
}

/** Of the listings that were first read last, those whose image lies on disk. */
function readNewest(sql: Sql): Promise<Candidate[]> {
  return sql.all<Candidate>(
    `SELECT listing_id, title, url, price, currency FROM (
       SELECT l.listing_id, l.snapshot_timestamp AS at FROM listings AS l
       CROSS JOIN images AS i ON i.listing_id = l.listing_id AND i.state = 'done'
       ORDER BY l.snapshot_timestamp DESC, l.listing_id DESC LIMIT ${LOOKED_AT})
     JOIN (SELECT listing_id, price, currency FROM current_listings) USING (listing_id)
     JOIN listings USING (listing_id) ORDER BY at DESC, listing_id DESC`,
  );
}

export async function images({ sql, images: folder }: Source): Promise<Content> {
  const shown: Html[] = [];
  let room = ALL;
  for (const candidate of await readNewest(sql)) {
    if (shown.length === SHOWN) break;
    const file = await readJpeg(join(folder, `${candidate.listing_id}.jpg`), Math.min(ONE, room));
    if (!file) continue;
    room -= file.length;
    shown.push(card(candidate, file));
  }
  if (shown.length === 0)
    return { empty: 'No image of a listing lies on disk yet. The images stage of a run fills this.' };
  return {
    says: html`<p>
      ${plural(shown.length, 'image')}, of the listings that came in last. Each leads to its listing on Etsy.
    </p>`,
    shows: html`<ul class="sheet">
      ${shown}
    </ul>`,
  };
}

function card({ listing_id, title, url, price, currency }: Candidate, file: Buffer): Html {
  const name = clip(plainText(title?.trim() || `Listing ${listing_id}`), 140);
  const image = html`<img
      src="data:image/jpeg;base64,${new Html(file.toString('base64'))}"
      alt="${name}"
    />${price === null || currency === null ? undefined : html`<b>${money(price, currency)}</b>`}<span
      >${name}</span
    >`;
  const address = etsyAddress(url);
  return address === undefined
    ? html`<li>${image}</li> `
    : html`<li><a href="${address}" rel="noopener noreferrer">${image}</a></li> `;
}

const JPEG = Buffer.from([0xff, 0xd8, 0xff]);

/** Undefined: it is not there, cannot be read, is no JPEG, or larger than that. Only a plain file is opened. */
async function readJpeg(path: string, most: number): Promise<Buffer | undefined> {
  const bytes = await readRegular(path, 'refuse', most).then(
    (read) => read.bytes,
    () => undefined,
  );
  return bytes?.subarray(0, JPEG.length).equals(JPEG) ? bytes : undefined;
}
