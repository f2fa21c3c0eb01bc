import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { writeDemoPipeline } from '../demo-folder.ts';
import { spawnMarketplace } from '../marketplace/spawn.ts';
import { Screen } from './screen.ts';
import { svg } from './svg.ts';

// The pictures of the README: the real command at its real pace against the bundled marketplace, as a terminal shows it.
// screen.svg while it is at work, summary.svg at its end, status.svg of `sync-data status` after it.

const { values } = parseArgs({
  options: { columns: { type: 'string', default: '80' }, into: { type: 'string' } },
});
const COLUMNS = Number(values.columns);
const ROWS = 40;
/** How long the run has been under way when it is at its liveliest, by its own first line. */
const LIVELY = /run \d+ · 1[2-9] s/;
const LOOK_MS = 200;
const here = fileURLToPath(new URL('.', import.meta.url));
const into = values.into ?? here;
const command = fileURLToPath(new URL('../../lib/sync-data.js', import.meta.url));

const folder = await mkdtemp(join(tmpdir(), 'sync-data-capture-'));
const market = await spawnMarketplace({
  seed: 20,
  categories: { 12470: { listings: 2400 }, 976: { listings: 4300 } },
  shops: 260,
});

/** @param at for a look before its end: once the screen says so */
async function capture(
  args: readonly string[],
  at?: RegExp,
): Promise<{ readonly early: string; readonly late: string }> {
  const screen = new Screen(COLUMNS, ROWS);
  const child = spawn(process.execPath, ['--import', join(here, 'terminal.mjs'), command, ...args], {
    cwd: folder,
    env: {
      ...process.env,
      ETSY_API_KEY: market.key,
      // Hints name the command as the README does.
      npm_command: 'exec',
      CAPTURE_SIZE: `${COLUMNS}x${ROWS}`,
      FORCE_COLOR: '1',
      TERM: 'xterm-256color',
      LANG: 'C.UTF-8',
      CI: '',
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  child.stdout.on('data', (data: Uint8Array) => void screen.write(data));
  const shown = async (title: string): Promise<string> => {
    await screen.write('');
    return svg(screen.lines, COLUMNS, title);
  };
  const name = ['sync-data', ...args].join(' ');
  let early = '';
  if (at !== undefined) {
    while (
      child.exitCode === null &&
      !screen.lines.some((line) => at.test(line.map(({ text }) => text).join('')))
    )
      await sleep(LOOK_MS);
    early = await shown(`${name} at work`);
  }
  const code = await ended;
  if (code !== 0) throw new Error(`${name} ended with ${code}.`);
  return { early, late: await shown(`What ${name} leaves on the terminal`) };
}

try {
  await writeDemoPipeline(folder, market, [12470, 976]);
  const run = await capture([], LIVELY);
  const status = await capture(['status']);
  await writeFile(join(into, 'screen.svg'), run.early);
  await writeFile(join(into, 'summary.svg'), run.late);
  await writeFile(join(into, 'status.svg'), status.late);
  console.log(`Written into ${into}: screen.svg, summary.svg, status.svg`);
} finally {
  await market.close();
  await rm(folder, { recursive: true, force: true });
}
