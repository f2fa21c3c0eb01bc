import { z } from 'zod';
import { block } from '../task/forms.ts';
import { ADDRESS_FORM, ADDRESS_PATTERN, redisAddress } from './address.ts';

/** Left out: nothing of this folder is loaded. */
export const workers = block('Other computers that help with cutouts and vectors.', {
  redis: z
    .string({ error: () => `expected ${ADDRESS_FORM}` })
    // What was found is not shown: it may hold a password.
    .refine((value) => redisAddress(value) !== undefined, { error: () => `expected ${ADDRESS_FORM}` })
    .meta({ pattern: ADDRESS_PATTERN, patternErrorMessage: `expected ${ADDRESS_FORM}` })
    .optional()
    .describe(
      'The Redis or Valkey that workers share: redis://host:6379, or rediss:// with encryption. Its password is read from SYNC_DATA_REDIS. Default: none, threads of this computer alone.',
    ),
});
