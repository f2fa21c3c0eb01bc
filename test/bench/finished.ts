import type { Rig, StartOptions } from '../rig.ts';

/** Runs the command to its end. @throws where that was not a good one */
export async function finished(rig: Rig, options: StartOptions = {}): Promise<void> {
  const { code, signal, stderr } = await rig.run(options);
  if (code !== 0) throw new Error(`The command ended with ${code ?? signal}: ${stderr}`);
}
