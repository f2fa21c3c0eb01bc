/** A message of the sources that nobody meets as one of what went wrong. */
export interface Unmet {
  readonly file: string;
  /** As `Written` has them. */
  readonly words: string;
  readonly why: string;
}

const OWN = 'would be a mistake in the code that calls it';
const NAME = 'stands in a message that is listed';
const SCREEN = 'the live screen says in other words what the lines say that are listed';
const OVER = 'history: tells in the report of a start that is long over';

export const UNMET: readonly Unmet[] = [
  { file: 'lib/store/database.ts', words: 'writeRelaxed', why: NAME },
  { file: 'lib/pipeline/config.ts', words: 'internal: this pipeline was not loaded from a file', why: OWN },
  { file: 'lib/pipeline/load-tasks.ts', words: 'internal: a task that was not loaded cannot run', why: OWN },
  { file: 'lib/store/migrate.ts', words: '…: two migrations have the number …', why: OWN },
  { file: 'lib/pipeline/graph.ts', words: 'internal: the stages were not checked: …', why: OWN },
  { file: 'lib/pipeline/graph.ts', words: 'internal: no stage is called …', why: OWN },
  { file: 'lib/pipeline/graph.ts', words: 'internal: stages without a circle have no order', why: OWN },
  { file: 'lib/pipeline/runner.ts', words: 'internal: no stage …', why: OWN },
  { file: 'tasks/rules/price-slices.ts', words: 'internal: a page of a slice that is not open', why: OWN },
  { file: 'lib/screen/margins.ts', words: 'next try in … (…)', why: SCREEN },
  { file: 'lib/screen/margins.ts', words: 'trying again', why: SCREEN },
  {
    file: 'checkpoints/starts.ts',
    words: 'ended unexpectedly (killed, power lost, or disk full)…',
    why: OVER,
  },
  { file: 'checkpoints/starts.ts', words: '; the last request was sent at …Z', why: OVER },
  { file: 'lib/models/threads.ts', words: 'internal: an answer to something else', why: OWN },
  { file: 'lib/run/crew.ts', words: 'internal: the address was checked before', why: OWN },
  { file: 'lib/workers/helper.ts', words: 'larger than allowed', why: NAME },
  { file: 'lib/workers/helper.ts', words: 'not understood', why: NAME },
  { file: 'lib/workers/lane.ts', words: 'the queue is not open', why: OWN },
  { file: 'lib/workers/coordinator.ts', words: 'no answer', why: OWN },
  { file: 'lib/workers/devices.ts', words: 'no answer', why: OWN },
  { file: 'lib/workers/hearing.ts', words: 'too late', why: NAME },
  { file: 'lib/workers/judge.ts', words: 'no vector', why: NAME },
  { file: 'lib/workers/judge.ts', words: 'no cutout', why: NAME },
  { file: 'lib/workers/helper.ts', words: 'it is not ready', why: OWN },
  { file: 'lib/workers/helper.ts', words: 'it was stopped', why: OWN },
];
