import { clockTime, count, countdown, duration, oneLine, perSecond } from './format.ts';
import type { Scene } from './frame.ts';
import { pad } from './rows.ts';

const LABEL = 10;

export function title({ view, name, theme, now }: Scene): string {
  if (view.run === undefined) return theme.style('bold', name);
  const facts = [
    `run ${view.run.id}`,
    ...(view.run.resumed ? ['resumed'] : []),
    duration(now - view.run.startedAt),
  ];
  return `${theme.style('bold', name)}  ${theme.style('dim', facts.join(` ${theme.dot} `))}`;
}

export function footer(scene: Scene): string[] {
  const { view, gauges, theme, now } = scene;
  const line = (label: string, facts: readonly string[]) =>
    `  ${theme.style('dim', pad(label, LABEL))}${facts.join(` ${theme.dot} `)}`;
  const lines: string[] = [];
  if (gauges !== undefined) {
    const { perSecond: speed, usedToday, leftToday } = gauges.api;
    const left = leftToday === undefined ? [] : [`${count(leftToday)} left`];
    lines.push(line('Etsy API', [`${perSecond(speed)}/s`, `${count(usedToday)} in 24 h`, ...left]));
    if (view.stages.some((stage) => stage.id === 'images')) {
      const { done, waiting, failed } = gauges.images;
      const bad = `${count(failed)} failed`;
      lines.push(
        line('Images', [
          `${count(done)} done`,
          `${count(waiting)} waiting`,
          failed > 0 ? theme.style('yellow', bad) : bad,
        ]),
      );
    }
  }
  if (view.warning !== undefined) {
    const { stage, message, at } = view.warning;
    const from = stage === undefined ? '' : `${stage}: `;
    const ago = now - at < 60_000 ? '' : theme.style('dim', ` ${theme.dot} ${duration(now - at)} ago`);
    lines.push(`${theme.style('yellow', theme.icons.warning)} ${from}${oneLine(message)}${ago}`);
  }
  if (scene.final) return lines;
  if (view.hold !== undefined) {
    const { reason, until } = view.hold;
    const next =
      until > now ? `next try in ${countdown(until - now)} (${clockTime(until, now)})` : 'trying again';
    lines.push(`${theme.style('yellow', `${theme.icons.hold} ${next}`)} ${theme.dot} ${oneLine(reason)}`);
  }
  const bottom =
    view.stopping === undefined
      ? theme.style('dim', `  touch ${scene.killFile} to stop`)
      : theme.style('yellow', `${theme.icons.stopped} stopping: finishing requests in flight`);
  return [...lines, bottom];
}
