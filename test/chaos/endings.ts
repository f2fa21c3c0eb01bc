import { aimedKills } from './aimed-kills.ts';
import { clocks } from './clocks.ts';
import type { Disturbance } from './disturbance.ts';
import { edits } from './edits.ts';
import { kills } from './kills.ts';
import { stops } from './stops.ts';
import { tampering } from './tampering.ts';
import { waits } from './waits.ts';

/** What ends the command, or meddles with its clock and its files. */
export const endings: readonly Disturbance[] = [
  ...kills,
  ...aimedKills,
  ...stops,
  ...clocks,
  ...waits,
  ...edits,
  ...tampering,
];
