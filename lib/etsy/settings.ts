import { z } from 'zod';
import { block, duration, expects, httpsAddress } from '../task/forms.ts';

// The blocks of pipeline.yaml that are this source's.

const qps = expects('a number above 0 and at most 5, the most Etsy allows');
const year = expects('a year from 1700 to 2100');

export const api = block('The Etsy API, and how hard it may be asked.', {
  baseUrl: httpsAddress()
    .transform((value) => value.replace(/\/+$/, ''))
    .prefault('https://openapi.etsy.com/v3/application')
    .describe('Where the API is; the key is sent there. Default: https://openapi.etsy.com/v3/application.'),
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
});

export const rules = block('What is kept, and how fresh.', {
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
});
