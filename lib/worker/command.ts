import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { UserError, describe, exitCodeOf } from '../errors.ts';
import { Models } from '../models/models.ts';
import { StopSwitch, killInfo } from '../pipeline/stop.ts';
import { readEnvFile } from '../store/env-file.ts';
import { httpsAddress } from '../task/forms.ts';
import { printable } from '../text/clean.ts';
import { Redactor } from '../text/redact.ts';
import { ADDRESS_FORM, redisAddress, refusalOf } from '../workers/address.ts';
import { Helper } from '../workers/helper.ts';
import type { HelperOptions } from '../workers/helper.ts';
import { checkInstalled } from '../workers/link.ts';
import { redisPassword } from '../workers/password.ts';
import { openWorkerScreen } from './screen.ts';

export interface WorkerOptions {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WritableStream;
  /** Of Redis, as it was typed. */
  readonly address: string;
  /** For tests. */
  readonly helper?: Partial<Omit<HelperOptions, 'address' | 'password'>>;
}

/** A mirror that this worker fetches models from, in place of the hosts that publish them. */
const SOURCE = 'SYNC_DATA_MODELS';
const KILL = 'KILL';

/**
 * `sync-data worker`: helps a coordinator until it is stopped. Needs no pipeline.yaml, no database and no key; keeps the
 * models in the current folder. @returns the exit code
 */
export async function worker(options: WorkerOptions): Promise<number> {
  const { cwd, env, stdout, stderr } = options;
  let secrets = new Redactor([]);
  try {
    const address = redisAddress(options.address);
    // What was typed is not shown: it may hold a password.
    if (!address)
      throw new UserError(`The address of Redis cannot be used: expected ${ADDRESS_FORM}.`, {
        exitCode: 2,
        hint: 'Such as: npx sync-data worker redis://imac.local:6379',
      });
    const password = await redisPassword(cwd, env);
    if (password !== undefined && password.length >= 8) secrets = new Redactor([password]);
    const refused = refusalOf(address, password !== undefined);
    if (refused) throw new UserError(refused.message, { exitCode: 2, hint: refused.hint });
    const killFile = join(cwd, KILL);
    if (killInfo(killFile))
      throw new UserError('A KILL file is in this folder.', {
        exitCode: 2,
        hint: 'Remove it, then start again: rm KILL',
      });
    checkInstalled();
    const source = await sourceOf(cwd, env);
    const folder = join(cwd, 'models');
    const models = new Models({ folder, source });
    const accelerated = new Models({ folder, source, threads: 1 });
    const stop = new StopSwitch(killFile);
    let helper: Helper | undefined;
    const screen = openWorkerScreen({
      stream: stdout,
      env,
      address: address.text,
      state: () => helper?.state(),
    });
    const tell = (message: string): void => screen.tell(secrets.text(printable(message)));
    try {
      helper = await Helper.open({ address, password, models, accelerated, tell, ...options.helper });
      stop.signal.addEventListener('abort', () =>
        tell(`Stopping: ${reasonOf(stop)}; finishing what is in hand.`),
      );
      await helper.work(stop.signal);
      return stop.stopped?.exitCode ?? 0;
    } finally {
      screen.close();
      await stop.close();
      await Promise.all([models.close(), accelerated.close()]);
    }
  } catch (error) {
    stderr.write(`${secrets.text(printable(describe(error)))}\n`);
    return exitCodeOf(error);
  }
}

function reasonOf({ stopped }: StopSwitch): string {
  return stopped?.message ?? '';
}

/** @throws UserError where it is no https address */
async function sourceOf(cwd: string, env: NodeJS.ProcessEnv): Promise<string | undefined> {
  const given = env[SOURCE]?.trim() ?? parseEnv((await readEnvFile(cwd)).text)[SOURCE]?.trim();
  if (!given) return undefined;
  const checked = httpsAddress().safeParse(given);
  if (checked.success) return checked.data;
  throw new UserError(`${SOURCE} is not an https address.`, {
    exitCode: 2,
    hint: 'Name a mirror with the paths of the hosts that publish the models, or leave it out.',
  });
}
