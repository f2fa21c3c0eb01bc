import { columnsOf, openPainter } from '../screen/painter.ts';
import { isWatched } from '../screen/index.ts';
import { cut, themeFor } from '../screen/theme.ts';
import { clockTime, count, rate, stamp } from '../text/format.ts';
import { oneLine } from '../text/clean.ts';
import { MINUTE_MS, systemClock } from '../time.ts';
import type { Clock } from '../time.ts';
import type { HelperState } from '../workers/helper.ts';

export interface WorkerScreen {
  tell(message: string): void;
  close(): void;
}

export interface WorkerScreenOptions {
  readonly stream: NodeJS.WriteStream;
  readonly env: NodeJS.ProcessEnv;
  /** Of Redis, for the first line. */
  readonly address: string;
  /** Undefined until the worker is there. */
  readonly state: () => HelperState | undefined;
  readonly clock?: Clock;
}

/** What happened last, below the figures. */
const EVENTS = 6;
const FRAME_MS = 500;

/** In a terminal, figures that stay in their place, and the last events; elsewhere a line an event and a line a minute. */
export function openWorkerScreen(options: WorkerScreenOptions): WorkerScreen {
  return isWatched(options) ? live(options) : plain(options);
}

function plain({ stream, state, clock = systemClock }: WorkerScreenOptions): WorkerScreen {
  const say = (text: string): void => void stream.write(`${stamp(clock.now())} ${oneLine(text)}\n`);
  const stop = clock.every(MINUTE_MS, () => {
    const now = state();
    if (now) say(inALine(now, clock.now()));
  });
  return {
    tell: say,
    close() {
      stop();
      const now = state();
      if (now) say(doneSoFar(now));
    },
  };
}

function live({ stream, env, address, state, clock = systemClock }: WorkerScreenOptions): WorkerScreen {
  const painter = openPainter(stream);
  const theme = themeFor(stream, env);
  const events: string[] = [];
  const frame = (): string[] => {
    const now = state();
    const width = columnsOf(stream) - 1;
    const row = (label: string, text: string): string => `  ${theme.style('dim', label.padEnd(13))}${text}`;
    const lines = [
      theme.style('bold', `sync-data worker ${theme.dot} ${address}`),
      ...(now ? rowsOf(now, clock.now()).map(([label, text]) => row(label, text)) : []),
      '',
      ...events.map((event) => `  ${theme.style('dim', event)}`),
      theme.style('dim', '  touch KILL or Ctrl-C to stop; the batch in hand is finished'),
    ];
    return lines.map((line) => cut(line, width, theme));
  };
  const stop = clock.every(FRAME_MS, () => painter.paint(frame()));
  return {
    tell(message) {
      events.push(`${stamp(clock.now())} ${oneLine(message)}`);
      events.splice(0, Math.max(0, events.length - EVENTS));
      painter.paint(frame());
    },
    close() {
      stop();
      painter.close(frame());
    },
  };
}

/** Label and text. */
export function rowsOf(state: HelperState, now: number): (readonly [string, string])[] {
  const { redis, coordinator, places, waitingSince } = state;
  const waits =
    waitingSince === undefined ? [] : [['waiting', `since ${clockTime(waitingSince, now)}`] as const];
  return [
    ['Redis', redis],
    ['coordinator', coordinator ?? 'none at the moment'],
    ...places.map(
      ({ model, device, state }) => [model, device === '' ? state : `${state}, on ${device}`] as const,
    ),
    ['done', `${doneSoFar(state)}, ${rate(state.perSecond)}`],
    ...waits,
  ];
}

/** For a pipe, once a minute. */
export function inALine(state: HelperState, now: number): string {
  const { places, coordinator, waitingSince, redis, perSecond } = state;
  const models = places.map(
    ({ model, device, state }) => `${model} ${state}${device === '' ? '' : ` on ${device}`}`,
  );
  return [
    `${doneSoFar(state)}, ${rate(perSecond)}`,
    ...models,
    ...(coordinator === undefined ? [redis === 'connected' ? 'no coordinator' : `Redis ${redis}`] : []),
    ...(waitingSince === undefined ? [] : [`waiting since ${clockTime(waitingSince, now)}`]),
  ].join('; ');
}

function doneSoFar({ jobs, pictures }: HelperState): string {
  return `${count(pictures)} pictures in ${count(jobs)} jobs`;
}
