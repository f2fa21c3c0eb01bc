import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { basename, join, relative, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { writeDemoPipeline } from './demo-folder.ts';
import { spawnMarketplace } from './marketplace/spawn.ts';

// The main job without a key: the real command, at its real pace, against the bundled marketplace. Everything it makes
// lies in demo/, or the folder that is named, which is made anew each time.

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = resolve(process.argv[2] ?? join(root, 'demo'));
const WORDS = ['oak', 'table'];
const mark = join(folder, '.sync-data-demo');

const market = await spawnMarketplace({
  seed: 20,
  categories: { 12470: { listings: 40 }, 976: { listings: 70 } },
  shops: 28,
  drawings: 12,
});
try {
  if (existsSync(folder) && !existsSync(mark)) {
    throw new Error(`${folder} was not made by the demo and is left alone; move it away and start again`);
  }
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder);
  await writeFile(mark, '');
  await writeDemoPipeline(folder, market, [12470, 976], true);
  const script = relative(folder, join(root, 'lib/sync-data.js'));
  // Ctrl-C reaches the command too; it is the one that ends in good order.
  process.on('SIGINT', () => undefined);
  const run = async (...args: string[]): Promise<number> => {
    const command = spawn(process.execPath, [script, ...args], {
      cwd: folder,
      env: { ...process.env, ETSY_API_KEY: market.key },
      stdio: 'inherit',
    });
    const end = (): boolean => command.kill('SIGTERM');
    process.on('SIGTERM', end);
    const code = await new Promise<number>((resolve) => {
      command.once('exit', (code) => resolve(code ?? 1));
    });
    process.off('SIGTERM', end);
    return code;
  };
  /** Words together with a picture: the first that has a cutout. */
  const search = async (): Promise<string[]> => {
    const [cutout] = (await readdir(join(folder, 'cutouts'))).toSorted();
    return [...WORDS, ...(cutout === undefined ? [] : [`images/${basename(cutout, '.webp')}.jpg`])];
  };
  process.exitCode = await run();
  if (process.exitCode === 0) {
    const words = await search();
    console.log(`\nsync-data search ${words.join(' ')}`);
    process.exitCode = await run('search', ...words);
  }
  const where = relative(process.cwd(), folder) || '.';
  if (process.exitCode === 0)
    console.log(`
Everything is in ${where}/: pictures in images/, cutouts in cutouts/. Look around:
  ${pathToFileURL(join(folder, 'report.html')).href}
  sqlite3 ${where}/etsy_data.db "SELECT title, price FROM current_listings LIMIT 5"
  cd ${where} && node ${script} status
  cd ${where} && node ${script} search   # a page to search on
The demo's marketplace has ended. With a key of your own, sync-data reads Etsy:
see README.md.`);
} finally {
  await market.close();
}
