import type { Gauges, Listener } from '../progress/events.ts';
import type { StageTitle } from '../progress/stage.ts';
import type { Clock } from '../time.ts';

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
  /** @param isLast what is true at the end, however long it takes to read */
  readonly gauges: (isLast?: boolean) => Promise<Gauges>;
  readonly env: NodeJS.ProcessEnv;
}

export interface ScreenSetting extends ScreenOptions {
  readonly clock: Clock;
}
