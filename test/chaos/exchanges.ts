import { existsSync } from 'node:fs';
import { cp, rename, rm } from 'node:fs/promises';
import { setTimeout as nap } from 'node:timers/promises';
import type { Disturbance, Round } from './disturbance.ts';
import { finish } from './finish.ts';
import { exactly, promised } from './promise.ts';

/**
 * Somebody works on a file or folder of the installation while a run does.
 * @param exchange puts something else in its place, or nothing
 * @param said where the run had not ended by then
 */
async function exchanged(
  round: Round,
  name: string,
  exchange: (path: string) => Promise<void>,
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
  await rename(path, away);
  await exchange(path);
  const ended = await command.ended;
  note(`${name} exchanged at the first image: ${ended.code ?? ended.signal}`);
  promised(ended, 1, exactly(`${path} ${said} while sync-data was using it.`));
  await rm(path, { recursive: true, force: true });
  await rename(away, path);
  await finish(rig);
  return 1;
}

/** What other programs do to the files while a run works with them. */
export const exchanges: readonly Disturbance[] = [
  {
    name: 'the database exchanged during a run',
    rounds: 4,
    worlds: ['weekly'],
    async disturb(round) {
      const copy = round.rig.path('a copy.db');
      await cp(round.rig.path('etsy_data.db'), copy);
      const back = (path: string): Promise<void> => cp(copy, path);
      const ends = await exchanged(round, 'etsy_data.db', back, 'was replaced by another file');
      await rm(copy);
      return ends;
    },
  },
  {
    name: 'the folder of images moved during a run',
    rounds: 4,
    worlds: ['weekly'],
    disturb: (round) => exchanged(round, 'images', () => Promise.resolve(), 'was moved or deleted'),
  },
];
