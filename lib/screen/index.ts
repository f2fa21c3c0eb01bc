import { systemClock } from '../time.ts';
import type { Screen, ScreenOptions } from './screen.ts';

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

/** A person watches: it is a terminal that can be drawn on. */
export function isWatched({ stream, env }: Pick<ScreenOptions, 'stream' | 'env'>): boolean {
  const inCi = env.CI !== undefined && !['', '0', 'false'].includes(env.CI);
  return stream.isTTY && !inCi && env.TERM !== 'dumb';
}
