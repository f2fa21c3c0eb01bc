import { z } from 'zod';
import { expects } from './validate.ts';

const text = (what: string) => z.string(expects(what)).regex(/\S/, expects(what));

const unitSeconds: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

/** Seconds in 7d, 36h, 90m or 30s. A plain number says nothing about its unit and is refused. */
export function seconds(duration: string): number | undefined {
  const [, amount, unit] = /^(\d+)([smhd])$/.exec(duration) ?? [];
  const factor = unit === undefined ? undefined : unitSeconds[unit];
  return factor === undefined ? undefined : Number(amount) * factor;
}

function duration(fallback: string, most: string) {
  const expected = expects(`a duration such as 7d, 36h, 90m or 30s, at most ${most}`);
  const limit = seconds(most) ?? 0;
  const isAllowed = (value: string): boolean => {
    const length = seconds(value) ?? 0;
    return length > 0 && length <= limit;
  };
  return z
    .string(expected)
    .refine(isAllowed, expected)
    .transform((value) => seconds(value) ?? 0)
    .prefault(fallback);
}

/** A block left out and a block whose keys are all commented out mean the same: its defaults. */
function block<Shape extends z.core.$ZodLooseShape>(shape: Shape) {
  const keys = z.strictObject(shape, expects(`a block with keys of: ${Object.keys(shape).join(', ')}`));
  return z.preprocess((value) => value ?? {}, keys);
}

const loopback = new Set(['127.0.0.1', 'localhost', '[::1]']);

/** The key travels in a header: over plain http it may go nowhere but to this machine. */
function isBaseUrl(value: string): boolean {
  if (!URL.canParse(value)) return false;
  const { protocol, hostname, username, password, search, hash } = new URL(value);
  if (username || password || search || hash) return false;
  return protocol === 'https:' || (protocol === 'http:' && loopback.has(hostname));
}

const baseUrl = expects('an https address without query (http only for localhost, 127.0.0.1 or [::1])');
const qps = expects('a number above 0 and at most 5, which is as much as Etsy allows');
const year = expects('a year from 1700 to 2100');
const path = (fallback: string) => text('a path, relative to this file').default(fallback);

/** pipeline.yaml but for its stages, which are looked at one by one: a mistake in one must not hide the others'. */
export const settingsSchema = z.strictObject(
  {
    name: text('a name').default('sync-data'),
    kill: path('KILL'),
    api: block({
      baseUrl: z
        .string(baseUrl)
        .refine(isBaseUrl, baseUrl)
        .transform((value) => value.replace(/\/+$/, ''))
        .prefault('https://openapi.etsy.com/v3/application'),
      qps: z.number(qps).positive(qps).max(5, qps).default(5),
      onQuota: z.enum(['wait', 'stop'], expects('wait or stop')).default('wait'),
      // A timer longer than 24 days would fire at once.
      timeout: duration('30s', '1h'),
      giveUpAfter: duration('30m', '3650d'),
    }),
    data: block({
      database: path('etsy_data.db'),
      metadata: path('image_metadata.json'),
      images: path('images'),
    }),
    rules: block({
      madeSince: z
        .number(year)
        .refine((value) => Number.isInteger(value) && value >= 1700 && value <= 2100, year)
        .default(2000),
      refreshAfter: duration('7d', '3650d'),
    }),
    stages: z
      .array(z.unknown(), expects('a list of at least one stage'))
      .min(1, expects('a list of at least one stage')),
  },
  expects('the keys name, kill, api, data, rules, stages'),
);

const stageId = 'a word of lower-case letters, digits and dashes, such as price-check';
const stageIds = (example: string) =>
  z
    .array(z.string(expects('the id of a stage')), expects(`a list of stage ids, such as ${example}`))
    .default([]);

export const stageSchema = z.strictObject(
  {
    id: z.string(expects(stageId)).regex(/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/, expects(stageId)),
    task: text('a task module, such as ./tasks/crawl.ts'),
    needs: stageIds('[crawl]'),
    alongside: stageIds('[crawl]'),
    with: z.unknown().optional(),
  },
  expects('a stage: id, task and, where wanted, needs, alongside, with'),
);
