import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Database } from '../../lib/store/database.ts';
import { OWN_TASKS, ownPipeline as pipeline } from '../own-tasks.ts';

const COMMAND = fileURLToPath(new URL('../../lib/sync-data.js', import.meta.url));

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Like a person without a key, in a folder of their own. */
function run(cwd: string, ...args: string[]): Promise<Ended> {
  const env = { PATH: process.env['PATH'], HOME: cwd, TZ: 'UTC' };
  return new Promise((resolve) => {
    execFile(process.execPath, [COMMAND, ...args], { cwd, env }, (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : error ? -1 : 0, stdout, stderr });
    });
  });
}

describe('a pipeline of one’s own stages alone', () => {
  let folder: string;
  const folders: string[] = [];

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'own-tasks-'));
    folders.push(folder);
    for (const [name, text] of Object.entries(OWN_TASKS)) await writeFile(join(folder, name), text);
  });
  after(async () => {
    for (const one of folders) await rm(one, { recursive: true, force: true });
  });

  const rows = async (sql: string): Promise<unknown[]> => {
    const database = await Database.open(join(folder, 'etsy_data.db'), { readOnly: true });
    try {
      return (await database.read.all<object>(sql)).map((row) => ({ ...row }));
    } finally {
      await database.close();
    }
  };

  it('runs without a key, and its stages appear on screen, in summary and status; nothing of ours does', async () => {
    await writeFile(join(folder, 'pipeline.yaml'), pipeline('to: 7'));
    const { code, stdout, stderr } = await run(folder);
    assert.deepEqual([code, stderr], [0, ''], stdout);
    for (const stage of ['count', 'squares', 'last'])
      assert.match(stdout, new RegExp(`^\\S+ ${stage}: finished`, 'm'));
    assert.match(stdout, /^ {2}numbers {2}7 counted$/m);
    assert.match(stdout, /^What failed and why: .+ status$/m);
    assert.doesNotMatch(stdout, /listings|shops|images|requests/);
    assert.deepEqual(await rows('SELECT max(square) AS most FROM squares'), [{ most: 49 }]);
    assert.deepEqual(await rows("SELECT counts ->> 'numbers' AS n FROM starts"), [{ n: 7 }]);
    assert.equal(existsSync(join(folder, 'image_metadata.json')), false);

    const status = await run(folder, 'status');
    assert.deepEqual([status.code, status.stderr], [0, '']);
    assert.match(status.stdout, /^ {2}numbers {2}7 counted$/m);
    assert.match(status.stdout, /^Numbers that nobody likes\n\s+1 unlucky$/m);
    assert.match(status.stdout, /^ {2}count {4}finished/m);
    assert.doesNotMatch(status.stdout, /listings|shops|Etsy/);
  });

  it('ends one of them at its own KILL file: the others go on, the next start resumes it there', async () => {
    await writeFile(
      join(folder, 'pipeline.yaml'),
      pipeline('to: 2000, touch: KILL_COUNT', 'kill: KILL_COUNT, '),
    );
    const first = await run(folder);
    assert.deepEqual([first.code, first.stderr], [75, ''], first.stdout);
    assert.equal(existsSync(join(folder, 'KILL_COUNT')), false);
    assert.match(first.stdout, /^\S+ count: stopped: the KILL_COUNT file was found$/m);
    assert.match(first.stdout, /^\S+ last: finished/m);
    assert.match(first.stdout, /^\S+ squares: skipped/m);
    assert.match(
      first.stdout,
      /^Stopped after .+: stage count: the KILL_COUNT file was found\.\n {2}Count, All numbers: \d+ of 2,000 numbers$/m,
    );
    const before = (await rows('SELECT max(n) AS n FROM numbers')) as { n: number }[];
    assert.ok((before[0]?.n ?? 0) >= 3 && (before[0]?.n ?? 0) < 2000);

    await writeFile(join(folder, 'KILL_COUNT'), '');
    const there = await run(folder);
    assert.deepEqual([there.code, there.stderr], [75, ''], there.stdout);
    assert.match(there.stdout, /count: stopped: the file KILL_COUNT is there; remove it and start again$/m);
    assert.ok(existsSync(join(folder, 'KILL_COUNT')), 'it may be meant for later starts, too');
    assert.deepEqual(await rows('SELECT max(n) AS n FROM numbers'), before);
    const alone = await run(folder, '--stage', 'count');
    assert.equal(alone.code, 75);
    assert.match(alone.stderr, /KILL_COUNT exists, so nothing was started\.\nRemove it and start again\.\n$/);
    const other = await run(folder, '--stage', 'last');
    assert.equal(other.code, 0, other.stdout + other.stderr);
    const { stdout } = await run(folder, 'status');
    assert.match(stdout, /^The file KILL_COUNT is there: stage count does not start until it is removed\.$/m);

    await rm(join(folder, 'KILL_COUNT'));
    const last = await run(folder);
    assert.equal(last.code, 0, last.stdout + last.stderr);
    assert.match(last.stdout, /^Finished in .+ \(resumed\)\.$/m);
    assert.deepEqual(await rows('SELECT count(*) AS n FROM squares'), [{ n: 2000 }]);
  });

  it('lets --stage of one that is not prepared yet begin a run of its own beside an unfinished one', async () => {
    await writeFile(join(folder, 'pipeline.yaml'), pipeline('to: 2000, touch: KILL'));
    assert.equal((await run(folder)).code, 75);
    await rm(join(folder, 'KILL'), { force: true });
    const { code, stdout, stderr } = await run(folder, '--stage', 'squares');
    assert.deepEqual([code, stderr], [0, ''], stdout);
  });
});
