import { existsSync } from 'node:fs';
import { cp, link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { setTimeout as nap } from 'node:timers/promises';
import type { Rig } from '../rig.ts';
import type { Disturbance, Round } from './disturbance.ts';
import { finish } from './finish.ts';
import { pick } from './pick.ts';
import { aRequest, exactly, promised } from './promise.ts';

/**
 * Somebody works on a file or folder of the installation while a run does.
 * @param exchange puts something else in its place, or nothing, and what was there away
 * @param said where the run had not ended by then
 */
async function exchanged(
  round: Round,
  name: string,
  exchange: (path: string, away: string) => Promise<void>,
  said: string,
): Promise<number> {
  const { rig, note } = round;
  const path = rig.path(name);
  const away = rig.path(`${name} of before`);
  const images = async (): Promise<number> => (await rig.requests(/./, 'cdn')).length;
  const before = await images();
  const command = rig.start();
  // From its first image on it has all of them open.
  while (!command.isOver && (await images()) === before) await nap(10);
  if (command.isOver || !existsSync(path)) {
    await command.ended;
    await finish(rig);
    return 0;
  }
  await exchange(path, away);
  const ended = await command.ended;
  note(`${name} exchanged at the first image: ${ended.code ?? ended.signal}`);
  promised(ended, 1, exactly(`${path} ${said} while sync-data was using it.`));
  await rm(path, { recursive: true, force: true });
  await rename(away, path);
  await finish(rig);
  return 1;
}

/** As a script does that adds labels: a whole file, written beside it and moved into its place. */
async function edit(rig: Rig, change: (entries: Entries) => void): Promise<void> {
  const path = rig.path('image_metadata.json');
  const entries = JSON.parse(await readFile(path, 'utf8')) as Entries;
  change(entries);
  await writeFile(`${path} of a script`, JSON.stringify(entries));
  await rename(`${path} of a script`, path);
}

type Entries = Record<string, Record<string, unknown>>;

/** What other programs do to the files while a run works with them. */
export const exchanges: readonly Disturbance[] = [
  {
    name: 'the database exchanged during a run',
    kind: 'exchanged',
    rounds: 4,
    worlds: ['weekly'],
    async disturb(round) {
      const copy = round.rig.path('a copy.db');
      await cp(round.rig.path('etsy_data.db'), copy);
      const back = async (path: string, away: string): Promise<void> => {
        await link(path, away);
        // At one stroke: else for a moment there would be no file, or half of one.
        await rename(copy, path);
      };
      const ends = await exchanged(round, 'etsy_data.db', back, 'was replaced by another file');
      await rm(copy, { force: true });
      return ends;
    },
  },
  {
    name: 'the folder of images moved during a run',
    kind: 'exchanged',
    rounds: 4,
    worlds: ['weekly'],
    disturb: (round) => exchanged(round, 'images', rename, 'was moved or deleted'),
  },
  {
    name: 'the folder of the dataset moved during a run',
    kind: 'exchanged',
    rounds: 4,
    worlds: ['first', 'weekly'],
    async disturb(round) {
      const { rig, note } = round;
      const away = `${rig.folder} moved`;
      const number = aRequest(round);
      const command = rig.start();
      await rig.arrived(command, number);
      await rename(rig.folder, away);
      const ended = await command.ended;
      note(`moved at the ${number}. request: ${ended.code ?? ended.signal}`);
      const isMadeAnew = existsSync(rig.folder);
      if (!isMadeAnew) await rename(away, rig.folder);
      promised(
        ended,
        1,
        exactly(`${rig.path('etsy_data.db')} was moved or deleted while sync-data was using`),
      );
      if (isMadeAnew) throw new Error(`${rig.folder} was made anew`);
      await finish(rig);
      return 1;
    },
  },
  {
    name: 'image_metadata.json edited three times during a run',
    rounds: 4,
    worlds: ['weekly'],
    async disturb(round) {
      const { rig, random, note } = round;
      const ids = Object.keys(await rig.json()).filter((key) => /^\d+$/.test(key));
      const labelled = new Set<string>();
      const numbers = [aRequest(round), aRequest(round), aRequest(round)].toSorted((a, b) => a - b);
      const command = rig.start();
      for (const number of numbers) {
        await rig.arrived(command, number);
        const id = pick(random, ids);
        labelled.add(id);
        note(`${id} labelled at the ${number}. request`);
        await edit(rig, (entries) => {
          entries[id] = { ...entries[id], label: number };
          entries['_labels'] = { last: number };
        });
      }
      promised(await command.ended, 0);
      const entries = (await rig.json()) as Entries;
      const lost = [...labelled].filter((id) => typeof entries[id]?.['label'] !== 'number');
      if (lost.length > 0 || entries['_labels']?.['last'] !== numbers.at(-1))
        throw new Error(`labels lost: ${lost.join(', ')}; ${JSON.stringify(entries['_labels'])}`);
      // What is not ours is as the file has it, also where it is gone.
      await edit(rig, (all) => {
        for (const id of labelled) delete all[id]?.['label'];
        delete all['_labels'];
      });
      await finish(rig);
      return 0;
    },
  },
];
