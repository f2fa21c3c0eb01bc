import { damages } from './damage.ts';
import { disks } from './disks.ts';
import type { Disturbance } from './disturbance.ts';
import { exchanges } from './exchanges.ts';

/** What becomes of the files, and of the disk they lie on. */
export const storage: readonly Disturbance[] = [...disks, ...damages, ...exchanges];
