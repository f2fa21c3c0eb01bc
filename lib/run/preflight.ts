import { rm } from 'node:fs/promises';
import { basename } from 'node:path';
import { UserError } from '../errors.ts';
import type { Pipeline, Stage } from '../pipeline/config.ts';
import { killInfo } from '../pipeline/stop.ts';

/**
 * The stages that are to run.
 * @throws UserError where there is none of that name
 */
export function selected(pipeline: Pipeline, onlyStage: string | undefined): readonly Stage[] {
  if (onlyStage === undefined) return pipeline.stages;
  const stage = pipeline.stages.find(({ id }) => id === onlyStage);
  if (stage) return [stage];
  throw new UserError(`There is no stage "${onlyStage}" in ${basename(pipeline.file)}.`, {
    exitCode: 2,
    hint: `Name one of these: ${pipeline.stages.map(({ id }) => id).join(', ')}`,
  });
}

/**
 * A KILL file that is there from before is left: it may be meant for more than this start. One touched since is obeyed.
 *
 * @throws UserError where the run's is there, or that of the one stage that is to run
 */
export async function refuseKill(pipeline: Pipeline, onlyStage: string | undefined): Promise<void> {
  const own = pipeline.stages.find(({ id }) => id === onlyStage)?.kill;
  for (const file of own === undefined ? [pipeline.kill] : [pipeline.kill, own]) {
    const info = killInfo(file);
    if (!info) continue;
    if (info.ctimeMs > performance.timeOrigin) {
      // What cannot be removed (a folder) is reported at the next start.
      await rm(file, { force: true }).catch(() => undefined);
      throw new UserError(`Stopped by the ${basename(file)} file before the first stage started.`, {
        exitCode: 75,
        hint: 'To resume: npx sync-data',
      });
    }
    throw new UserError(`The file ${file} exists, so nothing was started.`, {
      exitCode: 75,
      hint: 'Remove it and start again.',
    });
  }
}
