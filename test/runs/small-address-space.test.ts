import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { withRig } from '../rig.ts';

const COMMAND = fileURLToPath(new URL('../../lib/sync-data.js', import.meta.url));
const skip = process.platform === 'linux' ? false : 'only Linux limits the address space';

it(
  'where the address space is limited, the command starts again with less, and ends as that does',
  { skip },
  () =>
    withRig(
      { market: { categories: { 12371: { listings: 5 } } }, taxonomies: [12371], withoutImages: true },
      async (rig) => {
        const limited = (...args: string[]) => {
          const script = 'ulimit -v 3000000; exec "$@"';
          const env = { PATH: process.env['PATH'], HOME: rig.folder, TZ: 'UTC' };
          const command = ['-c', script, 'sh', process.execPath, COMMAND, ...args];
          return promisify(execFile)('sh', command, { cwd: rig.folder, env });
        };
        const { stdout } = await limited();
        assert.match(stdout, /listings\s+\d+ new/);
        await assert.rejects(limited('--stage', 'none'), { code: 2 });
      },
    ),
);
