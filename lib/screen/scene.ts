import type { Gauges } from '../progress/events.ts';
import type { View } from '../progress/view.ts';
import type { Columns } from './rows.ts';
import type { Theme } from './theme.ts';

export interface Scene {
  readonly view: View;
  readonly gauges: Gauges | undefined;
  /** Requests a second while any are made. */
  readonly apiRate: number | undefined;
  readonly name: string;
  readonly killFile: string;
  readonly theme: Theme;
  readonly now: number;
  /** Which picture of the spinner. */
  readonly turn: number;
  readonly width: number;
  readonly height: number;
  /** Those of the frame before. */
  readonly columns: Columns | undefined;
  /** The last frame, which stays: nothing can be stopped any more, and it may be as tall as it is. */
  readonly final: boolean;
}
