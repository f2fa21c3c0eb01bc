/** Runs a marketplace as a process of its own: node --import tsx test/marketplace/serve.ts '{"seed":1}' */
import { startMarketplace, type MarketplaceOptions } from './index.ts';

const options = JSON.parse(process.argv[2] ?? '{}') as MarketplaceOptions;
const { apiUrl, imageHost, controlUrl, key, close } = await startMarketplace(options);

function end(): void {
  void close().then(() => process.exit(0));
}

process.on('SIGTERM', end);
process.on('SIGINT', end);
// Started by a test that has ended without saying so.
process.on('disconnect', end);
console.log(JSON.stringify({ apiUrl, imageHost, controlUrl, key }));
