import type { Gauges, Listener } from '../progress/events.ts';
import { type Clock, systemClock } from './gauge-reader.ts';
import type { StageTitle } from '../progress/stage.ts';

export interface Screen {
  readonly listen: Listener;
  /** Ends the drawing; resolves when the terminal is left in order. */
  close(): Promise<void>;
}

export interface ScreenOptions {
  readonly stream: NodeJS.WriteStream;
  /** Of the pipeline. */
  readonly name: string;
  readonly stages: readonly StageTitle[];
  /** As shown: KILL. */
  readonly killFile: string;
  readonly gauges: () => Promise<Gauges>;
  readonly env: NodeJS.ProcessEnv;
}

export interface ScreenSetting extends ScreenOptions {
  readonly clock: Clock;
}

/** A list that lives on the terminal for a person who watches; timestamped lines for a file, a pipe or a CI log. */
export async function openScreen(options: ScreenOptions): Promise<Screen> {
  const setting = { ...options, clock: systemClock };
  if (isWatched(options)) {
    const { openLive } = await import('./live.ts');
    return openLive(setting);
  }
  const { openPlain } = await import('./plain.ts');
  return openPlain(setting);
}

function isWatched({ stream, env }: ScreenOptions): boolean {
  const inCi = env.CI !== undefined && !['', '0', 'false'].includes(env.CI);
  return stream.isTTY && !inCi && env.TERM !== 'dumb';
}
