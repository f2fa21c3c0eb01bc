import { scaleLog } from 'd3-scale';
import { html } from '../html.ts';
import type { Html } from '../html.ts';
import { clip } from '../words.ts';
import { anchor, drawing, percent } from './chart.ts';

/** Where the values of a group lie. All above 0. */
export interface Range {
  readonly name: string;
  readonly told: string;
  readonly p10: number;
  readonly p25: number;
  readonly p50: number;
  readonly p75: number;
  readonly p90: number;
}

const ROW = 42;
const AXIS = 28;
/** So many marks have room on a phone, so many on a wide screen. */
const MARKS = { narrow: 4, wide: 8 };

/**
 * For each group a line from the 10th to the 90th of a hundred, a bar over its middle half and a mark at its median,
 * on a scale of ratios: from 10 to 20 is as far as from 100 to 200.
 */
export function ranges(label: string, groups: readonly Range[], unit: (value: number) => string): Html {
  const low = Math.min(...groups.map((group) => group.p10));
  const high = Math.max(...groups.map((group) => group.p90));
  const x = scaleLog([low / 1.1, high * 1.1], [0, 100]);
  const bottom = groups.length * ROW;
  const at = (value: number): string => percent(x(value));
  const grid = marksOf(x.ticks(20), MARKS.wide).map(
    (value, index, all) => html`<g${isForWide(index, all.length) ? html` class="wide"` : undefined}>
<line x1="${at(value)}" x2="${at(value)}" y1="0" y2="${bottom}" class="grid"/>
<text x="${at(value)}" y="${bottom + 18}" class="mark ${anchor(x(value))}">${unit(value)}</text></g>
`,
  );
  const rows = groups.map((group, index) => {
    const y = index * ROW + 25;
    return html`<text x="0" y="${y - 11}" class="halo">${clip(group.name, 32)}</text>
      <text x="100%" y="${y - 11}" class="end value halo">${group.told}</text>
      <line x1="${at(group.p10)}" x2="${at(group.p90)}" y1="${y}" y2="${y}" class="whisker" />
      <rect
        x="${at(group.p25)}"
        y="${y - 5}"
        width="${percent(x(group.p75) - x(group.p25))}"
        height="10"
        rx="2"
        class="soft"
      />
      <line x1="${at(group.p50)}" x2="${at(group.p50)}" y1="${y - 7}" y2="${y + 7}" class="median" /> `;
  });
  return drawing(label, bottom + AXIS, 'ranges', [grid, rows]);
}

/** Of the marks the scale offers, those that begin with 1, with 1 and 3, or with 1, 2 and 5: as many as there is room for. */
function marksOf(offered: readonly number[], most: number): number[] {
  const choices = [[1, 2, 5], [1, 3], [1]].map((leading) =>
    offered.filter((value) => leading.includes(Number(value.toExponential(0).charAt(0)))),
  );
  return choices.find((marks) => marks.length <= most) ?? [];
}

function isForWide(index: number, marks: number): boolean {
  return marks > MARKS.narrow && index % 2 === 1;
}
