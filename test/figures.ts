import type { RequestRecord } from './marketplace/index.ts';

/** In the order of their arrival: two that come at once can be noted in the other. */
export function arrivals(requests: readonly RequestRecord[]): number[] {
  return requests.map(({ at }) => at).toSorted((a, b) => a - b);
}

export function median(figures: readonly number[]): number {
  const sorted = figures.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  return ((sorted[Math.ceil(middle) - 1] ?? NaN) + (sorted[Math.floor(middle)] ?? NaN)) / 2;
}

export function number(figure: number, digits = 0): string {
  return figure.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

export function percent(share: number): string {
  return `${number(share * 100, 1)} %`;
}

export function ms(figure: number): string {
  return `${number(figure)} ms`;
}
