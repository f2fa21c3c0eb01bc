import { mkdtemp } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { existsSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';
import type { Browser } from 'playwright-core';
import { browser as browserHere } from './browser.ts';

// Opens a report in the Chromium of this machine, as wide as a screen and as a phone, in light and in dark, and looks
// for what a reader would stumble over. Saves what it saw into a folder of its own.

const USAGE = 'npm run look -- path/to/report.html (npm run demo writes demo/report.html)';
const WIDTHS = [1280, 390];
const SCHEMES = ['light', 'dark'] as const;
const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

/** What axe-core tells of one rule. */
interface Violation {
  readonly id: string;
  readonly impact: string | null;
  readonly help: string;
  readonly nodes: readonly { readonly html: string; readonly failureSummary?: string }[];
}

const file = resolve(process.argv[2] ?? 'demo/report.html');
const executablePath = browserHere();
if (!existsSync(file) || executablePath === undefined) {
  console.error(existsSync(file) ? 'There is no chromium in the PATH.' : `There is no ${file}.\n${USAGE}`);
  process.exit(2);
}

const folder = await mkdtemp(join(tmpdir(), 'sync-data-look-'));
const browser = await chromium.launch({
  executablePath,
  args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
});
let problems = 0;
try {
  for (const width of WIDTHS) {
    for (const scheme of SCHEMES) {
      const found = await look(browser, width, scheme);
      problems += found.length;
      console.log(`${width} px, ${scheme}: ${found.length === 0 ? 'nothing wrong' : ''}`);
      for (const problem of found) console.log(`  ${problem}`);
    }
  }
} finally {
  await browser.close();
}
console.log(`What it looked like: ${folder}`);
process.exitCode = problems === 0 ? 0 : 1;

async function look(on: Browser, width: number, colorScheme: (typeof SCHEMES)[number]): Promise<string[]> {
  // The page forbids scripts, axe-core's too: that one law is lifted for it.
  const context = await on.newContext({ viewport: { width, height: 900 }, colorScheme, bypassCSP: true });
  try {
    const page = await context.newPage();
    const problems: string[] = [];
    const address = pathToFileURL(file).href;
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) problems.push(`console: ${message.text()}`);
    });
    page.on('pageerror', (error) => problems.push(`error: ${error.message}`));
    page.on('request', (request) => {
      if (request.url() !== address && !request.url().startsWith('data:'))
        problems.push(`request: ${request.url()}`);
    });
    await page.goto(address);
    await page.screenshot({ path: join(folder, `${width}-${colorScheme}.png`), fullPage: true });
    // With all the figures shown there is the most to stumble over.
    await page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true");
    problems.push(...(await checks(page)));
    await page.screenshot({ path: join(folder, `${width}-${colorScheme}-figures.png`), fullPage: true });
    return problems;
  } finally {
    await context.close();
  }

  async function checks(
    page: Awaited<ReturnType<Awaited<ReturnType<Browser['newContext']>>['newPage']>>,
  ): Promise<string[]> {
    const [inner, scroll] = await page.evaluate<[number, number]>(
      '[document.documentElement.clientWidth, document.documentElement.scrollWidth]',
    );
    const wide = scroll > inner ? [`overflow: ${scroll} px wide`] : [];
    const broken = await page.evaluate<number>(
      '[...document.images].filter((image) => image.naturalWidth === 0).length',
    );
    await page.addScriptTag({ path: AXE });
    // What passes is nobody's business, and takes as long to be told as the rest to be found.
    const { violations } = await page.evaluate<{ violations: Violation[] }>(
      "axe.run({ resultTypes: ['violations'] })",
    );
    const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
    return [
      ...wide,
      ...(broken > 0 ? [`${broken} images cannot be seen`] : []),
      ...serious.map(
        ({ id, help, nodes }) =>
          `${id}: ${help}, ${nodes.length} times: ${nodes[0]?.html.slice(0, 200)} ${nodes[0]?.failureSummary ?? ''}`,
      ),
    ];
  }
}
