import { z } from 'zod';
import { durationUpTo, seconds } from '../task/duration.ts';
import { expects, form, path, text } from '../task/forms.ts';

// test/write-schema.ts makes of these, with their descriptions, the pipeline.schema.json that editors read.

/**
 * pipeline.yaml but for its stages, which are looked at one by one: a mistake in one must not hide the others'.
 *
 * @param blocks those of what the stages use: the API, the data, …
 */
export function settingsWith<Blocks extends z.core.$ZodLooseShape>(blocks: Blocks) {
  return z
    .strictObject(
      {
        name: text('a name').default('sync-data').describe('Shown on the screen. Default: sync-data.'),
        kill: path(
          'KILL',
          'Touch this file to stop cleanly; the next start goes on from there. A path from this file.',
        ),
        every: form(durationUpTo('3650d'), 'a duration from 1s to 3650d, such as 7d or 36h')
          .transform((value) => seconds(value) ?? 0)
          .optional()
          .describe(
            'sync-data stays, and begins a run so long after it began the last one. A number with its unit: s, m, h or d. Default: one run, then the end.',
          ),
        ...blocks,
        stages: z
          .array(z.unknown(), expects('a list of at least one stage'))
          .min(1, expects('a list of at least one stage'))
          .describe('What runs. A stage starts once all it needs have ended.'),
      },
      expects(`the keys name, kill, every, ${Object.keys(blocks).join(', ')}, stages`),
    )
    .describe('What sync-data runs, in which order, and how far it may go.');
}

const stageIds = (description: string) =>
  z
    .array(
      z.string(expects('the id of a stage')).describe('The id of a stage.'),
      expects('a list of stage ids, such as [crawl]'),
    )
    .default([])
    .describe(description);

export const stageSchema = z
  .strictObject(
    {
      id: form(
        /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/,
        'a word of lower-case letters, digits and dashes, such as price-check',
      ).describe('What other stages and --stage call it. Checkpoints are kept under it.'),
      task: text('a task module, such as ./tasks/crawl.ts').describe(
        "The module that does the work: a path from this file, one of sync-data's own (./tasks/crawl.ts), or a package.",
      ),
      needs: stageIds('Stages that must have ended before this one starts. Default: none.'),
      alongside: stageIds('Stages that this one starts together with; it ends after them. Default: none.'),
      kill: text('a path, relative to this file')
        .optional()
        .describe(
          'Touch this file to end this stage alone; the others go on, and the next start resumes it. A path from this file. Default: none.',
        ),
      with: z.unknown().optional().describe("The task's options."),
    },
    expects('a stage: id, task and, optionally, needs, alongside, kill, with'),
  )
  .describe('A stage: a task and its options.');
