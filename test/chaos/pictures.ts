import assert from 'node:assert/strict';
import { mkdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as nap } from 'node:timers/promises';
import { baselineMask } from '../baseline.ts';
import { PicturesRig } from '../pictures-rig.ts';
import type { PicturesDump } from '../pictures-rig.ts';
import { Disk, noDisk } from './disk.ts';
import type { Chance, Disturbance } from './disturbance.ts';
import { KILL_AT, WHENS } from './kills.ts';
import type { Aim } from './kills.ts';
import { pick } from './pick.ts';
import { exactly, promised } from './promise.ts';

const COUNT = 8;
const CUTOUT = '^rename cutouts/\\d+\\.webp$';
const CUTOUT_RECORDED = '^sql INSERT INTO cutouts ';
const VECTOR_RECORDED = '^sql INSERT INTO embeddings ';
const COMMIT = '^sql COMMIT$';
const ALMOST_ALL_MS = 4000;

interface Undisturbed {
  /** Listings with their images, and nothing made of them. */
  readonly before: PicturesRig;
  readonly after: PicturesRig;
  readonly dump: PicturesDump;
}
let known: Promise<Undisturbed> | undefined;

/** Made once a process; the folders are removed as it ends. */
function undisturbed(): Promise<Undisturbed> {
  known ??= (async () => {
    const before = await PicturesRig.open(COUNT);
    const after = await before.copy();
    process.once('beforeExit', () => void Promise.all([before.close(), after.close()]));
    promised(await after.run(), 0);
    return { before, after, dump: await after.dump() };
  })();
  return known;
}

/** Disturbs a copy, lets it finish, and compares. @param play returns how many times it was ended in the middle */
function rounds(
  name: string,
  count: number,
  from: 'before' | 'after',
  play: (rig: PicturesRig, chance: Chance) => Promise<number>,
  more: Partial<Disturbance> = {},
): Disturbance {
  return {
    name,
    kind: `pictures, ${from} them`,
    rounds: count,
    worlds: ['first'],
    ...more,
    async apart(chance) {
      const all = await undisturbed();
      const rig = await all[from].copy();
      try {
        const ends = await play(rig, chance);
        promised(await rig.run(), 0);
        assert.deepEqual(unstamped(await rig.dump()), unstamped(all.dump));
        const failed = await rig.rows(
          "SELECT e.listing_id FROM embeddings AS e JOIN cutouts AS c USING (listing_id) WHERE c.state = 'failed' AND e.vector IS NOT NULL",
        );
        assert.deepEqual(failed, [], 'vectors of failed pictures');
        return ends;
      } finally {
        await rig.close();
      }
    },
  };
}

/** A stamp has the time at which the image was written: one that was put back is another. */
function unstamped(dump: PicturesDump): PicturesDump {
  const without = (rows: readonly object[]): object[] => rows.map((row) => ({ ...row, stamp: undefined }));
  return { ...dump, cutouts: without(dump.cutouts), vectors: without(dump.vectors) };
}

async function killAt(rig: PicturesRig, { note }: Chance, aim: Aim): Promise<number> {
  const { signal, code } = await rig.start([], [KILL_AT], { KILL_AT: JSON.stringify(aim) }).ended;
  note(`SIGKILL ${JSON.stringify(aim)}: ${signal ?? code}`);
  return signal === 'SIGKILL' ? 1 : 0;
}

/** Serves the models while `work` goes on. */
async function fromHub<T>(
  file: () => Buffer,
  work: (source: string, asked: () => number) => Promise<T>,
): Promise<T> {
  let asked = 0;
  const hub = createServer((_, answer) => {
    asked += 1;
    answer.end(file());
  });
  await new Promise<void>((resolve) => hub.listen(0, '127.0.0.1', resolve));
  try {
    const { port } = hub.address() as AddressInfo;
    return await work(`http://127.0.0.1:${port}`, () => asked);
  } finally {
    hub.close();
  }
}

const anId = ({ random }: Chance): string => String(101 + random.int(COUNT));

export const pictures: readonly Disturbance[] = [
  rounds('background and embed: SIGKILL at a random moment', 10, 'before', async (rig, { random, note }) => {
    const ms = Math.round(random.next() * ALMOST_ALL_MS);
    const command = rig.start();
    await Promise.race([nap(ms), command.ended]);
    const isOver = command.isOver;
    await command.kill();
    note(`SIGKILL after ${ms} ms${isOver ? ': over before' : ''}`);
    return isOver ? 0 : 1;
  }),
  rounds(
    'background and embed: SIGKILL around a cutout’s rename, a row and its commit',
    12,
    'before',
    (rig, chance) => {
      const { random } = chance;
      const match = pick(random, [CUTOUT, CUTOUT_RECORDED, VECTOR_RECORDED]);
      const then = random.int(2) === 0 ? COMMIT : undefined;
      const aim = { match, nth: 1 + random.int(3), when: pick(random, WHENS) };
      return killAt(rig, chance, then === undefined ? aim : { ...aim, then });
    },
  ),
  rounds(
    'background and embed: KILL, KILL_BG, KILL_EMBED at a random moment',
    6,
    'before',
    async (rig, { random, note }) => {
      const name = pick(random, ['KILL', 'KILL_BG', 'KILL_EMBED']);
      const command = rig.start();
      await nap(random.next() * ALMOST_ALL_MS);
      if (command.isOver) return 0;
      await writeFile(rig.path(name), '');
      const { code } = await command.ended;
      note(`${name}: ${code}`);
      await rm(rig.path(name), { force: true });
      assert.ok(code === 75 || code === 0, `it ended with ${code}`);
      return code === 75 ? 1 : 0;
    },
  ),
  rounds('background and embed: a cutout deleted, cut or replaced', 6, 'after', async (rig, chance) => {
    const path = rig.path('cutouts', `${anId(chance)}.webp`);
    const how = pick(chance.random, ['deleted', 'cut', 'replaced'] as const);
    chance.note(`${path} ${how}`);
    if (how === 'deleted') await rm(path);
    else if (how === 'cut') await truncate(path, 100);
    else await writeFile(path, 'another');
    return 0;
  }),
  rounds(
    'background and embed: a picture that will not decode, then the good one',
    4,
    'before',
    async (rig, chance) => {
      const id = Number(anId(chance));
      const good = await readFile(rig.path('images', `${id}.jpg`));
      const put = (bytes: Buffer): Promise<void> =>
        rig.writing((database) => rig.putImage(database, id, bytes));
      await put(good.subarray(0, 200 + chance.random.int(good.length >> 1)));
      promised(await rig.run(), 0);
      const [row] = await rig.rows('SELECT state FROM cutouts WHERE listing_id = ?', [id]);
      assert.equal(row?.['state'], 'failed');
      const vectors = await rig.rows('SELECT 1 FROM embeddings WHERE listing_id = ? AND vector IS NOT NULL', [
        id,
      ]);
      assert.equal(vectors.length, 0, 'a vector of a failed picture');
      await rm(rig.path('images', `${id}.jpg`));
      await put(good);
      return 0;
    },
  ),
  rounds(
    'background and embed: another input between two starts, and the first again',
    4,
    'before',
    async (rig, chance) => {
      const ends = await killAt(rig, chance, { match: VECTOR_RECORDED, nth: 2, when: 'after' });
      await rig.configure('image');
      const more = await killAt(rig, chance, { match: VECTOR_RECORDED, nth: 2, when: 'after' });
      await rig.configure('cutout');
      promised(await rig.run(), 0);
      // What was made with the other one stands by itself, and is no part of what is compared.
      await rig.writing((database) =>
        database.write(async (tx) => {
          for (const table of ['embeddings', 'embedding_codes'])
            await tx.run(
              `DELETE FROM ${table} WHERE space IN (SELECT id FROM spaces WHERE input = 'image' AND kind = 'image')`,
            );
        }),
      );
      return ends + more;
    },
  ),
  rounds(
    'background and embed: a model file cut in half, or with another hash',
    3,
    'before',
    async (rig, chance) => {
      const [good, how] = [baselineMask(), pick(chance.random, ['cut in half', 'changed'] as const)];
      const bad =
        how === 'changed' ? Buffer.from(good).fill(7, 3000, 3001) : good.subarray(0, good.length / 2);
      chance.note(how);
      await mkdir(rig.path('models'));
      await writeFile(rig.path('models', 'mask.onnx'), bad);
      return fromHub(
        () => good,
        async (source, asked) => {
          await rig.configureModel(good, source);
          const ends = await killAt(rig, chance, {
            match: CUTOUT,
            nth: 1 + chance.random.int(4),
            when: 'after',
          });
          // Damaged once more, between two starts.
          await writeFile(rig.path('models', 'mask.onnx'), bad);
          promised(await rig.run(), 0);
          assert.equal(asked(), 2, 'times that the model was fetched');
          assert.ok((await readFile(rig.path('models', 'mask.onnx'))).equals(good));
          return ends;
        },
      );
    },
  ),
  rounds(
    'background and embed: another model between two starts, and the first again',
    3,
    'before',
    async (rig, chance) => {
      let model = baselineMask(0.12);
      return fromHub(
        () => model,
        async (source) => {
          const aim = { match: VECTOR_RECORDED, nth: 2, when: 'after' } as const;
          let ends = await killAt(rig, chance, aim);
          await rig.configureModel(model, source);
          ends += await killAt(rig, chance, {
            match: CUTOUT,
            nth: 1 + chance.random.int(COUNT),
            when: 'after',
          });
          // Every cutout is made anew by the second, and by the first after it.
          if (chance.random.int(2) === 0) promised(await rig.run(), 0);
          model = baselineMask();
          await rig.configureModel(model, source);
          promised(await rig.run(), 0);
          return ends;
        },
      );
    },
  ),
  rounds(
    'background and embed: the disk full while cutouts are written',
    3,
    'before',
    async (rig, { random, note }) => {
      const disk = await Disk.inPlaceOf(await made(rig), 'memory');
      try {
        const room = random.int(6 * 4096);
        note(`${room} bytes free`);
        await disk.fill(room);
        promised(await rig.run(), 1, exactly('cutouts'), /[Ff]ree some space/);
        await disk.empty();
        promised(await rig.run(), 0);
      } finally {
        await disk.close();
      }
      return 1;
    },
    { impossible: () => noDisk('memory') },
  ),
];

async function made(rig: PicturesRig): Promise<string> {
  const folder = rig.path('cutouts');
  await mkdir(folder, { recursive: true });
  return folder;
}
