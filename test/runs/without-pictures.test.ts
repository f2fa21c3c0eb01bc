import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readFile, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Command, Rig } from '../rig.ts';
import type { Ended } from '../rig.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** A copy of sync-data with all the packages of this one but the optional ones. */
async function withoutOptional(folder: string): Promise<string> {
  for (const name of ['lib', 'tasks', 'checkpoints', 'package.json'])
    await cp(join(ROOT, name), join(folder, name), { recursive: true });
  const { optionalDependencies } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as {
    optionalDependencies: Record<string, string>;
  };
  const left = new Set(Object.keys(optionalDependencies));
  await mkdir(join(folder, 'node_modules'));
  for (const name of await readdir(join(ROOT, 'node_modules')))
    if (!left.has(name) && !name.startsWith('.') && name !== '@huggingface')
      await symlink(join(ROOT, 'node_modules', name), join(folder, 'node_modules', name));
  // What is compiled already need not be compiled again: that is not what is tested here.
  const compiled = join('node_modules', '.cache', 'sync-data');
  if (existsSync(join(ROOT, compiled)))
    await cp(join(ROOT, compiled), join(folder, compiled), { recursive: true });
  return join(folder, 'lib', 'sync-data.js');
}

describe('where npm left out the optional packages', () => {
  let folder = '';
  let script = '';
  let rig: Rig;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'without-pictures-'));
    script = await withoutOptional(folder);
    rig = await Rig.open({
      market: { categories: { 12371: { listings: 8 } }, shops: 2, badImages: {} },
      taxonomies: [12371],
      realTime: true,
    });
  });
  after(async () => {
    await rig.close();
    await rm(folder, { recursive: true });
  });

  const run = (...args: string[]): Promise<Ended> =>
    new Command(
      args.join(' '),
      spawn(process.execPath, [script, ...args], {
        cwd: rig.folder,
        env: { PATH: process.env['PATH'], HOME: rig.folder, TZ: 'UTC' },
        stdio: ['ignore', 'pipe', 'pipe'],
      }),
    ).ended;

  it('a sync, status, the report and a search by words do all they do', async () => {
    const sync = await run();
    assert.equal(sync.code, 0, sync.stdout + sync.stderr);
    assert.ok((await rig.number("SELECT count(*) AS n FROM images WHERE state = 'done'")) > 0);
    for (const args of [['status'], ['report']]) {
      const { code, stdout, stderr } = await run(...args);
      assert.equal(code, 0, stdout + stderr);
    }
    assert.match(await readFile(rig.path('report.html'), 'utf8'), /<img src="data:image\/jpeg/);
    const [row] = await rig.rows<{ id: number; title: string }>(
      'SELECT listing_id AS id, title FROM listings ORDER BY listing_id LIMIT 1',
    );
    const word = /[A-Za-z]{4,}/.exec(row?.title ?? '')?.[0] ?? '';
    const { code, stdout, stderr } = await run('search', word, '--json');
    assert.equal(code, 0, stderr);
    const { results } = JSON.parse(stdout) as { results: { listing_id: number }[] };
    assert.ok(results.some(({ listing_id }) => listing_id === row?.id));
  });

  for (const [stage, more] of [
    ['background', 'with: { model: baseline }'],
    ['embed', 'with: { models: [baseline], of: image }'],
  ]) {
    it(`the stage ${stage} says which package is missing and what to install`, async () => {
      await writeFile(
        rig.path('pipeline.yaml'),
        `stages:\n  - { id: ${stage}, task: ./tasks/${stage}.ts, ${more} }\n`,
      );
      const { code, stderr, stdout } = await run();
      const said = stdout + stderr;
      assert.equal(code, 1, said);
      assert.match(said, /need the package (?:onnxruntime-node|piscina), which is not installed/);
      assert.match(said, /npm install onnxruntime-node@[\d.]+ sharp@[\d.]+/);
    });
  }
});
