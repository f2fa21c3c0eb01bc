import type { Log } from './file.ts';
import type { Listener, RunEvent } from '../progress/events.ts';
import { MINUTE_MS, type Clock, systemClock } from '../time.ts';
import { TOLD_ONE_BY_ONE } from '../screen/news.ts';
import {
  emptyStage,
  stageProgress,
  type StageTitle,
  type StageView,
  timeTaken,
  unitCount,
} from '../progress/stage.ts';
import { emptyView, reduce, type View } from '../progress/view.ts';

export type LogRecord = readonly [event: string, fields: Readonly<Record<string, unknown>>];

export interface LogEventsOptions {
  readonly log: Log;
  readonly stages: readonly StageTitle[];
  /** What else there is to tell; asked for once a minute and at the end. */
  readonly news: (isLast: boolean) => Promise<readonly LogRecord[]>;
  readonly clock?: Clock;
}

export interface LogEvents {
  readonly listen: Listener;
  /** Tells what is left to tell. */
  close(): Promise<void>;
}

/** Writes down what happens in a run: changes at once, progress once a minute. */
export function logEvents({ log, stages, news, clock = systemClock }: LogEventsOptions): LogEvents {
  let view = emptyView(stages);
  /** When the wait under way began. Epoch ms. */
  let heldSince: number | undefined;
  const told = new Map<string, string>();
  let telling: Promise<void> = Promise.resolve();

  const write = (event: RunEvent, before: View, now: number): void => {
    const { type, ...fields } = event;
    switch (event.type) {
      case 'stage':
        if (event.state !== 'waiting') log.write(type, { ...fields, ...stageFigures(stageOf(event.stage)) });
        break;
      case 'units': {
        const finishedBefore = event.units.filter((unit) => unit.state === 'finished').length;
        log.write(type, { stage: event.stage, units: event.units.length, finishedBefore });
        break;
      }
      case 'unit': {
        const stage = stageOf(event.stage);
        const units = unitCount(stage);
        // Of many units, those that are done are kept no longer.
        const row = [stage, stageOf(event.stage, before)]
          .flatMap(({ rows }) => rows)
          .find(({ id }) => id === event.unit);
        // The only unit of a stage is the stage.
        const isTold = units > 1 && (units <= TOLD_ONE_BY_ONE || event.state === 'failed');
        if (isTold) log.write(type, { ...fields, title: row?.title, ...row?.progress });
        break;
      }
      case 'progress':
        break;
      case 'hold':
        heldSince ??= now;
        log.write(type, { reason: event.reason, until: new Date(event.until).toISOString() });
        break;
      case 'released':
        if (heldSince !== undefined) log.write(type, { waitedMs: now - heldSince });
        heldSince = undefined;
        break;
      case 'run':
        log.write(type, { resumed: event.resumed, began: new Date(event.startedAt).toISOString() });
        break;
      case 'warning':
      case 'news':
      case 'stopping':
        log.write(type, fields);
    }
  };

  const stageOf = (id: string, of = view): StageView =>
    of.stages.find((stage) => stage.id === id) ?? emptyStage({ id, title: id });

  const tellProgress = (): void => {
    for (const stage of view.stages) {
      if (stage.state !== 'running') continue;
      const running = stage.rows.filter((unit) => unit.state === 'running');
      const fields = {
        stage: stage.id,
        ...stageProgress(stage),
        units: running.map(({ id, progress }) => ({ unit: id, ...progress })),
      };
      const text = JSON.stringify(fields);
      if (told.get(stage.id) !== text) log.write('progress', fields);
      told.set(stage.id, text);
    }
  };

  const tellNews = async (isLast: boolean): Promise<void> => {
    try {
      for (const [event, fields] of await news(isLast)) log.write(event, fields);
    } catch (error) {
      // Other readers of the database report what is wrong with it.
      log.write('log', { problem: String(error) });
    }
  };

  const stop = clock.every(MINUTE_MS, () => {
    tellProgress();
    telling = telling.then(() => tellNews(false));
  });
  return {
    listen(event) {
      const [before, now] = [view, clock.now()];
      view = reduce(before, event, now);
      write(event, before, now);
    },
    async close() {
      stop();
      await telling;
      await tellNews(true);
    },
  };
}

function stageFigures(stage: StageView): object {
  const took = timeTaken(stage);
  return stage.state === 'running'
    ? {}
    : { ...stageProgress(stage), ...(took !== undefined && { tookMs: took }) };
}
