import { DefaultRenderer, Listr } from 'listr2';
import type { RunEvent } from '../progress/events.ts';
import { gaugeReader } from './gauge-reader.ts';
import { drawFrame, type Frame } from './frame.ts';
import type { Screen, ScreenSetting } from './screen.ts';
import { columnsOf, openPainter, rowsOf } from './painter.ts';
import { themeFor } from './theme.ts';
import { emptyView, reduce } from '../progress/view.ts';

const FRAME_EVERY = 125;
const READ_EVERY = 1000;
/** How long the last figures may keep the screen from closing. */
const LAST_READ = 500;

/**
 * The list on the terminal: a listr2 task a stage, drawn by its default renderer, with two things of our own.
 * The lines come fitted to the terminal; and they are painted by difference, where listr2 erases and writes every
 * line of every frame, keeps the width it found at the start, and records a cursor code a frame as long as it runs.
 */
export async function openLive(setting: ScreenSetting): Promise<Screen> {
  const { stream, clock, env, stages, name, killFile } = setting;
  const theme = themeFor(stream, env);
  const reader = gaugeReader(setting.gauges);
  let view = emptyView(stages);
  let turn = 0;
  let final = false;
  let columns: Frame['columns'] | undefined;

  const frame = () => {
    // The last column stays free: a terminal that has filled it may start a new line by itself.
    const width = Math.max(1, columnsOf(stream) - 1);
    const scene = {
      view,
      gauges: reader.latest(),
      apiRate: reader.apiRate(),
      name,
      killFile,
      theme,
      now: clock.now(),
      turn,
    };
    const drawn = drawFrame({ ...scene, width, height: rowsOf(stream) - 1, final, columns });
    columns = drawn.columns;
    return drawn;
  };

  let drawNow: () => void = () => undefined;

  class StageList extends DefaultRenderer {
    static override nonTTY = true;
    readonly #painter = openPainter(stream);
    readonly #stop = [
      clock.every(FRAME_EVERY, () => {
        turn += 1;
        this.update();
      }),
      clock.every(READ_EVERY, () => void reader.read()),
    ];

    override async render() {
      void reader.read();
      drawNow = () => this.update();
    }
    override update() {
      this.#painter.paint(this.lines().slice(-Math.max(1, rowsOf(stream) - 1)));
    }
    override end() {
      for (const stop of this.#stop) stop();
      final = true;
      this.#painter.close(this.lines());
    }
    lines(): string[] {
      const { header, stages: drawn, footer } = frame();
      setTitles(drawn);
      const list = this.create({ bottomBar: false, prompt: false });
      return [...header, ...(list === '' ? [] : list.split('\n')), ...footer];
    }
    protected override style() {
      return '';
    }
    protected override format(message: string) {
      return message.split('\n');
    }
  }

  let finish: () => void = () => undefined;
  const finished = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const list = new Listr(
    stages.map(({ title }) => ({ title, task: () => finished })),
    { concurrent: true, exitOnError: false, registerSignalListeners: false, renderer: StageList },
  );
  const setTitles = (drawn: Frame['stages']) => {
    list.tasks.forEach((task, index) => {
      task.title = (drawn[index] ?? []).join('\n');
    });
  };
  const ended = list.run();
  return {
    listen(event: RunEvent) {
      view = reduce(view, event, clock.now());
      // All else waits for its frame; until the first one is there nobody sees that anything happens.
      if (event.type === 'run') drawNow();
    },
    async close() {
      await Promise.race([reader.readLast(), clock.wait(LAST_READ)]);
      finish();
      await ended;
    },
  };
}
