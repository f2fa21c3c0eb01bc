import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { cp, open, readFile, rm, truncate } from 'node:fs/promises';
import { Database } from '../../lib/store/database.ts';
import type { Random } from '../marketplace/random.ts';
import type { Rig } from '../rig.ts';
import type { Disturbance, Round } from './disturbance.ts';
import { killAt } from './kills.ts';
import { pick } from './pick.ts';
import { aRequest, exactly, promised } from './promise.ts';

const NAME = 'etsy_data.db';
const FILES = [NAME, `${NAME}-wal`, `${NAME}-shm`];
const ENTRIES = 'image_metadata.json';
const REFUSED = [/damaged|malformed|not a database/, /[Rr]estore a copy/];

type Damage = (path: string, random: Random) => Promise<string>;

/** Each tells what it has done. */
const DAMAGES: Readonly<Record<string, Damage>> = {
  'a page of the database overwritten': (path, random) =>
    spoilPage(path, random, (size) => noise(random, size)),
  'a page of the database zeroed': (path, random) => spoilPage(path, random, (size) => Buffer.alloc(size)),
  'half of the database cut off': async (path) => {
    const { length } = await readFile(path);
    await truncate(path, length >> 1);
    return `${length >> 1} of ${length} bytes`;
  },
  "the database's first page overwritten": async (path, random) => {
    const bytes = await readFile(path);
    await overwrite(path, 0, noise(random, pageSizeOf(bytes)));
    return 'page 1';
  },
};

/** One that is in use: what lies in a free one nobody reads, so that it is no damage. */
async function spoilPage(path: string, random: Random, content: (size: number) => Buffer): Promise<string> {
  const bytes = await readFile(path);
  const size = pageSizeOf(bytes);
  const pages = treePages(bytes);
  const page = pick(random, pages);
  await overwrite(path, (page - 1) * size, content(size));
  return `page ${page} of ${bytes.length / size}`;
}

/** Numbers of the pages, from the second on, that hold a part of a table or an index (https://sqlite.org/fileformat2.html). */
function treePages(bytes: Buffer): number[] {
  const size = pageSizeOf(bytes);
  const free = new Set<number>();
  for (let trunk = bytes.readUInt32BE(32); trunk > 0; trunk = bytes.readUInt32BE((trunk - 1) * size)) {
    const at = (trunk - 1) * size;
    free.add(trunk);
    for (let leaf = 0; leaf < bytes.readUInt32BE(at + 4); leaf += 1)
      free.add(bytes.readUInt32BE(at + 8 + 4 * leaf));
  }
  const numbers = Array.from({ length: bytes.length / size - 1 }, (_, index) => index + 2);
  return numbers.filter((page) => !free.has(page) && [2, 5, 10, 13].includes(bytes[(page - 1) * size] ?? 0));
}

function pageSizeOf(bytes: Buffer): number {
  return bytes.readUInt16BE(16);
}

function noise(random: Random, size: number): Buffer {
  return Buffer.from(Array.from({ length: size }, () => random.int(256)));
}

async function overwrite(path: string, at: number, bytes: Buffer): Promise<void> {
  const file = await open(path, 'r+');
  await file.write(bytes, 0, bytes.length, at);
  await file.close();
}

/** Damages the database file, and puts the good one back after `play`; with that the command goes on. */
async function damaged(
  { rig, random, note }: Round,
  damage: Damage,
  play: (path: string) => Promise<void>,
): Promise<void> {
  await copyFiles(rig, '', 'good ');
  // Else pages of the file would be hidden by newer ones beside it.
  await (await Database.open(rig.path(NAME))).close();
  note(await damage(rig.path(NAME), random));
  await play(rig.path(NAME));
  await copyFiles(rig, 'good ', '');
  for (const name of FILES) await rm(rig.path(`good ${name}`), { force: true });
  promised(await rig.run(), 0);
}

async function copyFiles(rig: Rig, from: string, to: string): Promise<void> {
  for (const name of FILES) {
    await rm(rig.path(to + name), { force: true });
    await cp(rig.path(from + name), rig.path(to + name), { preserveTimestamps: true }).catch(
      (error: unknown) => {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      },
    );
  }
}

async function digest(path: string): Promise<string> {
  return createHash('sha256')
    .update(await readFile(path))
    .digest('hex');
}

const afterKill = Object.entries(DAMAGES).map(([name, damage]): Disturbance => {
  return {
    name: `${name} after a SIGKILL`,
    kind: 'damage',
    rounds: 2,
    worlds: ['first', 'weekly'],
    async disturb(round) {
      const { rig } = round;
      const end = await killAt(round, {
        match: '^sql INSERT INTO ledger ',
        nth: aRequest(round),
        when: 'after',
      });
      assert.equal(end, 'in the middle');
      await damaged(round, damage, async (path) => {
        const before = await digest(path);
        // The second refusal tells that the first left nothing behind that looks like a good end.
        for (const ended of [await rig.run(), await rig.run()]) {
          promised(ended, 1, exactly(path), ...REFUSED);
          assert.equal(await digest(path), before, `${NAME} was changed`);
        }
      });
      return 1;
    },
  };
});

const afterGoodEnd = Object.entries(DAMAGES).map(([name, damage]): Disturbance => {
  return {
    name: `${name} after a run that ended well`,
    kind: 'damage',
    rounds: 2,
    worlds: ['weekly', 'first'],
    async disturb(round) {
      const { rig, world } = round;
      if (world === 'first') promised(await rig.run(), 0);
      await damaged(round, damage, async (path) => promised(await rig.run(), 1, exactly(path), ...REFUSED));
      return 0;
    },
  };
});

export const damages: readonly Disturbance[] = [
  ...afterKill,
  ...afterGoodEnd,
  {
    name: 'meta_data cut in half between two runs',
    rounds: 2,
    worlds: ['weekly', 'first'],
    async disturb({ rig, world }) {
      if (world === 'first') promised(await rig.run(), 0);
      const path = rig.path(ENTRIES);
      const good = rig.path(`good ${ENTRIES}`);
      await cp(path, good, { preserveTimestamps: true });
      await truncate(path, (await readFile(path)).length >> 1);
      const before = await digest(path);
      promised(await rig.run(), 2, /image_metadata\.json:\d+:\d+: /, /restore a good copy/);
      assert.equal(await digest(path), before, `${ENTRIES} was changed`);
      await cp(good, path, { preserveTimestamps: true });
      await rm(good);
      promised(await rig.run(), 0);
      return 0;
    },
  },
];
