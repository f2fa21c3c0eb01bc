import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Database } from '../../lib/store/database.ts';
import { browser } from '../browser.ts';
import { blocks, commands, DOCUMENTS, ROOT, text } from '../documents.ts';
import { writeDemoPipeline } from '../demo-folder.ts';
import { spawnMarketplace } from '../marketplace/spawn.ts';
import type { RemoteMarketplace } from '../marketplace/spawn.ts';

const NOTICE =
  "The term 'Etsy' is a trademark of Etsy, Inc. This application uses the Etsy API but is not endorsed or certified by Etsy, Inc.";

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly output: string;
}

/** Runs a line as a person's shell does. */
function sh(line: string, cwd: string, env: NodeJS.ProcessEnv = {}): Promise<Ended> {
  const { CI: _, NODE_TEST_CONTEXT: __, ...rest } = process.env;
  return new Promise((resolve) => {
    const options = { cwd, env: { ...rest, ...env }, maxBuffer: 64 * 1024 * 1024 };
    execFile('/bin/sh', ['-c', line], options, (error, stdout, stderr) => {
      const code = typeof error?.code === 'number' ? error.code : error ? -1 : 0;
      resolve({ code, stdout, output: stdout + stderr });
    });
  });
}

describe('the documents', () => {
  let folder: string;
  let home: string;
  let market: RemoteMarketplace;

  before(async () => {
    home = await mkdtemp(join(tmpdir(), 'sync-data-documents-'));
    folder = join(home, 'sync-data');
    market = await spawnMarketplace({
      categories: { 12470: { listings: 30 }, 976: { listings: 40 } },
      shops: 6,
      reviews: { perShop: 3 },
      badImages: {},
    });
    await writeDemoPipeline(folder, market, [12470, 976]);
    const named =
      (await blocks('README.md')).find(({ code }) => code.includes('taxonomies: [Vanity'))?.code.trim() ?? '';
    const pipeline = await readFile(join(folder, 'pipeline.yaml'), 'utf8');
    await writeFile(join(folder, 'pipeline.yaml'), pipeline.replace(/with: \{ taxonomies.*/, named));
    await mkdir(join(folder, 'node_modules/.bin'), { recursive: true });
    await symlink(join(ROOT, 'lib/sync-data.js'), join(folder, 'node_modules/.bin/sync-data'));
  });

  after(async () => {
    await market?.close();
    await rm(home, { recursive: true, force: true });
  });

  /** In a folder with a pipeline and a key, one after the other. */
  const here = async (line: string, env: NodeJS.ProcessEnv = {}): Promise<Ended> =>
    sh(line, folder, { HOME: home, ETSY_API_KEY: market.key, npm_config_update_notifier: 'false', ...env });

  const well = async (line: string, shows: RegExp): Promise<void> => {
    const { code, output } = await here(line);
    assert.equal(code, 0, output);
    assert.match(output, shows);
  };

  /** A query as `sqlite3 file "query"` runs it. */
  const query = async (line: string, least: number): Promise<void> => {
    const [, file = '', sql = ''] = /^sqlite3 (?:-box )?(\S+) "(.+)"$/.exec(line) ?? [];
    const database = await Database.open(join(folder, file), { readOnly: true });
    try {
      assert.ok((await database.read.all(sql)).length >= least, line);
    } finally {
      await database.close();
    }
  };

  const inRoot = async (line: string, shows: RegExp): Promise<void> => {
    const { code, output } = await sh(line, ROOT);
    assert.equal(code, 0, output);
    assert.match(output, shows);
  };

  /** What .ci/run does, before these tests and with them. */
  const inCi = async (line: string): Promise<void> => {
    assert.match(await text('.ci/run'), new RegExp(`^${line}\\b`, 'm'));
  };

  const inTest = async (file: string, what: RegExp): Promise<void> => assert.match(await text(file), what);

  /** How each command is run: as it stands, but for those that would take an hour or are what runs this test. */
  const ways: Readonly<Record<string, (line: string) => Promise<void>>> = {
    'npm ci': inCi,
    'npm run typecheck': inCi,
    'npm run lint': inCi,
    'npm test': inCi,
    'npm ci && npm test': async () => {
      await inCi('npm ci');
      await inCi('npm test');
    },
    'npm ci && npm run demo': async () => {
      await inCi('npm ci');
      const into = join(home, 'demo');
      await inRoot(
        `npm run demo -- ${into}`,
        /^Finished in [^]+^Everything is in [^]+file:\/\/\S+report\.html$/m,
      );
      assert.ok((await stat(join(into, 'report.html'))).size > 10_000);
    },
    'ETSY_API_KEY=keystring:shared_secret': async (line) => {
      await writeFile(join(folder, '.env'), line.replace(/=.*/, `=${market.key}`));
      const { code, output } = await sh('npx sync-data --stage crawl', folder, {
        HOME: home,
        ETSY_API_KEY: undefined,
      });
      assert.equal(code, 0, output);
      await rm(join(folder, '.env'));
    },
    'npx sync-data': (line) => well(line, /^Finished in [^]+^The report: report\.html$/m),
    'npx sync-data status': (line) => well(line, /^No run is under way\.$/m),
    'npx sync-data status --json': async (line) => {
      const { code, stdout } = await here(line);
      assert.equal(code, 0);
      assert.equal((JSON.parse(stdout) as { shape: number }).shape, 1);
    },
    'npx sync-data report': (line) => well(line, /^report\.html$/m),
    'npx sync-data --stage reviews': (line) => well(line, /^Finished in /m),
    'npx sync-data search oak table': (line) => well(line, /^\d+ of \d+ found$|^Nothing found\.$/m),
    'npx sync-data --help': (line) => well(line, /^Usage$/m),
    'sqlite3 -box etsy_data.db "SELECT title, price, currency, favorites FROM current_listings LIMIT 5"': (
      line,
    ) => query(line, 5),
    'sqlite3 etsy_data.db "SELECT endpoint, reason, raw FROM set_aside WHERE settled_at IS NULL"': (line) =>
      query(line, 0),
    [`grep '"event":"failure"' sync-data.log`]: async (line) => {
      const refused = await here('npx sync-data', { ETSY_API_KEY: 'nobody:knowsthis' });
      assert.equal(refused.code, 1, refused.output);
      assert.match(refused.output, /Etsy refused the API key \(HTTP 40[13]/);
      await well(line, /Etsy refused the API key/);
    },
    'npx sync-data > sync.out 2>&1': async (line) => {
      assert.equal((await here(line)).code, 0);
      const out = await readFile(join(folder, 'sync.out'), 'utf8');
      assert.match(out, /^Finished in /m);
      assert.ok(!out.includes('\u001b'));
    },
    'rm KILL': async (line) => {
      await writeFile(join(folder, 'KILL'), '');
      const { code, output } = await here('npx sync-data');
      assert.equal(code, 75);
      assert.match(output, /KILL exists, so nothing was started/);
      await well(line, /^$/);
      await well('npx sync-data', /^Finished in /m);
    },
    'node --import tsx --test test/when-made.test.ts': (line) => inRoot(line, /^# fail 0$/m),
    'node --import tsx --test --test-name-pattern="killed" test/runs/lock.test.ts': (line) =>
      inRoot(line, /^# fail 0$/m),
    'npm run schema': async (line) => {
      const before = await text('lib/pipeline/pipeline.schema.json');
      await inRoot(line, /^/);
      assert.equal(await text('lib/pipeline/pipeline.schema.json'), before);
    },
    // One round: chaos.test.ts plays one of each.
    'npm run chaos -- --only redirects --seed 7': (line) =>
      inRoot(`${line} --rounds 1`, /\|\s+100 % \|\s+0 \|\s+0 \|/),
    'npm run bench -- --plan': (line) => inRoot(`${line} --amount 3000`, /what to do first/),
    'npm run look': async (line) => {
      const isThere = browser() !== undefined;
      const { code, output } = await sh(`${line} -- ${join(folder, 'report.html')}`, ROOT);
      assert.equal(code, isThere ? 0 : 2, output);
      assert.match(output, isThere ? /^390 px, dark: nothing wrong$/m : /There is no chromium in the PATH/);
    },
    'npm pack': () => inTest('test/runs/installed.test.ts', /'npm', \['pack'/),
    'npm install ../sync-data/sync-data-0.1.0.tgz': () => inTest('test/runs/installed.test.ts', /'tar', \[/),
    'sqlite3 -column -header etsy_data.db': () =>
      inTest('test/runs/working-with-the-data.test.ts', /sqlite3 -column -header/),
    'sqlite3 -csv -header etsy_data.db "SELECT * FROM current_listings" > listings.csv': () =>
      inTest('test/runs/working-with-the-data.test.ts', /gives lines for a shell that work/),
    [`sqlite3 etsy_data.db "VACUUM INTO 'backup.db'"`]: () =>
      inTest('test/runs/working-with-the-data.test.ts', /gives lines for a shell that work/),
    // A program of others, which is not installed here: its line is not run.
    'datasette etsy_data.db --nolock --setting sql_time_limit_ms 60000': () =>
      inTest('lib/dataset/WORKING-WITH-THE-DATA.md', /datasette/),
    'npx sync-data --stage prices': () => inTest('test/runs/contributing.test.ts', /stage: 'prices'/),
  };
  /** Those that are run as part of another. */
  const partOf: Readonly<Record<string, string>> = {
    'npm run test:quick': 'npm test',
    'npm run demo': 'npm ci && npm run demo',
    'npm run chaos': 'npm run chaos -- --only redirects --seed 7',
    'npm run bench': 'npm run bench -- --plan',
  };

  it('name no command that is not run', async () => {
    const found = new Set((await Promise.all(DOCUMENTS.map(commands))).flat());
    assert.ok(found.size > 20);
    const run = [...Object.keys(ways), ...Object.keys(partOf)];
    assert.deepEqual(
      [...found].filter((line) => !run.includes(line)),
      [],
      'commands that no test runs',
    );
    assert.deepEqual(
      run.filter((line) => !found.has(line)),
      [],
      'commands that no document names',
    );
  });

  for (const [line, way] of Object.entries(ways)) it(`\`${line}\``, () => way(line));

  it('have a line for cron and a plist for launchd that run it', async () => {
    const all = [...(await blocks('README.md')), ...(await blocks('lib/when-something-goes-wrong.md'))];
    const cron = all.find(({ language }) => language === 'cron')?.code ?? '';
    const [, scheduled = ''] = /^\d+ \d+ \* \* [0-7] +(.+)$/m.exec(cron) ?? [];
    const plist = all.find(({ language }) => language === 'xml')?.code ?? '';
    const strings = [...plist.matchAll(/<string>([^<]*)<\/string>/g)].map(([, one = '']) =>
      one.replaceAll('&gt;', '>').replaceAll('&lt;', '<').replaceAll('&amp;', '&'),
    );
    assert.deepEqual(strings.slice(0, 3), ['sync-data', '/bin/sh', '-lc']);
    for (const line of [scheduled, strings[3] ?? '']) {
      await rm(join(folder, 'sync.out'), { force: true });
      const { code, output } = await here(line);
      assert.equal(code, 0, output);
      assert.match(await readFile(join(folder, 'sync.out'), 'utf8'), /^Finished in /m);
    }
  });

  it('carry the notice that Etsy’s terms ask for, and the report does', async () => {
    assert.ok((await text('README.md')).includes(NOTICE));
    const report = await readFile(join(folder, 'report.html'), 'utf8');
    assert.ok(report.replaceAll('&#39;', "'").includes(NOTICE));
  });
});
