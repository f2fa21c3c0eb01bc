import xterm from '@xterm/headless';
import type { Terminal } from '@xterm/headless';

/** Neighbouring cells that look alike. */
export interface Run {
  /** Of the first cell, from 0. */
  readonly column: number;
  /** Cells. */
  readonly width: number;
  readonly text: string;
  /** Of the terminal's 16; undefined: its usual one. */
  readonly colour: number | undefined;
  readonly bold: boolean;
  readonly dim: boolean;
}

/** A terminal that nobody sees: what it is sent, and what it shows. */
export class Screen {
  readonly #terminal: Terminal;

  constructor(columns: number, rows: number) {
    this.#terminal = new xterm.Terminal({
      cols: columns,
      rows,
      scrollback: 1000,
      allowProposedApi: true,
      convertEol: true,
    });
  }

  write(data: string | Uint8Array): Promise<void> {
    return new Promise((resolve) => this.#terminal.write(data, resolve));
  }

  /** Every line that was ever shown and is not blank at the end, as runs of cells. */
  get lines(): Run[][] {
    const { active } = this.#terminal.buffer;
    const lines = Array.from({ length: active.length }, (_, index) => this.#runsOf(index));
    const last = lines.findLastIndex((runs) => runs.length > 0);
    return lines.slice(0, last + 1);
  }

  #runsOf(index: number): Run[] {
    const line = this.#terminal.buffer.active.getLine(index);
    const runs: Run[] = [];
    for (let column = 0; column < this.#terminal.cols;) {
      const cell = line?.getCell(column);
      if (!cell) break;
      const width = Math.max(1, cell.getWidth());
      const look = {
        colour: cell.isFgPalette() ? cell.getFgColor() : undefined,
        bold: cell.isBold() !== 0,
        dim: cell.isDim() !== 0,
      };
      const last = runs.at(-1);
      const text = cell.getChars() || ' ';
      const isAlike = last && last.colour === look.colour && last.bold === look.bold && last.dim === look.dim;
      if (isAlike) runs[runs.length - 1] = { ...last, width: last.width + width, text: last.text + text };
      else runs.push({ column, width, text, ...look });
      column += width;
    }
    return runs.flatMap((run, place) => trimmed(run, place === runs.length - 1));
  }
}

/** Blanks at the end of a line show nothing. */
function trimmed(run: Run, isLast: boolean): Run[] {
  const text = isLast ? run.text.trimEnd() : run.text;
  if (text.trim() === '' && isLast) return [];
  return [{ ...run, text, width: run.width - (run.text.length - text.length) }];
}
