import { z } from 'zod';
import { tellFindings } from '../lib/dataset/tells.ts';
import { defineTask } from '../lib/define-task.ts';
import { checkFiles } from './rules/check-files.ts';
import { checkRecords } from './rules/check-records.ts';
import { repair } from './rules/repair.ts';

const KINDS = [
  'missing-listing',
  'missing-listing-dynamic',
  'missing-shop',
  'missing-shop-dynamic',
  'missing-image',
  'image-without-entry',
  'image-not-on-record',
  'entry-without-image',
  'foreign-file',
  'listing-without-entry',
  'made-before',
  'unseen-listings',
] as const;

const options = z.object({
  tolerate: z
    .array(z.enum(KINDS))
    .default([])
    .describe(
      'Kinds of findings not to look for, such as missing-image on a machine without images. Default: none.',
    ),
});
const cursor = z.object({
  /** Everything up to this listing id has been looked at. */
  after: z.int(),
});

/** Is everything in step? What is not becomes a finding; what can be put right is put right in the same run. */
export default defineTask({
  title: 'Verify',
  carriesOver: true,
  options,
  cursor,
  uses: ['api', 'cdn', 'entries'],
  tells: tellFindings,

  units: () => [
    { id: 'records', title: 'Rows of every entry', noun: 'entries' },
    { id: 'files', title: 'Image files', noun: 'images' },
    { id: 'repair', title: 'Repairs' },
  ],

  run(unit, at, { services, runId, stop, options: { tolerate } }) {
    const context = { services, runId, stop, tolerated: new Set<string>(tolerate) };
    if (unit.id === 'records') return checkRecords(at?.after ?? 0, context);
    if (unit.id === 'files') return checkFiles(at?.after ?? 0, context);
    return repair(context);
  },
});
