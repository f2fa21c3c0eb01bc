import assert from 'node:assert/strict';
import type { RequestRecord } from '../marketplace/index.ts';
import type { Ended, Rig } from '../rig.ts';
import type { Round } from './disturbance.ts';

/** @throws where the command did not end with this exit code, or did not say all of this. */
export function promised({ code, signal, stdout, stderr }: Ended, expected: number, ...says: RegExp[]): void {
  const said = `${stdout}\n${stderr}`;
  const end = said.slice(-1500);
  assert.equal(code ?? signal, expected, `it ended with ${code ?? signal}, not ${expected}:\n${end}`);
  for (const words of says) assert.ok(words.test(said), `it did not say ${String(words)}:\n${end}`);
}

/** How many requests an undisturbed run of this world sends to the API. */
export function apiRequests({ undisturbed }: Round): number {
  return undisturbed.events.filter((event) => event.startsWith('sql INSERT INTO ledger ')).length;
}

/** The number of a request, such that an undisturbed run has enough left to do after it to notice what is wrong. */
export function aRequest(round: Round): number {
  return 1 + round.random.int(Math.floor(apiRequests(round) * 0.8));
}

export function spoilt(requests: readonly RequestRecord[]): RequestRecord[] {
  return requests.filter((request) => request.fault !== undefined);
}

export function exactly(text: string): RegExp {
  return new RegExp(text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'));
}

/** What the command's clock is set to, with the marketplace's where it is: options for the next start. */
export async function clockAhead(rig: Rig, ms: number): Promise<{ env: NodeJS.ProcessEnv }> {
  const shift = (await rig.market.now()) - Date.now() + ms;
  return { env: { CLOCK_SHIFT_MS: String(Math.round(shift)) } };
}
