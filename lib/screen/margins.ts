import stringWidth from 'string-width';
import type { Api, Gauges } from '../progress/events.ts';
import type { Figure } from '../task/telling.ts';
import { lasts } from './budget.ts';
import { clockTime, count, countdown, duration, estimate, oneLine, perSecond } from '../text/format.ts';
import type { Scene } from './scene.ts';
import { pad } from './rows.ts';
import { cut, type Theme, wrap } from './theme.ts';

const LABEL = 10;
/** Calls that last longer are no matter yet. */
const SOON = 3_600_000;

export function title({ view, name, theme, now, gauges, final }: Scene): string {
  if (view.run === undefined) return theme.style('bold', name);
  const { id, resumed, startedAt, at } = view.run;
  const facts = [
    `run ${id}`,
    ...(resumed ? [`resumed, began ${clockTime(startedAt, now)}`] : []),
    duration(now - at),
    ...(final || gauges?.toGo === undefined ? [] : [toGo(gauges.toGo, now)]),
  ];
  return `${theme.style('bold', name)}  ${theme.style('dim', facts.join(` ${theme.dot} `))}`;
}

/** "about 4 d to go at today's quota" */
function toGo({ until, isQuota }: NonNullable<Gauges['toGo']>, now: number): string {
  return `about ${estimate(Math.max(0, until - now))} to go${isQuota ? " at today's quota" : ''}`;
}

/** Fitted to the terminal. */
export function footer(scene: Scene): string[] {
  const { theme, width } = scene;
  const lines = [...figures(scene), ...warning(scene)];
  if (!scene.final) lines.push(...failures(scene), ...hold(scene), ...bottom(scene));
  return lines.map((line) => cut(line, width, theme));
}

function bottom({ view, theme, killFile, width }: Scene): string[] {
  if (view.stopping === undefined)
    return [theme.style('dim', `  touch ${killFile} or Ctrl-C to stop; nothing is lost`)];
  const why = `${theme.icons.stopped} stopping: ${oneLine(view.stopping)}`;
  return alarm(why, 'finishing requests in flight', theme, width);
}

function figures(scene: Scene): string[] {
  const { gauges } = scene;
  if (gauges === undefined) return [];
  const api = gauges.api && { label: gauges.api.label, facts: budget(scene, gauges.api) };
  return [...(api ? [api] : []), ...gauges.figures].map(({ label, facts }) => line(label, facts, scene));
}

/** How fast requests are sent, and how many more may be; once that is few, when calls come back. */
function budget({ view, apiRate, now }: Scene, api: Api): Figure[] {
  const { perSecond: speed, limit, usedToday, leftToday, backAt } = api;
  const most = Number.isFinite(limit) ? ` of ${limit}` : '';
  const facts: Figure[] = [
    { text: `${perSecond(speed)}${most}/s` },
    { text: `${count(usedToday)} in 24 h`, isSpare: true },
  ];
  if (leftToday === undefined) return facts;
  const end = lasts(apiRate, api) ?? Infinity;
  const isLow = end < SOON;
  const time = isLow && leftToday > 0 ? `, for ${estimate(end)}` : '';
  facts.push({ text: `${count(leftToday)} left${time}`, isAlarm: isLow });
  // A hold says itself when it ends.
  const isTold = isLow && view.hold === undefined && backAt !== undefined && backAt > now;
  if (isTold) facts.push({ text: `calls back from ${clockTime(backAt, now)}`, isSpare: true });
  return facts;
}

function line(label: string, facts: readonly Figure[], { theme, width }: Scene): string {
  const room = width - LABEL - 2;
  const shown = [...facts];
  while (shown.map(({ text }) => text).join(' · ').length > room) {
    const spare = shown.findIndex(({ isSpare }) => isSpare);
    if (spare === -1) break;
    shown.splice(spare, 1);
  }
  const texts = shown.map(({ text, isAlarm }) => (isAlarm === true ? theme.style('yellow', text) : text));
  return `  ${theme.style('dim', pad(label, LABEL))}${texts.join(` ${theme.dot} `)}`;
}

/** Up to two lines: what it is about is seldom said in one. */
function warning({ view, theme, now, width }: Scene): string[] {
  if (view.warning === undefined) return [];
  const { stage, message, at } = view.warning;
  const ago = now - at < 60_000 ? [] : [`${duration(now - at)} ago`];
  const from = [...(stage === undefined ? [] : [stage]), ...ago].join(', ');
  const [first = '', ...rest] = inTwo(`${from}${from === '' ? '' : ': '}${oneLine(message)}`, width - 2);
  return [`${theme.style('yellow', theme.icons.warning)} ${first}`, ...rest.map((more) => `  ${more}`)];
}

/** Why a stage failed, while others still go on; its row has no room for it. */
function failures({ view, theme, width }: Scene): string[] {
  const failed = view.stages.find(({ state }) => state === 'failed');
  if (failed?.reason === undefined) return [];
  const [first = '', ...rest] = inTwo(`${failed.id} failed: ${oneLine(failed.reason)}`, width - 2);
  return [`${theme.style('red', theme.icons.failed)} ${first}`, ...rest.map((more) => `  ${more}`)];
}

/** What everything waits for and until when, and why. */
function hold({ view, theme, now, width }: Scene): string[] {
  if (view.hold === undefined) return [];
  const { reason, until } = view.hold;
  const next =
    until > now ? `next try in ${countdown(until - now)} (${clockTime(until, now)})` : 'trying again';
  return alarm(`${theme.icons.hold} ${next}`, oneLine(reason), theme, width);
}

/** The reason beside it, or below it where that does not fit. */
function alarm(what: string, why: string, theme: Theme, width: number): string[] {
  const styled = theme.style('yellow', what);
  if (stringWidth(what) + stringWidth(why) + 3 <= width) return [`${styled} ${theme.dot} ${why}`];
  return [styled, ...inTwo(why, width - 2).map((part) => `  ${part}`)];
}

/** In two lines at most; what is too long for them is cut later. */
function inTwo(text: string, columns: number): string[] {
  const [first = '', ...rest] = wrap(text, columns);
  return rest.length > 0 ? [first, rest.join(' ')] : [first];
}
