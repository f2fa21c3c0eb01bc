import stringWidth from 'string-width';

const HIDE_CURSOR = '\u001B[?25l';
const SHOW_CURSOR = '\u001B[?25h';
const CLEAR_LINE_END = '\u001B[K';
const CLEAR_BELOW = '\u001B[J';
/** What others print while the list is on the screen is kept, the newest of it, and printed after it. */
const KEPT_CHARACTERS = 100_000;

/** A terminal may not know its size, or say that it is 0. */
export function columnsOf(stream: NodeJS.WriteStream): number {
  return stream.columns || 80;
}

export function rowsOf(stream: NodeJS.WriteStream): number {
  return stream.rows || 24;
}

export interface Painter {
  /** Replaces the lines on the terminal by these. None may be wider than the terminal, nor all of them taller. */
  paint(lines: readonly string[]): void;
  /** Leaves these lines behind and the terminal as it was found. */
  close(lines: readonly string[]): void;
}

/**
 * Repaints in place and writes only the lines that changed, in one piece: a terminal has nothing to flicker with.
 * The cursor rests below the last line.
 */
export function openPainter(stream: NodeJS.WriteStream): Painter {
  const write = stream.write.bind(stream);
  const release = holdBack();
  let shown: readonly string[] = [];
  let moved = false;
  let gone = false;

  const forget = () => {
    moved = true;
  };
  const lose = () => {
    gone = true;
  };
  const comeBack = () => {
    shown = [];
    if (!gone) write(HIDE_CURSOR);
  };
  const leave = () => {
    if (!gone) write(SHOW_CURSOR);
    release();
  };
  const update = (lines: readonly string[]) => {
    if (gone) return;
    const changes = moved ? repaint(shown, lines, columnsOf(stream)) : difference(shown, lines);
    shown = lines;
    moved = false;
    if (changes !== '') write(changes);
  };

  stream.on('resize', forget);
  stream.on('error', lose);
  process.on('SIGCONT', comeBack);
  process.once('exit', leave);
  write(HIDE_CURSOR);
  return {
    paint(lines) {
      // A terminal that does not keep up gets a later frame instead of all of them.
      if (!stream.writableNeedDrain) update(lines);
    },
    close(lines) {
      update(lines);
      stream.off('resize', forget);
      process.off('SIGCONT', comeBack);
      process.off('exit', leave);
      leave();
      if (!gone) stream.off('error', lose);
    },
  };
}

function difference(before: readonly string[], after: readonly string[]): string {
  const first = after.findIndex((line, index) => line !== before[index]);
  if (first === -1 && before.length === after.length) return '';
  const from = first === -1 ? after.length : first;
  const changed = after.slice(from).map((line, offset) => {
    return line === before[from + offset] ? '\n' : `${line}${CLEAR_LINE_END}\n`;
  });
  return `${up(before.length - from)}${changed.join('')}${before.length > after.length ? CLEAR_BELOW : ''}`;
}

/** After a resize: the terminal has broken anew what was wider than it is now. */
function repaint(before: readonly string[], after: readonly string[], columns: number): string {
  const height = before.reduce((all, line) => all + Math.max(1, Math.ceil(stringWidth(line) / columns)), 0);
  return `${up(height)}${CLEAR_BELOW}${after.map((line) => `${line}\n`).join('')}`;
}

function up(lines: number): string {
  if (lines === 0) return '\r';
  return lines > 0 ? `\u001B[${lines}A\r` : '\n'.repeat(-lines);
}

/** Keeps what is written to the terminal by others; the answer prints it and lets the rest through. */
function holdBack(): () => void {
  let kept = '';
  const hold = (chunk: Uint8Array | string, encoding?: unknown, done?: unknown) => {
    kept = (kept + (typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString())).slice(
      -KEPT_CHARACTERS,
    );
    const callback = typeof encoding === 'function' ? encoding : done;
    if (typeof callback === 'function') process.nextTick(callback);
    return true;
  };
  const held = [process.stdout, process.stderr].filter((target) => target.isTTY);
  const releases = held.map((target) => {
    const write = target.write.bind(target);
    target.write = hold;
    return () => {
      target.write = write;
    };
  });
  return () => {
    for (const release of releases) release();
    if (kept !== '') held.at(-1)?.write(kept);
    kept = '';
  };
}
