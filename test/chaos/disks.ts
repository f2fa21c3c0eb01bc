import assert from 'node:assert/strict';
import { cp, mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { imageFiles, jsonFile } from '../dump.ts';
import type { Command, Rig } from '../rig.ts';
import type { Disturbance, Round } from './disturbance.ts';
import { Disk, noDisk } from './disk.ts';
import type { DiskKind } from './disk.ts';
import { aRequest, eventsOf, exactly, promised } from './promise.ts';

const SPACE = /[Ff]ree some space/;
const ENTRIES = 'image_metadata.json';
const BLOCK = 4096;

/** Puts a disk in the place of this folder of the installation for as long as `play` takes. */
async function onDisk(folder: string, kind: DiskKind, play: (disk: Disk) => Promise<void>): Promise<void> {
  await mkdir(folder, { recursive: true });
  const disk = await Disk.inPlaceOf(folder, kind);
  try {
    await play(disk);
  } finally {
    await disk.close();
  }
}

/** Under its own name a file is complete, however the disk failed. */
async function noHalfFiles(rig: Rig, entriesBefore: object): Promise<void> {
  for (const [name, [file]] of Object.entries(await imageFiles(rig.path('images')))) {
    if (name.endsWith('.jpg')) assert.equal(file?.['fault'], null, `images/${name}: ${JSON.stringify(file)}`);
  }
  const entries = await jsonFile(rig.path(ENTRIES));
  const lost = Object.keys(entriesBefore).filter((key) => !(key in entries));
  assert.deepEqual(lost, [], `${ENTRIES} has lost entries`);
}

/** One way for the disk to be full. */
interface Full {
  /** Of the installation: it lies on the small disk. */
  readonly folder: string;
  /** Within it, what the message names; where nothing is said, itself. */
  readonly file?: string;
  /** Fills the disk before the command starts; what it returns does so while that works. */
  readonly fill: (round: Round, disk: Disk) => Promise<((command: Command) => Promise<void>) | undefined>;
  readonly putBack?: (rig: Rig) => Promise<void>;
}

/** The disk fills up and the command fails and says why, when it is started again likewise; with room it goes on. */
function full(what: string, { folder, file = '', fill, putBack }: Full): Disturbance {
  return {
    name: `the disk full while ${what} is written`,
    kind: 'the disk full',
    rounds: 4,
    worlds: ['first', 'weekly'],
    impossible: () => noDisk('memory'),
    async disturb(round) {
      const { rig } = round;
      await onDisk(rig.path(folder), 'memory', async (disk) => {
        const fillWhileItWorks = await fill(round, disk);
        const before = await jsonFile(rig.path(ENTRIES));
        const command = rig.start();
        await fillWhileItWorks?.(command);
        for (const ended of [await command.ended, await rig.run()]) {
          promised(ended, 1, exactly(rig.path(folder, file)), SPACE);
          await noHalfFiles(rig, before);
        }
        await disk.empty();
        promised(await rig.run(), 0);
      });
      await putBack?.(rig);
      return 2;
    },
  };
}

const fullDisks: readonly Disturbance[] = [
  full('the database', {
    folder: '',
    async fill(round, disk) {
      const { rig, note } = round;
      // With as much still to be written, and slow enough that the disk is full before it is.
      const number = aRequest(round) >> 1;
      note(`full from the ${number}. request on`);
      await rig.market.setFaults({ api: { latency: { min: 200, max: 300 } } });
      return async (command) => {
        await rig.arrived(command, number);
        await disk.fill();
      };
    },
  }),
  full('an image', {
    folder: 'images',
    async fill(round, disk) {
      const images = eventsOf(round, 'rename images/').length;
      // No image is smaller than a block, so that some do not fit.
      const room = round.random.int(images * BLOCK);
      round.note(`${room} bytes free for ${images} images`);
      await disk.fill(room);
      return undefined;
    },
  }),
  full('meta_data', {
    folder: 'small',
    file: ENTRIES,
    async fill({ rig, random, note }, disk) {
      const size = await linkInto(rig, 'small');
      const room = random.int(size);
      note(`${room} bytes free for ${size}`);
      await disk.fill(room);
      return undefined;
    },
    async putBack(rig) {
      await rename(rig.path('small', ENTRIES), rig.path(ENTRIES));
      await rm(rig.path('small'), { recursive: true });
    },
  }),
];

/** Meta_data lies in another folder, and a link leads to it. @returns about how long it will be at the least, bytes */
async function linkInto(rig: Rig, folder: string): Promise<number> {
  const [path, target] = [rig.path(ENTRIES), rig.path(folder, ENTRIES)];
  await cp(path, target).catch(() => writeFile(target, '{}\n'));
  await rm(path, { force: true });
  await symlink(join(folder, ENTRIES), path);
  const { listings } = await rig.truth();
  return JSON.stringify(
    listings.map(({ listing_id: id, shop_id, when_made }) => [id, { shop_id, when_made }]),
  ).length;
}

/** Starts the command, and resolves when a random one of its requests has arrived. */
async function startToARequest(round: Round): Promise<Command> {
  const number = aRequest(round);
  round.note(`at the ${number}. request`);
  const command = round.rig.start();
  await round.rig.arrived(command, number);
  return command;
}

const READ_ONLY = [/etsy_data\.db/, /read-only|writable|may be written/];

const refused: readonly Disturbance[] = [
  {
    name: "the database's folder read-only",
    kind: 'read-only',
    rounds: 2,
    worlds: ['weekly', 'first'],
    impossible: () => noDisk('memory'),
    async disturb({ rig }) {
      await onDisk(rig.folder, 'memory', async (disk) => {
        await disk.makeReadOnly(true);
        promised(await rig.run(), 1, ...READ_ONLY);
        await disk.makeReadOnly(false);
        promised(await rig.run(), 0);
      });
      return 1;
    },
  },
  {
    name: 'the disk broken, and so read-only, in the middle of a run',
    kind: 'read-only',
    rounds: 4,
    worlds: ['first', 'weekly'],
    impossible: () => noDisk('journaled'),
    async disturb(round) {
      const { rig } = round;
      await onDisk(rig.folder, 'journaled', async (disk) => {
        const command = await startToARequest(round);
        await disk.flush();
        await disk.breakDown();
        promised(await command.ended, 1, exactly(rig.folder), /[Cc]heck the disk|writable/);
        promised(await rig.run(), 1, ...READ_ONLY);
        await disk.mend();
        promised(await rig.run(), 0);
      });
      return 1;
    },
  },
  {
    name: 'a power cut in the middle of a run',
    rounds: 4,
    worlds: ['first', 'weekly'],
    impossible: () => noDisk('journaled'),
    async disturb(round) {
      const { rig } = round;
      await onDisk(rig.folder, 'journaled', async (disk) => {
        const before = await jsonFile(rig.path(ENTRIES));
        await disk.flush();
        const command = await startToARequest(round);
        await disk.breakDown();
        await command.kill();
        await disk.mend();
        const entries = await jsonFile(rig.path(ENTRIES));
        assert.ok(Object.keys(entries).length >= Object.keys(before).length, `${ENTRIES} has lost entries`);
        promised(await rig.run(), 0);
      });
      return 1;
    },
  },
];

export const disks: readonly Disturbance[] = [...fullDisks, ...refused];
