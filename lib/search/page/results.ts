import { html } from '../../report/html.ts';
import type { Html } from '../../report/html.ts';
import { countryName, whenMadeName } from '../../report/words.ts';
import { count, plural } from '../../text/format.ts';
import type { Answer } from '../engine.ts';
import type { Filters } from '../filters.ts';
import { addressOf, SORTS } from './address.ts';
import type { Request, Sort } from './address.ts';
import { cardsOf, grid } from './card.ts';
import type { Facet, Facets } from './facets.ts';
import { kept } from './shell.ts';

/** Listings on a page. */
export const PER_PAGE = 48;

export interface Wider {
  /** "Without the price limit" */
  readonly name: string;
  readonly found: number;
  readonly address: string;
}

export function resultsOf(answer: Answer, request: Request, facets: Facets, wider: Wider | undefined): Html {
  const { results, found, notes, spaces } = answer;
  const cards = cardsOf(results);
  return html`${strip(request, facets)} ${filterForm(request, facets)}
    <p class="says" role="status">
      ${found === 0 ? `Nothing found.${wider === undefined && request.words !== '' ? ' Try fewer words, or others.' : ''}` : html`<b>${found >= 480 ? `${count(found)} best` : count(found)}</b> ${found === 1 ? 'result' : 'results'}${spaces.length > 1 ? `, from ${spaces.join(', ')}` : ''}`}
      ${wider === undefined ? '' : html` <a href="${wider.address}">${wider.name}: ${count(wider.found)}</a>`}
    </p>
    ${notes.map((note) => html`<p class="note">${note}</p>`)}
    ${spaces.includes('baseline') ? html`<p class="note">Trial model: compares colours and outlines only.</p>` : ''}
    ${cards.some(({ all }) => all.some(({ listing }) => listing.hasCutout)) ? html`<p class="toggle"><button type="button" id="cutouts" aria-pressed="false" hidden>Show cutouts</button></p>` : ''}
    ${grid(cards, request)} ${pages(request, found)}`;
}

/** What is asked, as chips that can be taken away or turned round. */
function strip(request: Request, facets: Facets): Html {
  const { words, like, less, pictures } = request;
  const chip = (content: Html | string, without: Partial<Request>, what: string): Html =>
    html`<li class="chip">
      ${content} <a href="${addressOf(request, { page: 1, ...without })}" aria-label="Remove ${what}">×</a>
    </li>`;
  const small = (id: number): Html => html`<img src="/small/images/${id}" alt="listing ${id}" />`;
  const chips = [
    ...(words === '' ? [] : [chip(`“${words}”`, { words: '' }, 'the words')]),
    ...pictures.map((name) =>
      chip(
        html`<img src="/picture/${name}" alt="your picture" />`,
        { pictures: pictures.filter((one) => one !== name) },
        'your picture',
      ),
    ),
    ...like.map((id) =>
      chip(
        html`like ${small(id)}
          <a
            href="${addressOf(request, { like: like.filter((one) => one !== id), less: [...less, id], page: 1 })}"
            >turn to less</a
          >`,
        { like: like.filter((one) => one !== id) },
        `listing ${id}`,
      ),
    ),
    ...less.map((id) =>
      chip(html`less like ${small(id)}`, { less: less.filter((one) => one !== id) }, `listing ${id}`),
    ),
    ...filterChips(request.filters, facets).map(({ name, without }) =>
      chip(name, { filters: without }, `the filter ${name}`),
    ),
  ];
  return chips.length === 0
    ? html``
    : html`<ul class="strip">
        ${chips}
      </ul>`;
}

export interface FilterChip {
  readonly name: string;
  readonly without: Filters;
}

/** Each filter that is set, and the filters without it. */
export function filterChips(filters: Filters, facets: Facets): FilterChip[] {
  const { category, from, to, currency, country, made, onSale, ...rest } = filters;
  const named = (choices: readonly Facet[], value: string): string =>
    choices.find((one) => one.value === value)?.name ?? value;
  const price = [
    from === undefined ? '' : `from ${from}`,
    to === undefined ? '' : `up to ${to}`,
    currency ?? '',
  ];
  const all = { category, from, to, currency, country, made, onSale };
  const without = (...names: (keyof typeof all)[]): Filters =>
    Object.fromEntries(
      Object.entries({ ...rest, ...all }).filter(
        ([name, value]) => value !== undefined && !names.includes(name as keyof typeof all),
      ),
    );
  const isPriced = from !== undefined || to !== undefined || currency !== undefined;
  return [
    ...(category === undefined
      ? []
      : [{ name: named(facets.categories, String(category)), without: without('category') }]),
    ...(isPriced ? [{ name: price.join(' ').trim(), without: without('from', 'to', 'currency') }] : []),
    ...(country === undefined ? [] : [{ name: countryName(country), without: without('country') }]),
    ...(made === undefined ? [] : [{ name: whenMadeName(made), without: without('made') }]),
    ...(onSale === undefined ? [] : [{ name: onSale ? 'on sale' : 'gone', without: without('onSale') }]),
  ];
}

function filterForm(request: Request, facets: Facets): Html {
  const { filters, words } = request;
  const choice = (
    name: string,
    label: string,
    chosen: string | undefined,
    choices: readonly { value: string; name: string }[],
  ): Html =>
    html`<label
      >${label}<select name="${name}">
        <option value="">any</option>
        ${choices.map(
          ({ value, name: shown }) =>
            html`<option value="${value}" ${value === chosen ? html` selected` : ''}>${shown}</option>`,
        )}
      </select></label
    >`;
  const counted = (
    facet: readonly Facet[],
    name: (value: Facet) => string,
  ): { value: string; name: string }[] =>
    facet.map((one) => ({ value: one.value, name: `${name(one)} (${count(one.n)})` }));
  const names = ['category', 'from', 'to', 'currency', 'country', 'made', 'state', 'sort'];
  const state = filters.onSale === undefined ? undefined : filters.onSale ? 'sale' : 'gone';
  return html`<details class="filters" ${Object.keys(filters).length > 0 ? html` open` : ''}>
    <summary>Filters and order</summary>
    <form action="/search">
      <input type="hidden" name="q" value="${words}" />${kept(request, names)}
      ${choice(
        'category',
        'Category',
        filters.category === undefined ? undefined : String(filters.category),
        counted(facets.categories, ({ name }) => name),
      )}
      <label
        >Price from<input
          name="from"
          inputmode="decimal"
          pattern="\\d+(\\.\\d{1,2})?"
          value="${filters.from ?? ''}"
      /></label>
      <label
        >to<input name="to" inputmode="decimal" pattern="\\d+(\\.\\d{1,2})?" value="${filters.to ?? ''}"
      /></label>
      ${choice(
        'currency',
        'Currency',
        filters.currency,
        facets.currencies.map((value) => ({ value, name: value })),
      )}
      ${choice(
        'country',
        'Country',
        filters.country,
        counted(facets.countries, ({ value }) => countryName(value)),
      )}
      ${choice(
        'made',
        'Made',
        filters.made,
        counted(facets.made, ({ value }) => whenMadeName(value)),
      )}
      ${choice('state', 'State', state, [
        { value: 'sale', name: 'on sale' },
        { value: 'gone', name: 'gone or sold' },
      ])}
      <label
        >Order<select name="sort">
          ${(Object.keys(SORTS) as Sort[]).map(
            (sort) =>
              html`<option value="${sort}" ${sort === request.sort ? html` selected` : ''}>
                ${SORTS[sort]}
              </option>`,
          )}
        </select></label
      >
      <button>Apply</button>
    </form>
  </details>`;
}

function pages(request: Request, found: number): Html {
  const last = Math.ceil(found / PER_PAGE);
  if (last <= 1) return html``;
  const { page } = request;
  return html`<nav class="pages" aria-label="Pages">
    ${page > 1 ? html`<a rel="prev" href="${addressOf(request, { page: page - 1 })}">Previous</a>` : ''}
    <span>Page ${page} of ${last}</span>
    ${page < last ? html`<a rel="next" href="${addressOf(request, { page: page + 1 })}">Next</a>` : ''}
  </nav>`;
}

export function startOf(answer: Answer, request: Request, facets: Facets): Html {
  if (facets.listings === 0)
    return html`<p class="empty">No listings yet. Run <code>sync-data</code>, then reload.</p>`;
  return html`<h1>Find furniture that looks alike</h1>
    <p class="lead">
      Type words, drop a picture anywhere, or pick a piece below. ${plural(facets.listings, 'listing')}, gone
      ones included.
    </p>
    ${facets.words.length === 0 ? '' : html`<p class="try">Try ${facets.words.map((words) => html`<a href="${addressOf(request, { words })}">${words}</a> `)}</p>`}
    <h2>Newest</h2>
    ${grid(cardsOf(answer.results), request)}`;
}
