import { lstat, mkdir, readFile, readdir, rm, stat, symlink, truncate, writeFile } from 'node:fs/promises';
import type { Rig } from '../rig.ts';
import type { Disturbance, Round } from './disturbance.ts';
import { finish } from './finish.ts';
import { killOnce } from './kills.ts';
import { pick } from './pick.ts';

/** @param other an image of another listing */
const DAMAGES: Readonly<Record<string, (path: string, other: string) => Promise<void>>> = {
  deleted: (path) => rm(path),
  emptied: (path) => truncate(path),
  halved: async (path) => truncate(path, Math.ceil((await stat(path)).size / 2)),
  replaced: async (path, other) => writeFile(path, await readFile(other)),
};

/** @returns the ids of the listings whose images it damaged */
async function damage({ rig, random, note }: Round): Promise<string[]> {
  const { listings } = await rig.truth();
  // An image can be had again only while its listing is on offer and still shows it.
  const rows = await rig.rows<{ id: number; image: number }>(
    'SELECT listing_id AS id, image_id AS image FROM images',
  );
  const stored = new Map(rows.map(({ id, image }) => [id, image]));
  const same = listings.filter(({ listing_id: id, image }) => image && stored.get(id) === image.image_id);
  const offered = new Set(same.map(({ listing_id }) => `${listing_id}.jpg`));
  const names = (await readdir(rig.path('images'))).filter((name) => offered.has(name)).toSorted();
  const chosen = new Set(Array.from({ length: 4 + random.int(8) }, () => pick(random, names)));
  const whole = names.filter((name) => !chosen.has(name));
  for (const name of chosen) {
    const how = pick(random, Object.keys(DAMAGES));
    await DAMAGES[how]?.(rig.path('images', name), rig.path('images', pick(random, whole)));
    note(`${name} ${how}`);
  }
  return [...chosen].map((name) => name.replace('.jpg', ''));
}

/** @throws where verify has not told, and repaired, each of these since that run */
async function checkTold(rig: Rig, ids: readonly string[], since: number): Promise<void> {
  const rows = await rig.rows<{ subject: string; detail: string; repaired: number }>(
    "SELECT subject, detail, repaired FROM findings WHERE kind = 'missing-image' AND run_id > ?",
    [since],
  );
  const repaired = new Set(rows.filter((row) => row.repaired === 1).map(({ subject }) => subject));
  const wrong = ids.filter((id) => !repaired.has(id));
  if (wrong.length === 0) return;
  const open = rows.filter(({ subject }) => wrong.includes(subject)).map((row) => JSON.stringify(row));
  throw new Error(
    `not told as found and repaired: ${wrong.join(', ')}; what is told of them: ${open.join(', ')}`,
  );
}

/** What a user may have lying in images/, and a link in the place of an image to a file that is the user's own. */
async function clutter(rig: Rig, listing: number): Promise<void> {
  await mkdir(rig.path('images', 'old'), { recursive: true });
  await writeFile(rig.path('images', 'old', '1.jpg'), 'mine');
  await writeFile(rig.path('images', 'notes.txt'), 'mine');
  await writeFile(rig.path('own picture'), 'mine');
  await rm(rig.path('images', `${listing}.jpg`), { force: true });
  await symlink(rig.path('own picture'), rig.path('images', `${listing}.jpg`));
}

/** @throws where what is the user's was touched or not told, or the link is still in the image's place */
async function checkClutter(rig: Rig, listing: number): Promise<void> {
  for (const path of [
    rig.path('own picture'),
    rig.path('images', 'old', '1.jpg'),
    rig.path('images', 'notes.txt'),
  ]) {
    if ((await readFile(path, 'utf8').catch(() => '')) !== 'mine') throw new Error(`${path} was touched`);
  }
  const told = await rig.rows<{ subject: string }>(
    `SELECT subject FROM findings WHERE kind = 'foreign-file' AND repaired = 0
     AND run_id = (SELECT max(id) FROM runs) ORDER BY subject`,
  );
  const subjects = told.map(({ subject }) => subject).join(', ');
  if (subjects !== 'notes.txt, old') throw new Error(`told as foreign: ${subjects}`);
  const image = await lstat(rig.path('images', `${listing}.jpg`));
  if (!image.isFile()) throw new Error(`images/${listing}.jpg is no file of its own`);
}

/** What is done to images/ between two runs. */
export const tampering: readonly Disturbance[] = [
  {
    name: 'images deleted, emptied, halved, replaced',
    rounds: 8,
    worlds: ['first', 'weekly'],
    async disturb(round) {
      const { rig, random } = round;
      await finish(rig);
      const since = await rig.number('SELECT max(id) AS n FROM runs');
      const ids = await damage(round);
      const ends = random.chance(0.5) ? await killOnce(round) : 0;
      await finish(rig);
      await checkTold(rig, ids, since);
      return ends;
    },
  },
  {
    name: 'foreign files, a folder and a link in images/',
    rounds: 4,
    worlds: ['first', 'weekly'],
    async disturb(round) {
      const { rig, random } = round;
      const { listings } = await rig.truth();
      const { listing_id } = pick(
        random,
        listings.filter((listing) => listing.since2000 && listing.image),
      );
      if (random.chance(0.5)) await finish(rig);
      await clutter(rig, listing_id);
      const ends = random.chance(0.5) ? await killOnce(round) : 0;
      await finish(rig);
      await checkClutter(rig, listing_id);
      // The next run no longer tells of them.
      for (const name of ['old', 'notes.txt']) await rm(rig.path('images', name), { recursive: true });
      await finish(rig);
      return ends;
    },
  },
];
