import { html } from '../../report/html.ts';
import type { Html } from '../../report/html.ts';
import { plural } from '../../text/format.ts';
import type { Facets } from './facets.ts';
import { addressOf } from './address.ts';
import type { Request } from './address.ts';

export interface Shell {
  readonly title: string;
  readonly facets: Facets;
  readonly request: Request;
  /** A run is under way: results may change while they are looked at. */
  readonly isSyncing: boolean;
  /** Pictures can be searched with; undefined: they can, otherwise why not. */
  readonly noPictures: string | undefined;
  readonly main: Html;
}

export const NO_REQUEST: Request = {
  words: '',
  like: [],
  less: [],
  pictures: [],
  filters: {},
  sort: 'best',
  page: 1,
};

/** Every page: the box at the top, what it holds below, and who can see it. */
export function page({ title, facets, request, isSyncing, noPictures, main }: Shell): string {
  const { words } = request;
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${title}</title>
        <link rel="stylesheet" href="/style.css" />
        <script type="module" src="/page.js"></script>
      </head>
      <body>
        <a class="skip" href="#main">Skip to the results</a>
        <header class="bar">
          <a class="brand" href="/">sync-data</a>
          <form class="box" action="/search" role="search">
            <label class="off" for="q">Search the listings</label>
            <input
              id="q"
              name="q"
              type="search"
              value="${words}"
              placeholder="oak side table"
              maxlength="300"
              autocomplete="off"
              enterkeyhint="search"
            />
            ${kept(request)}<button>Search</button>
          </form>
          ${
            noPictures === undefined
              ? upload(request)
              : html`<details class="picture">
                  <summary>Picture</summary>
                  <p>${noPictures}</p>
                </details>`
          }
          <p class="size" aria-live="polite">
            ${isSyncing ? html`<span class="dot" title="syncing; results may change"></span><span class="off">A run is under way; results may change. </span>` : ''}${plural(facets.listings, 'listing')}
          </p>
        </header>
        <main id="main">${main}</main>
        <footer>
          <p>Only this computer can open this page. Pictures you drop are not stored or sent.</p>
          <p>
            The term 'Etsy' is a trademark of Etsy, Inc. This application uses the Etsy API but is not
            endorsed or certified by Etsy, Inc.
          </p>
        </footer>
        <dialog id="keys">
          <h2>Keys</h2>
          <dl>
            <div>
              <dt>/</dt>
              <dd>to the box</dd>
            </div>
            <div>
              <dt>arrows</dt>
              <dd>through the pictures</dd>
            </div>
            <div>
              <dt>Enter</dt>
              <dd>open</dd>
            </div>
            <div>
              <dt>m</dt>
              <dd>more like this</dd>
            </div>
            <div>
              <dt>c</dt>
              <dd>photo or cutout</dd>
            </div>
            <div>
              <dt>o</dt>
              <dd>open on Etsy</dd>
            </div>
            <div>
              <dt>Ctrl-V</dt>
              <dd>search with a picture</dd>
            </div>
            <div>
              <dt>Esc</dt>
              <dd>back</dd>
            </div>
          </dl>
          <form method="dialog"><button>Close</button></form>
        </dialog>
      </body>
    </html> `.text;
}

/** What a new search for words keeps: pictures and filters. */
export function kept(request: Request, without: readonly string[] = []): Html[] {
  const [, query = ''] = addressOf(request).split('?');
  return [...new URLSearchParams(query)]
    .filter(([name]) => name !== 'q' && name !== 'page' && !without.includes(name))
    .map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}" />`);
}

function upload(request: Request): Html {
  return html`<form class="picture" action="/picture" method="post" enctype="multipart/form-data">
    <input type="hidden" name="back" value="${addressOf(request)}" />
    <label for="file">＋ Picture</label>
    <input id="file" name="picture" type="file" accept="image/jpeg,image/png,image/webp" required />
    <button class="go">Search with it</button>
  </form>`;
}
