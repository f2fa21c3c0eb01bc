import { parseEnv } from 'node:util';
import { UserError } from '../errors.ts';
import { readEnvFile } from '../store/env-file.ts';
import { PASSWORD } from './address.ts';

/**
 * The password of Redis, from the environment, else from `.env` in this folder; undefined where neither has one.
 * @throws UserError where .env cannot be read
 */
export async function redisPassword(folder: string, env: NodeJS.ProcessEnv): Promise<string | undefined> {
  const inEnv = env[PASSWORD]?.trim();
  if (inEnv) return inEnv;
  const { text, problem } = await readEnvFile(folder);
  if (problem !== undefined)
    throw new UserError(`The password of Redis cannot be read: ${problem}`, {
      exitCode: 2,
      hint: `Make .env readable, or put ${PASSWORD} into the environment.`,
    });
  const inFile = parseEnv(text)[PASSWORD]?.trim();
  return inFile ? inFile : undefined;
}
