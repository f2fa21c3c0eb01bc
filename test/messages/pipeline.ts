import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { packageFolder } from '../../lib/pipeline/load-tasks.ts';
import { command } from './provoke.ts';
import type { Row } from './row.ts';

const NEXT = 'Nothing has been started. Correct pipeline.yaml and start again.';
export const STAGES = ['stages:', '  - { id: crawl, task: ./task.ts }'];

export const TASK = `import { z } from 'zod';
export default {
  title: 'Mine',
  options: z.object({
    many: z.array(z.string()).min(2).optional(), few: z.array(z.string()).max(1).optional(),
    word: z.string().min(2).optional(), short: z.string().max(1).optional(), mail: z.email().optional(),
    shelf: z.string().regex(/^[a-z]$/).optional(), step: z.number().multipleOf(5).optional(),
    above: z.number().gt(1).optional(), below: z.number().lt(1).optional(), most: z.number().max(1).optional(),
    whole: z.int().optional(), yes: z.boolean().optional(), table: z.record(z.string(), z.number()).optional(),
    kind: z.enum(['new', 'old']).optional(), either: z.union([z.string(), z.number()]).optional(), must: z.string(),
    none: z.strictObject({}).optional(), list: z.array(z.string()).optional(),
  }),
  cursor: z.unknown(),
  units: () => [],
  async *run() {},
};
`;

/** What is said of a pipeline.yaml, beside these files. */
export function written(
  when: string,
  yaml: readonly string[],
  text: readonly string[],
  files: Readonly<Record<string, string>> = {},
): Row {
  return {
    when,
    provoke: async (folder) => {
      const any = TASK.replace('must: z.string(),', '');
      await folder.write({
        'task.ts': any,
        'node_modules/none': '',
        ...files,
        'pipeline.yaml': yaml.join('\n'),
      });
      await symlink(join(packageFolder, 'node_modules/zod'), join(folder.path, 'node_modules/zod'));
      return command(folder);
    },
    text,
    next: NEXT,
    exitCode: 2,
  };
}
