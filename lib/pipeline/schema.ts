import { z } from 'zod';
import { durationUpTo, seconds } from '../task/duration.ts';
import { expects } from './validate.ts';

// test/write-schema.ts makes of these, with their descriptions, the pipeline.schema.json that editors read.

/** A form to be met, with a message of ours here and in editors. */
const form = (pattern: RegExp, what: string) =>
  z
    .string(expects(what))
    .regex(pattern, expects(what))
    .meta({ patternErrorMessage: `expected ${what}` });

const text = (what: string) => form(/\S/, what);

function duration(fallback: string, most: string, description: string, examples: string) {
  return form(durationUpTo(most), `a duration from 1s to ${most}, such as ${examples}`)
    .transform((value) => seconds(value) ?? 0)
    .prefault(fallback)
    .describe(`${description} A number with its unit: s, m, h or d. Default: ${fallback}.`);
}

/** A block left out and a block whose keys are all commented out mean the same: its defaults. */
function block<Shape extends z.core.$ZodLooseShape>(description: string, shape: Shape) {
  const keys = z.strictObject(shape, expects(`a block with keys of: ${Object.keys(shape).join(', ')}`));
  return z.preprocess((value) => value ?? {}, keys).meta({ description, type: ['object', 'null'] });
}

const loopback = String.raw`(127\.0\.0\.1|localhost|\[::1\])`;
const host = String.raw`([^\s/?#@:\\[\]]+|\[[0-9a-fA-F:.]+\])`;
/** The key travels in a header: over plain http it may go nowhere but to this machine. */
const address = new RegExp(`^(https://${host}|http://${loopback})(:[0-9]{1,5})?(/[^\\s?#]*)?$`);

const httpsAddress = 'an https address without query (http only for localhost, 127.0.0.1 or [::1])';
const baseUrl = expects(httpsAddress);
const qps = expects('a number above 0 and at most 5, the most Etsy allows');
const year = expects('a year from 1700 to 2100');
const path = (fallback: string, description: string) =>
  text('a path, relative to this file').default(fallback).describe(`${description} Default: ${fallback}.`);

/** pipeline.yaml but for its stages, which are looked at one by one: a mistake in one must not hide the others'. */
export const settingsSchema = z
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
      api: block('The Etsy API, and how hard it may be asked.', {
        baseUrl: z
          .string(baseUrl)
          .refine((value) => address.test(value) && URL.canParse(value), baseUrl)
          .meta({ pattern: address.source, patternErrorMessage: `expected ${httpsAddress}` })
          .transform((value) => value.replace(/\/+$/, ''))
          .prefault('https://openapi.etsy.com/v3/application')
          .describe(
            'Where the API is; the key is sent there. Default: https://openapi.etsy.com/v3/application.',
          ),
        qps: z
          .number(qps)
          .positive(qps)
          .max(5, qps)
          .default(5)
          .describe(
            'Requests a second, shared by every stage, retries included. Default: 5, the most Etsy allows.',
          ),
        onQuota: z
          .enum(['wait', 'stop'], expects('wait or stop'))
          .default('wait')
          .describe(
            'When the daily quota is used up: wait until calls come back, or stop with exit code 75. Default: wait.',
          ),
        // A timer longer than 24 days would fire at once.
        timeout: duration('30s', '1h', 'How long one request may take.', '30s or 5m'),
        giveUpAfter: duration(
          '30m',
          '3650d',
          'How long the API may give no good answer before the run fails.',
          '7d, 36h, 90m or 30s',
        ),
      }),
      data: block('Where the dataset lies.', {
        database: path('etsy_data.db', 'The SQLite database with everything in it. A path from this file.'),
        metadata: path(
          'image_metadata.json',
          'The file of meta_data, an entry a listing. A path from this file.',
        ),
        images: path('images', 'The folder of the images, one a listing. A path from this file.'),
        cutouts: path(
          'cutouts',
          'The folder of the images without their background, one a listing. A path from this file.',
        ),
        models: path(
          'models',
          'The folder of the models that make cutouts and vectors; files put there by hand are used. A path from this file.',
        ),
      }),
      models: block('What makes cutouts and vectors.', {
        source: z
          .string(baseUrl)
          .refine((value) => address.test(value) && URL.canParse(value), baseUrl)
          .meta({ pattern: address.source, patternErrorMessage: `expected ${httpsAddress}` })
          .optional()
          .describe(
            'Where models are fetched from, in place of the hosts they are published on: a mirror with the same paths. Default: those hosts.',
          ),
        threads: z
          .int(expects('a whole number from 1 to 64'))
          .min(1, expects('a whole number from 1 to 64'))
          .max(64, expects('a whole number from 1 to 64'))
          .optional()
          .describe('Threads that run models at once. Default: one per core but one, as far as memory goes.'),
      }),
      rules: block('What is kept, and how fresh.', {
        madeSince: z
          .int({ ...year, abort: true })
          .min(1700, year)
          .max(2100, year)
          .default(2000)
          .describe(
            'Year. A listing made earlier, or not certainly later, is an entry in meta_data and nothing else. Default: 2000.',
          ),
        refreshAfter: duration(
          '7d',
          '3650d',
          "A listing, shop or shop's reviews seen more recently are left alone.",
          '7d, 36h, 90m or 30s',
        ),
      }),
      stages: z
        .array(z.unknown(), expects('a list of at least one stage'))
        .min(1, expects('a list of at least one stage'))
        .describe('What runs. A stage starts once all it needs have ended.'),
    },
    expects('the keys name, kill, every, api, data, models, rules, stages'),
  )
  .describe('What sync-data runs, in which order, and how far it may go.');

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
