import assert from 'node:assert/strict';
import { cp, mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { imageFiles, jsonFile } from '../dump.ts';
import type { Command, Rig } from '../rig.ts';
import type { Disturbance, Round } from './disturbance.ts';
import { Disk, noDisk } from './disk.ts';
import type { DiskKind } from './disk.ts';
import { aRequest, exactly, promised } from './promise.ts';

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

interface Full {
  readonly disk: Disk;
  /** What the message names. */
  readonly path: string;
  readonly fill: (command: Command) => Promise<void>;
}

/** The disk fills up and the command fails and says why, when it is started again likewise; with room it goes on. */
async function untilThereIsRoom({ rig }: Round, { disk, path, fill }: Full): Promise<void> {
  const before = await jsonFile(rig.path(ENTRIES));
  const command = rig.start();
  await fill(command);
  for (const ended of [await command.ended, await rig.run()]) {
    promised(ended, 1, exactly(path), SPACE);
    await noHalfFiles(rig, before);
  }
  await disk.empty();
  promised(await rig.run(), 0);
}

const full: readonly Disturbance[] = [
  {
    name: 'the disk full while the database is written',
    kind: 'the disk full',
    rounds: 4,
    worlds: ['first', 'weekly'],
    impossible: () => noDisk('memory'),
    async disturb(round) {
      const { rig, note } = round;
      // With as much still to be written, and slow enough that the disk is full before it is.
      const number = aRequest(round) >> 1;
      note(`full from the ${number}. request on`);
      await rig.market.setFaults({ api: { latency: { min: 200, max: 300 } } });
      await onDisk(rig.folder, 'memory', (disk) =>
        untilThereIsRoom(round, {
          disk,
          path: rig.folder,
          fill: async (command) => {
            await rig.arrived(command, number);
            await disk.fill();
          },
        }),
      );
      return 2;
    },
  },
  {
    name: 'the disk full while an image is written',
    kind: 'the disk full',
    rounds: 4,
    worlds: ['first', 'weekly'],
    impossible: () => noDisk('memory'),
    async disturb(round) {
      const { rig, random, undisturbed } = round;
      const images = undisturbed.events.filter((event) => event.startsWith('rename images/')).length;
      // No image is smaller than a block, so that some do not fit.
      const room = random.int(images * BLOCK);
      round.note(`${room} bytes free for ${images} images`);
      await onDisk(rig.path('images'), 'memory', async (disk) => {
        await disk.fill(room);
        await untilThereIsRoom(round, { disk, path: rig.path('images'), fill: async () => undefined });
      });
      return 2;
    },
  },
  {
    name: 'the disk full while meta_data is written',
    kind: 'the disk full',
    rounds: 4,
    worlds: ['first', 'weekly'],
    impossible: () => noDisk('memory'),
    async disturb(round) {
      const { rig, random, note } = round;
      await onDisk(rig.path('small'), 'memory', async (disk) => {
        const size = await linkInto(rig, 'small');
        const room = random.int(size);
        note(`${room} bytes free for ${size}`);
        await disk.fill(room);
        await untilThereIsRoom(round, {
          disk,
          path: rig.path('small', ENTRIES),
          fill: async () => undefined,
        });
      });
      await rename(rig.path('small', ENTRIES), rig.path(ENTRIES));
      await rm(rig.path('small'), { recursive: true });
      return 2;
    },
  },
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
      const { rig, note } = round;
      const number = aRequest(round);
      note(`at the ${number}. request`);
      await onDisk(rig.folder, 'journaled', async (disk) => {
        const command = rig.start();
        await rig.arrived(command, number);
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
      const { rig, note } = round;
      const number = aRequest(round);
      note(`at the ${number}. request`);
      await onDisk(rig.folder, 'journaled', async (disk) => {
        const before = await jsonFile(rig.path(ENTRIES));
        await disk.flush();
        const command = rig.start();
        await rig.arrived(command, number);
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

export const disks: readonly Disturbance[] = [...full, ...refused];
