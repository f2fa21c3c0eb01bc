import { styleText } from 'node:util';
import cliTruncate from 'cli-truncate';
import wrapAnsi from 'wrap-ansi';
import stringWidth from 'string-width';
import type { StageState } from '../progress/events.ts';

export type Style = 'bold' | 'dim' | 'green' | 'red' | 'yellow' | 'cyan';

/** What a terminal can show: signs and colours. */
export interface Theme {
  readonly icons: Readonly<Record<Exclude<StageState, 'running'> | 'warning' | 'hold', string>>;
  readonly spinner: readonly string[];
  readonly bar: { readonly full: string; readonly half: string; readonly rest: string };
  readonly dot: string;
  readonly ellipsis: string;
  style(style: Style, text: string): string;
}

const UNICODE = {
  icons: {
    waiting: '·',
    finished: '✔',
    failed: '✖',
    stopped: '■',
    skipped: '↓',
    warning: '⚠',
    hold: '‖',
  },
  spinner: ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'],
  bar: { full: '━', half: '╸', rest: '─' },
  dot: '·',
  ellipsis: '…',
};

const ASCII = {
  icons: {
    waiting: '.',
    finished: '+',
    failed: 'x',
    stopped: '#',
    skipped: '~',
    warning: '!',
    hold: '=',
  },
  spinner: ['|', '/', '-', '\\'],
  bar: { full: '#', half: '', rest: '.' },
  dot: '|',
  ellipsis: '...',
};

const COLOUR_OF: Readonly<Record<StageState, Style>> = {
  waiting: 'dim',
  running: 'cyan',
  finished: 'green',
  failed: 'red',
  stopped: 'yellow',
  skipped: 'dim',
};

export function themeFor(
  stream: NodeJS.WriteStream,
  env: NodeJS.ProcessEnv,
  platform: NodeJS.Platform = process.platform,
): Theme {
  const coloured = hasColour(stream, env);
  return {
    ...(hasUnicode(env, platform) ? UNICODE : ASCII),
    style: coloured
      ? (style, text) => (text === '' ? '' : styleText(style, text, { validateStream: false }))
      : plainText,
  };
}

function plainText(_: Style, text: string): string {
  return text;
}

/** FORCE_COLOR outdoes NO_COLOR, which outdoes what the terminal says of itself. */
function hasColour(stream: NodeJS.WriteStream, env: NodeJS.ProcessEnv): boolean {
  const forced = env.FORCE_COLOR;
  if (forced !== undefined) return forced !== '0' && forced !== 'false';
  if (env.NO_COLOR) return false;
  return stream.getColorDepth(env) > 1;
}

function hasUnicode(env: NodeJS.ProcessEnv, platform: NodeJS.Platform): boolean {
  if (env.TERM === 'linux') return false;
  // Its old console has fonts without most signs; the newer terminals name themselves.
  if (platform === 'win32' && !env.WT_SESSION && !env.TERM_PROGRAM && !env.ConEmuTask) return false;
  const locale = env.LC_ALL || env.LC_CTYPE || env.LANG;
  return locale === undefined || locale === '' || /utf-?8/i.test(locale);
}

export function iconOf(state: StageState, theme: Theme, turn: number): string {
  const spun = theme.spinner[turn % theme.spinner.length] ?? '';
  return theme.style(COLOUR_OF[state], state === 'running' ? spun : theme.icons[state]);
}

/** Cut to the columns it may take, wide characters counted as two. */
export function cut(text: string, columns: number, theme: Theme): string {
  const truncationCharacter = theme.ellipsis.slice(0, columns);
  for (let room = columns; room > 0; room -= 1) {
    const fitted = cliTruncate(text, room, { truncationCharacter });
    // Nearly always at the first try. But a wide character on the edge is kept whole, and is one too many.
    if (stringWidth(fitted) <= columns) return fitted;
  }
  return '';
}

/** Broken between words, as few lines as it takes; a word wider than `columns` stays whole. */
export function wrap(text: string, columns: number): string[] {
  return wrapAnsi(text, columns).split('\n');
}
