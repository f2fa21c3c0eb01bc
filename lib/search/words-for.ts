import { money as amountOf } from '../report/words.ts';
import { oneLine } from '../text/clean.ts';
import type { Listing } from './found.ts';

/** "$1,250"; nothing where no price was ever read. */
export function money(price: number | null, currency: string | null): string {
  return price === null ? '' : amountOf(price, currency ?? '');
}

const STATES: Readonly<Record<string, string>> = { active: 'on sale', removed: 'gone', sold_out: 'sold out' };

/** "on sale", "gone", or Etsy's own word. */
export function stateOf({ state }: Pick<Listing, 'state'>): string {
  if (state === null) return 'unknown';
  return STATES[state] ?? oneLine(state).replaceAll('_', ' ');
}

/** The address, if it is one of Etsy's own pages: nothing else becomes a link. */
export function etsyUrl(url: string | null): string | undefined {
  if (url === null || !URL.canParse(url)) return undefined;
  const { protocol, hostname, username, password, href, port } = new URL(url);
  const isEtsy = hostname === 'etsy.com' || hostname.endsWith('.etsy.com');
  return protocol === 'https:' && isEtsy && username === '' && password === '' && port === ''
    ? href
    : undefined;
}

/** A hyperlink for a terminal (OSC 8). */
export function link(url: string, text: string): string {
  return `\u001B]8;;${url}\u001B\\${text}\u001B]8;;\u001B\\`;
}
