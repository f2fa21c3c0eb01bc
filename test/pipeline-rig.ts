import assert from 'node:assert/strict';
import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { loadPipeline } from '../lib/pipeline/config.ts';
import { UserError } from '../lib/errors.ts';

export const repository = fileURLToPath(new URL('..', import.meta.url));
export const shelfPath = './test/fixtures/tasks/shelf.ts';

export const oneStage = ['stages:', '  - id: crawl', '    task: shelf'];

export const anyTask = `import { z } from 'zod';
export default {
  title: 'Mine',
  options: z.object({ limit: z.number().default(1) }).loose(),
  cursor: z.unknown(),
  units: () => [],
  async *run() {},
};
`;

export async function folderWith(t: TestContext, files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'pipeline-')));
  t.after(() => rm(folder, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), text);
  }
  return folder;
}

export async function refusalOf(cwd: string): Promise<UserError> {
  const error: unknown = await loadPipeline(cwd).then(
    () => assert.fail('expected to be refused'),
    (reason: unknown) => reason,
  );
  if (!(error instanceof UserError)) throw error;
  assert.equal(error.exitCode, 2);
  return error;
}

/** What is printed for a wrong pipeline.yaml, `shelf` standing for a task that is there. */
export function refuses(
  title: string,
  yaml: readonly string[],
  printed: readonly string[],
  files = {},
): void {
  void test(title, async (t) => {
    const text = yaml.join('\n').replaceAll('task: shelf', `task: ${shelfPath}`);
    const error = await refusalOf(await folderWith(t, { 'pipeline.yaml': text, ...files }));
    const expected = printed.join('\n').replaceAll('task: shelf', `task: ${shelfPath}`);
    assert.equal(error.message, expected);
    assert.equal(error.hint, 'Nothing has been started. Correct pipeline.yaml and start again.');
  });
}
