import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { setTimeout as nap } from 'node:timers/promises';
import { after, before, describe, it } from 'node:test';
import type { Services, Sources } from '../../lib/services.ts';
import type { Telling } from '../../lib/task/telling.ts';
import background from '../../tasks/background.ts';
import { draw } from '../marketplace/pictures/draw.ts';
import { drawn } from '../marketplace/pictures/drawn.ts';
import { PicturesRig } from '../pictures-rig.ts';
import type { PicturesDump } from '../pictures-rig.ts';

const COUNT = 8;

describe('background and embed', () => {
  let whole: PicturesRig;
  let before_: PicturesRig;
  let right: PicturesDump;
  const rigs: PicturesRig[] = [];

  before(async () => {
    before_ = await PicturesRig.open(COUNT);
    whole = await before_.copy();
    rigs.push(before_, whole);
    const { code, stdout, stderr } = await whole.run();
    assert.equal(code, 0, stdout + stderr);
    right = await whole.dump();
  });
  after(async () => {
    for (const rig of rigs) await rig.close();
  });

  const copyOf = async (rig: PicturesRig): Promise<PicturesRig> => {
    const copy = await rig.copy();
    rigs.push(copy);
    return copy;
  };
  const finish = async (rig: PicturesRig): Promise<string> => {
    const { code, stdout, stderr } = await rig.run();
    assert.equal(code, 0, stdout + stderr);
    return stdout;
  };

  it('make a cutout, a vector and a code of every image, without a key, and touch no image', async () => {
    assert.equal(right.cutouts.length, COUNT);
    assert.equal(right.vectors.length, COUNT);
    assert.equal(right.codes.length, COUNT);
    const states = await whole.rows('SELECT state, count(*) AS n FROM cutouts GROUP BY state');
    assert.deepEqual(
      states.map((row) => row['state']),
      ['done'],
    );
    assert.deepEqual(
      right.files.map(([name]) => name),
      (await readdir(whole.path('images'))).map((name) => name.replace('.jpg', '.webp')).toSorted(),
    );
    assert.equal(await sameImages(whole), true);
    const [image, cutout] = await whole.rows(
      'SELECT kind, model, input, dims, complete_at > 0 AS complete FROM spaces ORDER BY kind DESC',
    );
    assert.deepEqual(image, { kind: 'image', model: 'baseline', input: 'cutout', dims: 632, complete: 1 });
    assert.deepEqual(cutout, { kind: 'cutout', model: 'baseline', input: 'image', dims: null, complete: 1 });
  });

  it('find nothing due in the next run, and redo only what has changed', async () => {
    const rig = await copyOf(whole);
    const times = async (): Promise<number[]> =>
      Promise.all(right.files.map(async ([name]) => (await stat(rig.path('cutouts', name))).mtimeMs));
    const first = await times();
    await finish(rig);
    assert.deepEqual(await times(), first);

    // Touched, but the same bytes; another picture; one that is lost.
    await rig.writing(async (database) => {
      await utimes(rig.path('images', '101.jpg'), 1e9, 1e9);
      await database.write((tx) =>
        tx.run('UPDATE images SET modified_ms = 1e12, sha256 = NULL WHERE listing_id = 101'),
      );
      await rig.putImage(database, 102, await drawn({ kind: 'sofa', drawing: 1 }, draw));
    });
    await finish(rig);
    const now = await times();
    assert.deepEqual(
      now.map((time, at) => time === first[at]),
      now.map((_, at) => at !== 1),
    );
    const dump = await rig.dump();
    assert.equal(dump.vectors.length, COUNT);
    const changed = dump.vectors.filter(
      (row, at) => JSON.stringify(row) !== JSON.stringify(right.vectors[at]),
    );
    assert.equal(changed.length, 1);
  });

  it('say why a picture cannot be used, keep no vector of it, and go on; a good one later counts', async () => {
    const rig = await copyOf(whole);
    const cut = await readFile(rig.path('images', '103.jpg'));
    const bad = async (id: number, bytes: Buffer): Promise<void> =>
      rig.writing((database) => rig.putImage(database, id, bytes));
    await bad(103, cut.subarray(0, cut.length / 2));
    await bad(104, Buffer.from('<html>not a picture</html>'));
    await rm(rig.path('images', '105.jpg'));
    await rig.writing((database) =>
      database.write((tx) => tx.run('UPDATE images SET modified_ms = 5 WHERE listing_id = 105')),
    );
    await finish(rig);
    const failed = await rig.rows(
      "SELECT listing_id, reason, attempts FROM cutouts WHERE state = 'failed' ORDER BY listing_id",
    );
    assert.deepEqual(
      failed.map((row) => row['listing_id']),
      [103, 104, 105],
    );
    assert.match(String(failed[2]?.['reason']), /the file is missing/);
    const dump = await rig.dump();
    assert.equal(dump.vectors.length, COUNT - 3);
    assert.equal(dump.codes.length, COUNT - 3);
    assert.equal(dump.files.length, COUNT - 3);

    const told = await tellingOf(rig);
    assert.deepEqual(told.rows?.[0]?.stands, [
      [COUNT - 3, 'made'],
      [0, 'kept whole'],
      [3, 'failed'],
      [3, 'due'],
    ]);
    assert.equal(told.problems?.[0]?.count, 3);
    assert.match(told.notes?.[0] ?? '', /^Cutouts: 3 due, at the pace so far: /);
    // Three runs try, and the fourth does not.
    for (const attempts of [2, 3, 3]) {
      await finish(rig);
      const [row] = await rig.rows('SELECT attempts FROM cutouts WHERE listing_id = 104');
      assert.deepEqual(row, { attempts });
    }
    for (const id of [103, 104, 105]) {
      const bytes = await readFile(before_.path('images', `${id}.jpg`));
      await rig.writing((database) => rig.putImage(database, id, bytes));
    }
    await finish(rig);
    const without = (rows: readonly object[]): object[] => rows.map((row) => ({ ...row, stamp: '' }));
    const mended = await rig.dump();
    assert.deepEqual(without(mended.cutouts), without(right.cutouts));
    assert.deepEqual([mended.vectors, mended.codes, mended.files], [right.vectors, right.codes, right.files]);
  });

  it('make again what is missing or was changed, and leave alone what is not theirs', async () => {
    const rig = await copyOf(whole);
    await rm(rig.path('cutouts', '101.webp'));
    await writeFile(rig.path('cutouts', '102.webp'), 'another');
    await writeFile(rig.path('cutouts', '103.webp.part'), 'half');
    for (const name of ['999.webp', 'notes.txt']) await writeFile(rig.path('cutouts', name), 'mine');
    await finish(rig);
    for (const name of ['999.webp', 'notes.txt']) await rm(rig.path('cutouts', name));
    assert.deepEqual(await rig.dump(), right);
    const findings = await rig.rows('SELECT kind, subject, repaired FROM findings ORDER BY kind, subject');
    assert.deepEqual(findings, [
      { kind: 'foreign-cutout', subject: '999.webp', repaired: 0 },
      { kind: 'foreign-cutout', subject: 'notes.txt', repaired: 0 },
      { kind: 'missing-cutout', subject: '101', repaired: 1 },
      { kind: 'missing-cutout', subject: '102', repaired: 1 },
    ]);
  });

  it('are stopped by their own KILL files, and resume', async () => {
    const rig = await copyOf(before_);
    const command = rig.start();
    while (!existsSync(rig.path('cutouts'))) await nap(5);
    await writeFile(rig.path('KILL_BG'), '');
    const { code, stdout, stderr } = await command.ended;
    assert.equal(code, 75, stdout + stderr);
    assert.equal(existsSync(rig.path('KILL_BG')), false);
    assert.deepEqual(await orphans(rig), []);
    await writeFile(rig.path('KILL_EMBED'), '');
    assert.equal((await rig.run()).code, 75);
    assert.equal((await rig.dump()).vectors.length, 0);
    await rm(rig.path('KILL_EMBED'));
    await finish(rig);
    assert.deepEqual(await rig.dump(), right);
  });

  for (const [signals, wait] of [
    [['SIGKILL'], 0],
    [['SIGKILL'], 120],
    [['SIGINT', 'SIGINT'], 0],
    [['SIGTERM', 'SIGTERM'], 60],
  ] as const) {
    it(`ended by ${signals.join(' and ')} ${wait} ms after the first cutout, they come to the same`, async () => {
      const rig = await copyOf(before_);
      const command = rig.start();
      while (!(await readdir(rig.path('cutouts')).catch(() => [])).some((name) => name.endsWith('.webp'))) {
        assert.equal(command.isOver, false, command.transcript);
        await nap(2);
      }
      await nap(wait);
      for (const signal of signals) {
        command.signal(signal);
        await nap(2);
      }
      const { code, signal, stdout } = await command.ended;
      // By the first one alone, where the second came too late.
      assert.ok(
        signal === signals[0] || /^Stopped after /m.test(stdout),
        `${code ?? signal}\n${command.transcript}`,
      );
      assert.deepEqual(await lost(rig), [], 'rows without their file');
      await finish(rig);
      assert.deepEqual(await rig.dump(), right);
    });
  }

  it('with another model begin anew, and the old vectors stand until then', async () => {
    const rig = await copyOf(whole);
    await rig.configure('image');
    await finish(rig);
    const spaces = await rig.rows(
      "SELECT input, (SELECT count(*) FROM embeddings WHERE space = spaces.id) AS n FROM spaces WHERE kind = 'image' ORDER BY id",
    );
    assert.deepEqual(spaces, [
      { input: 'cutout', n: COUNT },
      { input: 'image', n: COUNT },
    ]);
  });

  it('say at once that a model cannot be fetched, and leave everything as it was', async () => {
    const rig = await copyOf(before_);
    const yaml = await readFile(rig.path('pipeline.yaml'), 'utf8');
    await writeFile(
      rig.path('pipeline.yaml'),
      `models: { source: 'http://127.0.0.1:9' }\n${yaml.replace('model: baseline', 'model: u2net')}`,
    );
    const command = rig.start();
    // It tries for a while; what it says when it gives up is under test elsewhere.
    await nap(1500);
    await writeFile(rig.path('KILL'), '');
    assert.equal((await command.ended).code, 75);
    assert.equal((await rig.dump()).cutouts.length, 0);
  });

  /** As a later run would be told. */
  function tellingOf(rig: PicturesRig): Promise<Telling> {
    return rig.writing(async ({ read }) => {
      const services = { sql: read, modelSettings: { folder: rig.path('models') } } as Sources;
      const run = { id: 99, startedAt: 0, isComplete: true };
      const options = { model: 'baseline', cover: [0.05, 0.97] } as const;
      const told = await background.tells?.({
        options: { ...options, cover: [...options.cover] },
        services: services as Services,
        folder: rig.folder,
        run,
        place: 'status',
        once: (_, read) => read(),
      });
      return told ?? {};
    });
  }

  async function sameImages(rig: PicturesRig): Promise<boolean> {
    for (const name of await readdir(before_.path('images')))
      if (!(await readFile(rig.path('images', name))).equals(await readFile(before_.path('images', name))))
        return false;
    return true;
  }

  /** Rows without their file. */
  async function lost(rig: PicturesRig): Promise<unknown[]> {
    const rows = await rig.rows("SELECT listing_id FROM cutouts WHERE state = 'done'");
    return rows.filter((row) => !existsSync(rig.path('cutouts', `${String(row['listing_id'])}.webp`)));
  }

  /** Files without their row. */
  async function orphans(rig: PicturesRig): Promise<string[]> {
    const rows = await rig.rows("SELECT listing_id FROM cutouts WHERE state = 'done'");
    const known = new Set(rows.map((row) => `${String(row['listing_id'])}.webp`));
    return (await readdir(rig.path('cutouts'))).filter((name) => !known.has(name));
  }
});
