import { readFile } from 'node:fs/promises';
import { setTimeout as nap } from 'node:timers/promises';
import type { Command, Rig, StartOptions } from '../rig.ts';

/** Requests of a process that ended shortly before are held against the next one's limit for so long. Milliseconds. */
const AFTER_A_RUN_MS = 2100;
/** A smaller rise of memory is not told. */
const STEP_MB = 1;

export interface Measured {
  readonly code: number | null;
  /** From the start of the process to its first API request at the marketplace; undefined: it made none. */
  readonly firstRequestMs: number | undefined;
  /** Highest resident memory; 0 where the system does not tell. */
  readonly peakMb: number;
  /** When that rose by some MB, in seconds from the start, and to what. */
  readonly rises: readonly { readonly seconds: number; readonly mb: number }[];
  readonly seconds: number;
  /** From KILL being touched to the end of the process; undefined: it ended by itself. */
  readonly stopMs: number | undefined;
  readonly stderr: string;
}

/**
 * Runs the real command at its real pace.
 * @param until ends it by KILL, or with SIGKILL, once so many API requests have arrived
 */
export async function measured(
  rig: Rig,
  options: StartOptions = {},
  until?: { requests: number; by: 'KILL' | 'SIGKILL' },
): Promise<Measured> {
  await nap(AFTER_A_RUN_MS);
  await rig.market.resetRequests();
  const began = performance.now();
  const command = rig.start({ ...options, qps: 'exact' });
  const rising = risesOf(command);
  let stopped: number | undefined;
  if (until) {
    await rig.arrived(command, until.requests);
    stopped = performance.now();
    if (until.by === 'KILL') await rig.touchKill();
    else await command.kill();
  }
  const { code, stderr } = await command.ended;
  const ended = performance.now();
  const [first] = await rig.requests();
  const rises = await rising;
  return {
    code,
    firstRequestMs: first && first.at - performance.timeOrigin - began,
    peakMb: rises.at(-1)?.mb ?? 0,
    rises,
    seconds: (ended - began) / 1000,
    stopMs: stopped && ended - stopped,
    stderr,
  };
}

async function risesOf(command: Command): Promise<{ seconds: number; mb: number }[]> {
  const rises: { seconds: number; mb: number }[] = [];
  const began = performance.now();
  while (!command.isOver) {
    const status = await readFile(`/proc/${command.pid}/status`, 'utf8').catch(() => '');
    const mb = Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? 0) / 1024;
    if (mb >= (rises.at(-1)?.mb ?? 0) + STEP_MB)
      rises.push({ seconds: (performance.now() - began) / 1000, mb });
    await nap(20);
  }
  return rises;
}
