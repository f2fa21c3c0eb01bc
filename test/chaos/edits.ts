import { readFile, rm, writeFile } from 'node:fs/promises';
import type { Disturbance, Round } from './disturbance.ts';
import { finish } from './finish.ts';
import { killOnce } from './kills.ts';
import { pick } from './pick.ts';
import { STAGES } from './where.ts';

function oneOf({ rig, random }: Round): readonly number[] {
  return [pick(random, rig.taxonomies)];
}

/** As the user would, with an editor. */
async function editPipeline({ rig }: Round, edit: (text: string) => string): Promise<void> {
  const path = rig.path('pipeline.yaml');
  await writeFile(path, edit(await readFile(path, 'utf8')));
}

/** What is done to an installation between two starts, but for its images. */
export const edits: readonly Disturbance[] = [
  {
    name: 'pipeline.yaml: a category added',
    kind: 'pipeline.yaml',
    rounds: 4,
    worlds: ['first', 'weekly'],
    async disturb(round) {
      await round.rig.configure({ taxonomies: oneOf(round) });
      const ends = await killOnce(round);
      await round.rig.configure({});
      await finish(round.rig);
      return ends;
    },
  },
  {
    name: 'pipeline.yaml: a category removed, later put back',
    kind: 'pipeline.yaml',
    rounds: 4,
    worlds: ['weekly', 'first'],
    async disturb(round) {
      const ends = await killOnce(round);
      await round.rig.configure({ taxonomies: oneOf(round) });
      await finish(round.rig);
      await round.rig.configure({});
      await finish(round.rig);
      return ends;
    },
  },
  {
    name: 'pipeline.yaml: a stage renamed',
    kind: 'pipeline.yaml',
    rounds: 4,
    worlds: ['first', 'weekly'],
    async disturb(round) {
      const ends = await killOnce(round);
      await editPipeline(round, (text) =>
        text.replace('- id: crawl', '- id: walk').replaceAll('[crawl', '[walk'),
      );
      await finish(round.rig);
      return ends;
    },
  },
  {
    name: 'a stage alone after a SIGKILL',
    rounds: 6,
    worlds: ['first', 'weekly'],
    async disturb(round) {
      const ends = await killOnce(round);
      const stage = pick(round.random, STAGES);
      round.note(`--stage ${stage}`);
      await finish(round.rig, { stage });
      await finish(round.rig);
      return ends;
    },
  },
  {
    name: 'image_metadata.json deleted after a SIGKILL',
    rounds: 4,
    worlds: ['weekly', 'first'],
    async disturb(round) {
      const ends = await killOnce(round);
      await rm(round.rig.path('image_metadata.json'), { force: true });
      await finish(round.rig);
      return ends;
    },
  },
];
