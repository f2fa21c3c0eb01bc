/** The page's own, and the drawings' in it. All colours are here, once for light and once for dark. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --paper: #fbfaf7; --sheet: #ffffff; --ink: #23211d; --soft-ink: #625d54; --line: #e4dfd5; --track: #eeeae2;
  --main: #1c6b63; --main-soft: #8fc0b8; --quiet: #a39b8c; --alert: #b4491f; --link: #14564f;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #171614; --sheet: #1f1d1a; --ink: #ece8e0; --soft-ink: #aaa397; --line: #36332d; --track: #2a2824;
    --main: #57b8aa; --main-soft: #2f6f66; --quiet: #7d7668; --alert: #e5875c; --link: #7fd0c4;
  }
}
@media print {
  :root {
    --paper: #fff; --sheet: #fff; --ink: #000; --soft-ink: #444; --line: #ccc; --track: #eee;
    --main: #1c6b63; --main-soft: #8fc0b8; --quiet: #a39b8c; --alert: #b4491f; --link: #000;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; scroll-behavior: smooth; }
@media (prefers-reduced-motion: reduce) { html { scroll-behavior: auto; } }
body {
  margin: 0; background: var(--paper); color: var(--ink);
  font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
  font-variant-numeric: tabular-nums;
}
.page { max-width: 70rem; margin: 0 auto; padding: 0 clamp(1rem, 4vw, 2.5rem); }
a { color: var(--link); text-underline-offset: .15em; }
:focus-visible { outline: 3px solid var(--main); outline-offset: 2px; border-radius: 2px; }
.skip { position: absolute; left: -999rem; }
.skip:focus { left: 1rem; top: 1rem; padding: .5rem 1rem; background: var(--sheet); z-index: 1; }
h1, h2, h3 { line-height: 1.2; margin: 0; font-weight: 650; letter-spacing: -.011em; }
h1 { font-size: clamp(1.75rem, 5vw, 2.5rem); }
h2 { font-size: 1.375rem; }
h3 { font-size: .875rem; color: var(--soft-ink); letter-spacing: 0; margin: 1.25rem 0 0; }
h3:first-child { margin-top: 0; }
h3 b { color: var(--ink); margin-left: .4em; }
h3 small { font-weight: 400; margin-left: .4em; }
figure h3 + .chart { margin-top: .5rem; }
figure + figure, figure + h3, .sheet + h3, .sheet + figure { margin-top: 2.25rem; }
p { margin: .75rem 0 0; }
b { font-weight: 650; }
header { padding: clamp(2rem, 6vw, 4rem) 0 0; }
header > p { color: var(--soft-ink); }
.tiles {
  display: grid; grid-template-columns: repeat(2, 1fr); gap: 1px; margin: 2rem 0 0;
  background: var(--line); border: 1px solid var(--line); border-radius: 8px; overflow: hidden;
}
@media (min-width: 48rem) { header .tiles { grid-template-columns: repeat(4, 1fr); } .quality .tiles { grid-template-columns: repeat(2, 1fr); max-width: 36rem; } }
.tiles > div { background: var(--sheet); padding: 1rem 1.125rem 1.125rem; }
dt { font-size: .8125rem; color: var(--soft-ink); }
dd { margin: 0; font-size: .8125rem; color: var(--soft-ink); line-height: 1.4; }
dd.value { font-size: clamp(1.375rem, 4vw, 1.75rem); line-height: 1.3; color: var(--ink); font-weight: 650; letter-spacing: -.02em; }
.note { border-left: 3px solid var(--alert); padding-left: .75rem; }
nav ul { list-style: none; margin: 1.5rem 0 0; padding: 0; display: flex; flex-wrap: wrap; gap: .125rem 1.25rem; font-size: .875rem; }
nav a { display: inline-block; padding: .3rem 0; text-decoration: none; }
nav a:hover { text-decoration: underline; }
section { padding: 2.5rem 0; border-top: 1px solid var(--line); margin-top: 2.5rem; scroll-margin-top: 0; }
section + section { margin-top: 0; }
.says { max-width: 38rem; }
.says p { color: var(--soft-ink); }
.says b { color: var(--ink); }
.shows { margin-top: 1.5rem; min-width: 0; }
@media (min-width: 60rem) {
  section.split { display: grid; grid-template-columns: 17rem minmax(0, 1fr); column-gap: 4rem; }
  section.split .shows { margin-top: .25rem; }
}
.empty { color: var(--soft-ink); }
figure { margin: 0; }
.chart { container-type: inline-size; }
.chart svg { display: block; width: 100%; height: auto; overflow: visible; font: inherit; font-size: 13px; }
.chart .narrow { max-width: 28rem; }
.chart .wide { display: none; max-width: 48rem; }
@container (min-width: 36rem) { .chart .narrow { display: none; } .chart .wide { display: block; } }
.legend .main { background: var(--main); }
.legend .quiet { background: var(--quiet); }
.legend .alert { background: var(--alert); }
.legend .soft { background: var(--main-soft); }
.legend { list-style: none; display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; margin: 1rem 0 0; padding: 0; font-size: .8125rem; color: var(--soft-ink); }
.legend i { display: inline-block; width: .75rem; height: .75rem; border-radius: 2px; margin-right: .45rem; vertical-align: -.08em; }
.legend .whisker { background: var(--quiet); height: 2px; vertical-align: .25em; }
.legend .dot { background: var(--quiet); border-radius: 50%; width: .5rem; height: .5rem; vertical-align: .05em; }
.legend .median { background: var(--main); width: 3px; }
details { margin-top: 1rem; font-size: .9375rem; }
summary { cursor: pointer; color: var(--link); width: fit-content; padding: .25rem 0; }
.scroll { overflow-x: auto; margin-top: .5rem; }
.scroll + .scroll { margin-top: 1.75rem; }
table { border-collapse: collapse; width: 100%; font-size: .875rem; line-height: 1.4; }
caption { text-align: left; color: var(--soft-ink); padding: 0 0 .5rem; }
th, td { padding: .45rem .75rem; text-align: left; vertical-align: top; border-top: 1px solid var(--line); font-weight: 400; }
th:first-child, td:first-child { padding-left: 0; }
th:last-child, td:last-child { padding-right: 0; }
thead th { border-top: 0; color: var(--soft-ink); white-space: nowrap; }
.figure { text-align: right; }
.figure, .short { white-space: nowrap; }
tr > :first-child { position: sticky; left: 0; background: var(--paper); }
@media (max-width: 40rem) { th, td { padding-inline: .5rem; } }
small { font-size: .8125rem; color: var(--soft-ink); }
.sheet { list-style: none; margin: 0; padding: 0; display: grid; gap: 1.25rem 1rem; grid-template-columns: repeat(auto-fill, minmax(min(9.5rem, 27vw), 1fr)); }
.sheet li { min-width: 0; }
.sheet b { display: block; margin-top: .4rem; font-size: .875rem; }
.quality { border-top: 1px solid var(--line); padding: 1.5rem 0; }
.quality > summary { font-size: 1.125rem; }
@media (max-width: 40rem) {
  .sheet { grid-template-columns: repeat(2, minmax(0, 1fr)); }
  #runs :is(th, td):is(:nth-child(2), :nth-child(4), :nth-child(6), :nth-child(7), :nth-child(n + 9)) { display: none; }
}
.sheet small { font-weight: 400; margin-left: .25em; }
.sheet .said { display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 2; overflow: hidden; margin-top: .25rem; font-size: .8125rem; line-height: 1.35; color: var(--soft-ink); overflow-wrap: anywhere; }
.sheet .no-picture { display: block; aspect-ratio: 1; border-radius: 6px; background: var(--track); }
.sheet .spark { display: block; width: 100%; height: auto; margin-top: .4rem; overflow: visible; }
.sheet .two { display: grid; grid-template-columns: 1fr 1fr; gap: 2px; }
.row { margin-top: .75rem; }
@media (min-width: 40rem) { .row { grid-template-columns: repeat(5, minmax(0, 1fr)); } .cut { grid-template-columns: repeat(6, minmax(0, 1fr)); } }
.cut img { object-fit: contain; padding: .5rem; }
section.split .below { grid-column: 1 / -1; margin-top: 2.25rem; }
.later { border-top: 1px solid var(--line); padding: 2.5rem 0; }
.later .each { display: grid; gap: 1.5rem 2.5rem; margin-top: 1.25rem; grid-template-columns: repeat(auto-fill, minmax(min(100%, 17rem), 1fr)); }
.later section { border: 0; padding: 0; margin: 0; }
.later h3 { margin: 0; }
.later .empty { margin-top: .25rem; font-size: .9375rem; }
.pair > figure { margin-top: 0; }
.pair { display: grid; gap: 2rem; }
@media (min-width: 48rem) { .pair { grid-template-columns: 1fr 1fr; } }
.facts { list-style: none; margin: .5rem 0 0; padding: 0; display: grid; gap: .25rem 2rem; grid-template-columns: repeat(auto-fill, minmax(15rem, 1fr)); color: var(--soft-ink); font-size: .9375rem; }
.facts b { color: var(--ink); }
.axis { font-size: .8125rem; color: var(--soft-ink); margin: 0; }
.sheet a { color: inherit; text-decoration: none; display: block; }
.sheet a:hover .said { text-decoration: underline; }
.sheet img { display: block; width: 100%; aspect-ratio: 1; object-fit: cover; border-radius: 6px; background: var(--track); }
footer { border-top: 1px solid var(--line); padding: 1.5rem 0 3rem; font-size: .8125rem; color: var(--soft-ink); }
@media print {
  body { font-size: 10pt; }
  nav, .skip, details:not([open]) { display: none; }
  section { padding: 1.25rem 0; break-inside: avoid-page; }
  figure, .tiles, tr, .sheet li { break-inside: avoid; }
  .chart .wide { display: block; }
  .chart .narrow { display: none; }
  .sheet { grid-template-columns: repeat(6, 1fr); }
  .scroll { overflow: visible; }
}
`;
