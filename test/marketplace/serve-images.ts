import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { deliver, reset } from './deliver.ts';
import type { Fault, Trouble } from './faults.ts';
import { SLOTS } from './ids.ts';
import { drawingOf, pictures, serviceOf, type ImageService } from './images.ts';
import type { Gallery } from './pictures/gallery.ts';
import { numbered, type Parts } from './serve-api.ts';
import { HTML_PAGE, hugePicture } from './spoil.ts';
import { findShop, REMOVED, type World } from './world.ts';

export interface ImageParts extends Parts {
  gallery: Gallery;
  /** Answers what lies under /__control/; those requests are no part of the record. */
  control: (request: IncomingMessage, response: ServerResponse) => void;
}

const PATH = /^\/(\d+)\/r\/il\/([0-9a-f]{6})\/(\d+)\/il_570xN\.(\d+)_([0-9a-z]{4})\.jpg$/;

/** A 1x1 GIF, which the CDN sends under the name of a JPEG for what is no longer there. */
const PLACEHOLDER = Buffer.from('R0lGODlhAQABAIAAAP///wAAACH5BAAAAAAALAAAAAABAAEAAAICRAEAOw==', 'base64');

export function createImageServer(parts: ImageParts): Server {
  const connections = numbered();
  const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    const url = request.url ?? '/';
    if (url.startsWith('/__control/')) {
      parts.control(request, response);
      return;
    }
    const entry = parts.log.add('cdn', request.method ?? '', url, connections(request));
    const trouble = parts.faults.draw('cdn', url);
    void respond(parts, request, response, url, trouble).then((status) => {
      parts.log.settle(entry, status, trouble.fault);
    });
  });
  return server;
}

async function respond(
  { world, gallery }: ImageParts,
  request: IncomingMessage,
  response: ServerResponse,
  url: string,
  { fault, delayMs, dripMs, variant }: Trouble,
): Promise<number> {
  if (delayMs > 0) await sleep(delayMs, undefined, { ref: false });
  if (fault === 'reset') {
    reset(request);
    return 0;
  }
  const found = locate(world, url.split('?', 1)[0] ?? '');
  const service =
    (fault && SERVICE_OF[fault]) ?? (found ? serviceOf(world, found.listing, found.slot) : 'missing');
  const status = ERROR_STATUS[fault ?? 'drip'] ?? (service === 'missing' ? 404 : 200);
  const body = status === 200 && found ? await content(world, gallery, found, service) : HTML_PAGE;
  const html = status !== 200 || service === 'html';
  await deliver(response, {
    status,
    headers: { 'content-type': html ? 'text/html' : 'image/jpeg', 'cache-control': 'max-age=31536000' },
    body,
    truncated: service === 'truncated',
    dripMs: fault === 'drip' ? dripMs : 0,
    chunked: service === 'huge' && variant < 0.5,
  });
  return status;
}

const SERVICE_OF: Partial<Record<Fault, ImageService>> = {
  missing: 'missing',
  truncated: 'truncated',
  htmlPage: 'html',
  tooLarge: 'huge',
};
const ERROR_STATUS: Partial<Record<Fault, number>> = {
  error500: 500,
  error502: 502,
  error503: 503,
  limitSecond: 429,
  limitDay: 429,
};

interface Found {
  listing: number;
  slot: number;
  id: number;
}

/** The picture a path names: every part of it must be right, as each is part of the name of a file. */
function locate(world: World, path: string): Found | undefined {
  const [, shopId, hex, imageId, again, suffix] = PATH.exec(path) ?? [];
  if (imageId === undefined || imageId !== again) return undefined;
  const id = Number(imageId);
  const serial = world.ids.image.serialOf(id);
  const [listing, slot] = [Math.floor(serial / SLOTS), serial % SLOTS];
  if (serial < 0 || listing >= world.listings.shop.length) return undefined;
  const shop = world.listings.shop.get(listing);
  if (findShop(world, Number(shopId)) !== shop) return undefined;
  const shown = pictures(world, listing).find((picture) => picture.slot === slot);
  return shown && shown.hex === hex && shown.suffix === suffix ? { listing, slot, id } : undefined;
}

async function content(world: World, gallery: Gallery, found: Found, service: ImageService): Promise<Buffer> {
  // Of what was removed the CDN keeps a placeholder.
  const removed = world.listings.state.get(found.listing) === REMOVED;
  if (service === 'tiny' || removed) return PLACEHOLDER;
  if (service === 'html') return HTML_PAGE;
  const { kind, drawing } = drawingOf(world, found.listing, found.slot);
  const jpeg = labelled(await gallery.jpeg(kind, drawing), `image ${found.id}`);
  return service === 'huge' ? hugePicture(jpeg) : jpeg;
}

/** Adds a comment segment behind the JFIF header: the same drawing, but a file of its own. */
function labelled(jpeg: Buffer, comment: string): Buffer {
  const header = 4 + jpeg.readUInt16BE(4);
  const segment = Buffer.alloc(4 + comment.length);
  segment.writeUInt16BE(0xfffe, 0);
  segment.writeUInt16BE(2 + comment.length, 2);
  segment.write(comment, 4, 'latin1');
  return Buffer.concat([jpeg.subarray(0, header), segment, jpeg.subarray(header)]);
}
