import type { Finding } from './finding.ts';
import { html, Html } from './html.ts';
import { STYLE } from './style.ts';
import type { Content } from './subject.ts';
import { longDay, moment, timeOfDay } from './words.ts';

export interface Part {
  readonly id: string;
  readonly title: string;
  /** Folded, at the end. */
  readonly isQuality: boolean;
  readonly content: Content;
}

export interface Page {
  /** The pipeline's. */
  readonly name: string;
  /** Epoch ms. */
  readonly now: number;
  /** What it was written from, and by which version. */
  readonly database: string;
  readonly version: string;
  /** What stands above all else. */
  readonly finding: Finding;
  readonly headline: Html;
  /** How new the data is: first in the part on quality. */
  readonly recency: Html;
  readonly parts: readonly Part[];
}

const NOTICE =
  "The term 'Etsy' is a trademark of Etsy, Inc. This application uses the Etsy API but is not endorsed or certified by Etsy, Inc.";

/** Nothing is loaded from anywhere, and nothing runs. */
const POLICY =
  "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/** Parts whose tables or images need the whole width. */
const WIDE = new Set(['runs', 'images', 'movers', 'doubles', 'cutouts']);

/** The whole document. */
export function page({ name, now, database, version, finding, headline, recency, parts }: Page): string {
  const shown = parts.filter(({ isQuality, content }) => !isQuality && !('empty' in content));
  const later = parts.filter(({ isQuality, content }) => !isQuality && 'empty' in content);
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta http-equiv="Content-Security-Policy" content="${POLICY}" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta name="referrer" content="no-referrer" />
        <title>${name}: the dataset on ${longDay(now)}</title>
        <link rel="icon" href="data:," />
        <style>
          ${new Html(STYLE)}
        </style>
      </head>
      <body>
        <a class="skip" href="#${shown[0]?.id ?? 'quality'}">Skip to the figures</a>
        <div class="page">
          <header>
            <h1>${finding.text}</h1>
            <p>What ${name} has collected, as of ${longDay(now)}, ${timeOfDay(now)} UTC. ${finding.note}</p>
            ${headline}
            <nav aria-label="Parts of this report">
              <ul>
                ${shown.map(({ id, title }) => html`<li><a href="#${id}">${title}</a></li> `)}
                <li><a href="#quality">Data quality</a></li>
              </ul>
            </nav>
          </header>
          <main>
            ${shown.map(section)} ${later.length === 0 ? undefined : toCome(later)}
            <details class="quality" id="quality">
              <summary>
                Data quality: how fresh and complete the data is, runs, findings, records set aside
              </summary>
              ${recency} ${parts.filter(({ isQuality }) => isQuality).map(section)}
            </details>
          </main>
          <footer>
            <p>Written ${moment(now)} UTC by sync-data ${version}, from ${database}. All times are UTC.</p>
            <p>${NOTICE}</p>
          </footer>
        </div>
      </body>
    </html> `.text;
}

/** What later runs fill, said once and short. */
function toCome(parts: readonly Part[]): Html {
  return html`<div class="later" id="later">
    <h2>Still to come</h2>
    <div class="each">
      ${parts.map(
        ({ id, title, content }) =>
          html`<section id="${id}" aria-labelledby="${id}-title">
            <h3 id="${id}-title">${title}</h3>
            <p class="empty">${'empty' in content ? content.empty : undefined}</p>
          </section> `,
      )}
    </div>
  </div>`;
}

function section({ id, title, content }: Part): Html {
  const layout = WIDE.has(id) || 'empty' in content ? undefined : html` class="split"`;
  return html`<section id="${id}" aria-labelledby="${id}-title" ${layout}>
    <div class="says">
      <h2 id="${id}-title">${title}</h2>
      ${'empty' in content ? html`<p class="empty">${content.empty}</p>` : content.says}
    </div>
    ${
      'empty' in content
        ? undefined
        : html`<div class="shows">${content.shows}</div>
            ${content.below && html`<div class="below">${content.below}</div>`}`
    }
  </section> `;
}
