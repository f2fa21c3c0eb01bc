import type { Rig, StartOptions } from '../rig.ts';

/** More often than once is for disturbances that go on in the next start. */
const STARTS = 5;

/**
 * Starts the command until it has finished.
 *
 * @returns how many starts that took
 * @throws where it does not finish; with what the last start said
 */
export async function finish(rig: Rig, options: StartOptions = {}): Promise<number> {
  for (let start = 1; ; start += 1) {
    const { code, signal, stderr } = await rig.run(options);
    if (code === 0) return start;
    if (start === STARTS)
      throw new Error(
        `Started ${STARTS} times and still ended with ${code ?? signal}: ${stderr.slice(-500)}`,
      );
  }
}
