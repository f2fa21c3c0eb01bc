import { z } from 'zod';
import { block, expects, httpsAddress } from '../task/forms.ts';

export const models = block('What makes cutouts and vectors.', {
  source: httpsAddress()
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
});
