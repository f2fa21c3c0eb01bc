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

/** What an undisturbed run of this world does that begins so. */
export function eventsOf({ undisturbed }: Round, beginning: string): string[] {
  return undisturbed.events.filter((event) => event.startsWith(beginning));
}

/** The number of a request, such that an undisturbed run has enough left to do after it to notice what is wrong. */
export function aRequest(round: Round): number {
  // Each request to the API is noted in the ledger.
  return 1 + round.random.int(Math.floor(eventsOf(round, 'sql INSERT INTO ledger ').length * 0.8));
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
