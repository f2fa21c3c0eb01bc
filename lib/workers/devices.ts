import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Loadable, ThreadAnswer } from '../models/inference.ts';
import type { Job, OwnPool, Result } from '../models/jobs.ts';
import { clip, oneLine } from '../text/clean.ts';
import { disagreement } from './agree.ts';

/** Accelerators, as ONNX Runtime names them, in the order in which they are tried. */
const ON: Partial<Record<NodeJS.Platform, readonly string[]>> = {
  win32: ['dml', 'webgpu'],
  darwin: ['coreml', 'webgpu'],
  linux: ['cuda', 'webgpu'],
};
/** Loading a driver and warming up. Milliseconds. */
const PATIENCE_MS = 120_000;
/** Taken where it needs at most this share of the processor's time. */
const FASTER = 0.8;

/** What a trial came to. @throws Error where the device cannot be used */
export type Trial = (
  device: string,
  job: Job,
  loadable: Loadable,
) => Promise<{ ms: number; items: readonly Result[] }>;

export interface DeviceOptions {
  readonly own: OwnPool;
  readonly job: Job;
  readonly loadable: Loadable;
  /** Called with what was found of each. */
  readonly tell: (message: string) => void;
  /** For tests. Default: those of this system. */
  readonly candidates?: readonly string[] | undefined;
  readonly trial?: Trial | undefined;
}

/**
 * Has each accelerator of this system answer the probes, and takes the fastest that is faster than all threads of the
 * processor together and answers as it does. One that cannot be loaded is passed over.
 * @returns its name, or cpu; and how the processor answered
 */
export async function bestDevice(
  options: DeviceOptions,
): Promise<{ device: string; items: readonly Result[] }> {
  const { own, job, loadable, tell, trial = tryInProcess } = options;
  const candidates = options.candidates ?? ON[process.platform] ?? [];
  // The first time a model is loaded and warmed up.
  const first = await own.run(job);
  if (candidates.length === 0) return { device: 'cpu', items: first.items };
  const begun = performance.now();
  const { items } = await own.run(job);
  const processorMs = (performance.now() - begun) / own.threads;
  let best = { device: 'cpu', ms: processorMs * FASTER, items };
  for (const device of candidates) {
    try {
      const found = await trial(device, job, loadable);
      const why = await disagreement(own, items, found.items);
      const each = (ms: number): string => `${Math.round(ms / job.items.length)} ms a picture`;
      if (why !== undefined) tell(`${device} is not used: ${why}.`);
      else if (found.ms >= best.ms)
        tell(`${device} is not used: ${each(found.ms)}, the processor ${each(processorMs)}.`);
      else {
        tell(`${device}: ${each(found.ms)}, the processor ${each(processorMs)}.`);
        best = { device, ms: found.ms, items: found.items };
      }
    } catch (error) {
      tell(`${device} is not used: ${reasonOf(error)}.`);
    }
  }
  return { device: best.device, items: best.items };
}

/** In a process of its own, which sees no environment but the paths of its drivers. */
async function tryInProcess(device: string, job: Job, loadable: Loadable): ReturnType<Trial> {
  const names = ['PATH', 'LD_LIBRARY_PATH', 'SystemRoot', 'TEMP', 'TMP', 'HOME', 'LOCALAPPDATA', 'CUDA_PATH'];
  const env = Object.fromEntries(
    names.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])),
  );
  const child = fork(fileURLToPath(new URL('./trial.js', import.meta.url)), {
    env,
    execArgv: [],
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), PATIENCE_MS);
  try {
    const { signal } = late;
    const ended = once(child, 'exit', { signal }).then((): never => {
      throw new Error('it cannot be loaded');
    });
    ended.catch(() => undefined);
    await Promise.race([once(child, 'message', { signal }), ended]);
    child.send({ job, loadable: { ...loadable, device } });
    const [message] = (await Promise.race([once(child, 'message', { signal }), ended])) as [
      ThreadAnswer & { ms: number },
    ];
    if ('failure' in message) throw new Error(message.failure.message);
    if (!('answer' in message)) throw new Error('no answer');
    return { ms: message.ms, items: message.answer.items };
  } catch (error) {
    throw late.signal.aborted ? new Error('it takes too long') : error;
  } finally {
    clearTimeout(timer);
    child.kill('SIGKILL');
  }
}

function reasonOf(error: unknown): string {
  const message = oneLine(error instanceof Error ? error.message : String(error));
  // What ONNX Runtime says then are places in its sources.
  return /cannot be loaded/.test(message) ? 'it cannot be loaded' : clip(message, 120).replace(/\.$/, '');
}
