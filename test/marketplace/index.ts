/** A marketplace to test against: its API and its image CDN on 127.0.0.1, over real HTTP. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { Server } from 'node:http';
import { Worker } from 'node:worker_threads';
import { BASE } from './api.ts';
import { advance } from './change.ts';
import { createControl } from './control.ts';
import { createFaults, type Faults } from './faults.ts';
import { createGallery } from './pictures/gallery.ts';
import type { ImageService } from './images.ts';
import { createLimits } from './limits.ts';
import { settle, type MarketplaceOptions } from './options.ts';
import { createRequestLog, type RequestRecord } from './requests.ts';
import * as edits from './edits.ts';
import { seedWorld } from './seed.ts';
import { ARRIVED, createApiServer, type Parts } from './serve-api.ts';
import { createImageServer } from './serve-images.ts';
import { truth, type Truth, type TruthListing } from './truth.ts';
import type { ListingState } from './world.ts';

export type { CategorySize, MarketplaceOptions } from './options.ts';
export type { Fault, Faults, FaultSet, ScriptedFault } from './faults.ts';
export type { ImageService } from './images.ts';
export type { RequestRecord } from './requests.ts';
export type { Truth, TruthImage, TruthListing, TruthShop } from './truth.ts';
export type { NewListing } from './edits.ts';

/** What can be done with a marketplace, here or in another process. */
export interface Controls {
  requests(): RequestRecord[];
  /** Resolves as soon as so many have arrived, of this kind and with this in their path where that is said. */
  arrived(count: number, kind?: RequestRecord['kind'], path?: string): Promise<void>;
  resetRequests(): void;
  /** API requests by endpoint, and those of the CDN. */
  counts(): Record<string, number>;
  /** The most API requests that arrived within any window of so many milliseconds, 1000 by default. */
  worstWindow(ms?: number): number;
  /** API requests a second from the first to the last. */
  meanRate(): number;
  advance(days: number): void;
  /** Replaces all faults; `{}` ends them. */
  setFaults(faults: Faults): void;
  truth(taxonomyIds: readonly number[]): Truth;
  /** One listing as it is now, whatever its state; null for an id that never was. */
  listing(id: number): TruthListing | null;
  /** Adds a listing and tells its id. */
  addListing(listing: edits.NewListing): number;
  setState(id: number, state: ListingState): void;
  removeListing(id: number): void;
  /** Makes the first picture of a listing serve so. */
  setImage(id: number, service: ImageService): void;
  /** Changes what a shop's prices are in. */
  setCurrency(shopId: number, code: string): void;
  /** The id of the shop with this index. */
  shopId(index: number): number;
  /** Epoch milliseconds on the marketplace's clock. */
  now(): number;
}

export interface Marketplace extends Controls {
  /** Such as http://127.0.0.1:41234/v3/application */
  apiUrl: string;
  /** Host and port of the CDN. */
  imageHost: string;
  controlUrl: string;
  key: string;
  close(): Promise<void>;
}

export async function startMarketplace(options: MarketplaceOptions = {}): Promise<Marketplace> {
  const settings = settle(options);
  const world = seedWorld(settings);
  const log = createRequestLog();
  const faults = createFaults(settings.seed, settings.faults);
  const gallery = createGallery();
  let imageHost = '';
  const controls: Controls = {
    requests: log.all,
    arrived: log.arrived,
    resetRequests: log.reset,
    counts: log.counts,
    worstWindow: log.worstWindow,
    meanRate: log.meanRate,
    advance: (days) => advance(world, days),
    setFaults: faults.set,
    truth: (ids) => truth(world, imageHost, ids),
    listing: (id) => edits.listing(world, imageHost, id),
    addListing: (listing) => edits.addListing(world, listing),
    setState: (id, state) => edits.setState(world, id, state),
    removeListing: (id) => edits.setState(world, id, 'removed'),
    setImage: (id, service) => edits.setImage(world, id, service),
    setCurrency: (shopId, code) => edits.setCurrency(world, shopId, code),
    shopId: world.ids.shop.idOf,
    now: world.clock.now,
  };
  const parts: Parts = { world, limits: createLimits(settings), faults, log, imageHost: () => imageHost };
  const api = createApiServer(parts);
  const images = createImageServer({ ...parts, gallery, control: createControl(controls) });
  const [door, imagePort] = await Promise.all([
    listen(api, 0).then((behind) => openDoor(settings.port, behind)),
    listen(images, settings.imagePort),
  ]);
  imageHost = `127.0.0.1:${imagePort}`;
  return {
    ...controls,
    apiUrl: `http://127.0.0.1:${door.port}${BASE}`,
    imageHost,
    controlUrl: `http://${imageHost}/__control`,
    key: settings.key,
    close: async () => {
      await Promise.all([door.close(), stop(api), stop(images), gallery.close()]);
    },
  };
}

/** @param port 0: any free one */
async function openDoor(port: number, behind: number): Promise<{ port: number; close(): Promise<unknown> }> {
  const door = new Worker(new URL('./door.mjs', import.meta.url), {
    workerData: { port, behind, arrived: ARRIVED },
    // Not the loader of this process.
    execArgv: [],
  });
  door.unref();
  const [address] = (await once(door, 'message')) as [AddressInfo];
  return { port: address.port, close: () => door.terminate() };
}

async function listen(server: Server, port: number): Promise<number> {
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

async function stop(server: Server): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  server.closeAllConnections();
  await closed;
}
