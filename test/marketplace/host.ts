/** Marketplaces one after the other, each when the parent asks for it: a process takes longer to start than they do. */
import { startMarketplace, type Marketplace, type MarketplaceOptions } from './index.ts';

/** What the parent says: open one, or close the one that is open. */
export type Asked = { readonly open: MarketplaceOptions } | { readonly close: true };
export type Address = Pick<Marketplace, 'apiUrl' | 'imageHost' | 'controlUrl' | 'key'>;
/** What it is answered. */
export type Answered = { readonly opened: Address } | { readonly closed: true } | { readonly failed: string };

let market: Marketplace | undefined;

async function answer(asked: Asked): Promise<Answered> {
  try {
    await market?.close();
    market = undefined;
    if ('close' in asked) return { closed: true };
    market = await startMarketplace(asked.open);
    const { apiUrl, imageHost, controlUrl, key } = market;
    return { opened: { apiUrl, imageHost, controlUrl, key } };
  } catch (error) {
    return { failed: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}

process.on('message', (asked: Asked) => void answer(asked).then((answered) => process.send?.(answered)));
// Ctrl-C reaches all of a terminal's processes; the parent says when it is over.
process.on('SIGINT', () => undefined);
// The parent has ended, however it did.
process.on('disconnect', () => process.exit(0));
