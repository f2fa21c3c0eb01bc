import { Hono } from 'hono';
import type { Context } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { MOST_PICTURE_BYTES } from '../../limits.ts';
import type { Pipeline } from '../../pipeline/config.ts';
import { holderOf } from '../../store/lock.ts';
import { html } from '../../report/html.ts';
import type { Html } from '../../report/html.ts';
import { isPicture } from '../asked.ts';
import type { Picture } from '../asked.ts';
import type { Answer, Search } from '../engine.ts';
import { listingsOf } from '../found.ts';
import { addressOf, requestOf, whole } from './address.ts';
import type { Request } from './address.ts';
import { readFacets } from './facets.ts';
import { Pictures } from './files.ts';
import type { Served } from './files.ts';
import type { Guard } from './guard.ts';
import { listingPage, storyOf } from './listing.ts';
import { filterChips, PER_PAGE, resultsOf, startOf } from './results.ts';
import type { Wider } from './results.ts';
import { NO_REQUEST, page } from './shell.ts';
import { Uploads } from './uploads.ts';

export interface AppOptions {
  readonly engine: Search;
  readonly pipeline: Pipeline;
  readonly guard: Guard;
  readonly assets: { readonly 'style.css': string; readonly 'page.js': string };
  /** Ends what serves the pages. */
  readonly signal: AbortSignal;
}

const NEWEST = 24;
const ALIKE = 12;
/** A form around a picture. Bytes. */
const MOST_UPLOAD = MOST_PICTURE_BYTES + 64 * 1024;
/** Of one search. Milliseconds. */
const PATIENCE = 20_000;

/** Every page and picture by its address. GET changes nothing but what is kept in memory for speed. */
export async function searchPages({ engine, pipeline, guard, assets, signal }: AppOptions): Promise<Hono> {
  const { sql, path } = engine;
  const { images, cutouts } = pipeline.data;
  const facets = await readFacets(sql);
  const pictures = new Pictures({ images, cutouts });
  signal.addEventListener('abort', () => pictures.close(), { once: true });
  const uploads = new Uploads();
  let isUploading = false;
  const app = new Hono();
  app.use(guard.check);

  const shell = async (title: string, request: Request, main: Html): Promise<string> =>
    page({
      title: `${title} · sync-data`,
      facets,
      request,
      isSyncing: (await holderOf(path)) !== undefined,
      noPictures: await engine.whyNoPictures(),
      main,
    });

  const ask = (request: Request, limit: number): Promise<Answer> => {
    const shown = request.pictures.flatMap((name): Picture[] => {
      const picture = uploads.get(name);
      return picture ? [picture] : [];
    });
    return inTime(
      engine.ask({
        words: request.words,
        listings: request.like,
        lessLike: request.less,
        pictures: shown,
        filters: request.filters,
        sort: request.sort,
        offset: (request.page - 1) * PER_PAGE,
        limit,
      }),
    );
  };

  app.get('/', async (context) => {
    const answer = await ask(NO_REQUEST, NEWEST);
    return context.html(await shell('Search', NO_REQUEST, startOf(answer, NO_REQUEST, facets)));
  });

  app.get('/search', async (context) => {
    const request = requestOf(new URL(context.req.url).searchParams);
    const lost = request.pictures.filter((name) => !uploads.get(name));
    const answer = await ask(request, PER_PAGE);
    const wider = answer.found === 0 ? await widest(request) : undefined;
    const gone = lost.length > 0 ? ['A picture you dropped is no longer kept: drop it again.'] : [];
    const main = resultsOf({ ...answer, notes: [...gone, ...answer.notes] }, request, facets, wider);
    return context.html(await shell(request.words === '' ? 'Results' : request.words, request, main));
  });

  /** Which filter costs most: what there would be without it. */
  async function widest(request: Request): Promise<Wider | undefined> {
    const ways: Wider[] = [];
    for (const { name, without } of filterChips(request.filters, facets)) {
      const wide = { ...request, filters: without, page: 1 };
      const { found } = await ask(wide, 1);
      if (found > 0) ways.push({ name: `Without “${name}”`, found, address: addressOf(wide) });
    }
    return ways.toSorted((a, b) => b.found - a.found)[0];
  }

  app.get('/listing/:id', async (context) => {
    const [listing] = await listingsOf(sql, [whole(context.req.param('id')) ?? 0]);
    if (!listing) return context.html(await notFound(), 404);
    const story = await storyOf(sql, listing);
    const looks = await inTime(
      engine.ask({ words: '', listings: [listing.listing_id], pictures: [], limit: ALIKE }),
    );
    const same = await engine.samePicture(listing);
    const main = listingPage(story, { alike: looks.results, same });
    return context.html(await shell(listing.title ?? `Listing ${listing.listing_id}`, NO_REQUEST, main));
  });

  for (const kind of ['images', 'cutouts'] as const) {
    app.get(`/${kind}/:id`, async (context) =>
      send(context, await known(kind, context.req.param('id'), 'whole')),
    );
    app.get(`/small/${kind}/:id`, async (context) =>
      send(context, await known(kind, context.req.param('id'), 'small')),
    );
  }

  /** Only of a listing that is on record with such a picture. */
  async function known(
    kind: 'images' | 'cutouts',
    text: string,
    size: 'whole' | 'small',
  ): Promise<Served | undefined> {
    const id = whole(text);
    if (id === undefined) return undefined;
    const row = await sql.get(
      `SELECT 1 FROM ${kind} WHERE listing_id = (SELECT value FROM json_each(?)) AND state = 'done'`,
      [JSON.stringify([id])],
    );
    return row === undefined ? undefined : pictures[size](kind, id);
  }

  app.get('/picture/:name', (context) => {
    const picture = uploads.get(context.req.param('name'));
    return send(context, picture && { bytes: picture.bytes, type: typeOf(picture.bytes) });
  });

  app.post(
    '/picture',
    bodyLimit({ maxSize: MOST_UPLOAD, onError: (context) => context.text('A picture may have 10 MB.', 413) }),
    async (context) => {
      if (!/^multipart\/form-data;/i.test(context.req.header('content-type') ?? ''))
        return context.text('Send the picture as a form.', 415);
      // One at a time: each is held in memory.
      if (isUploading) return context.text('Another picture is coming in. Try again in a moment.', 429);
      isUploading = true;
      try {
        const form = await context.req.parseBody();
        const file = form['picture'];
        if (!(file instanceof File)) return context.text('There is no picture in the form.', 400);
        const bytes = new Uint8Array(await file.arrayBuffer());
        if (bytes.length > MOST_PICTURE_BYTES || !isPicture(bytes))
          return context.text('Not a JPEG, PNG or WebP picture of at most 10 MB.', 415);
        const back = typeof form['back'] === 'string' ? form['back'] : '/';
        const before = requestOf(new URL(back, 'http://127.0.0.1').searchParams);
        const name = uploads.add(bytes);
        return context.redirect(addressOf(before, { pictures: [...before.pictures, name], page: 1 }), 303);
      } finally {
        isUploading = false;
      }
    },
  );

  app.get('/style.css', (context) =>
    send(context, { bytes: Buffer.from(assets['style.css']), type: 'text/css' }),
  );
  app.get('/page.js', (context) =>
    send(context, { bytes: Buffer.from(assets['page.js']), type: 'text/javascript' }),
  );
  app.get('/favicon.ico', (context) => context.body(null, 204));

  const notFound = (): Promise<string> =>
    shell(
      'Not found',
      NO_REQUEST,
      html`<h1>Not found</h1>
        <p>There is no such page. <a href="/">Back to the start</a></p>`,
    );
  app.notFound(async (context) => context.html(await notFound(), 404));
  app.onError(async (_error, context) =>
    context.html(
      await shell(
        'Error',
        NO_REQUEST,
        html`<h1>That did not work</h1>
          <p>
            The search took too long, or the database could not be read. <a href="/">Try again</a>, with fewer
            filters perhaps.
          </p>`,
      ),
      500,
    ),
  );
  return app;
}

function send(context: Context, served: Served | undefined): Response {
  if (!served) return context.text('There is no such picture.', 404);
  // no-store is for pages: a picture of the dataset may be kept for as long as the page is open.
  return context.body(Buffer.from(served.bytes), 200, { 'content-type': served.type });
}

function typeOf(bytes: Uint8Array): string {
  if (bytes[0] === 0xff) return 'image/jpeg';
  return bytes[0] === 0x89 ? 'image/png' : 'image/webp';
}

async function inTime<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${PATIENCE} ms`)), PATIENCE);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
