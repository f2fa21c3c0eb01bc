import type { Disturbance } from './disturbance.ts';
import { faults } from './faults.ts';
import { oddities } from './oddities.ts';
import { outages } from './outages.ts';
import { quotas } from './quotas.ts';

/** What the network and the other side do. */
export const weather: readonly Disturbance[] = [...faults, ...oddities, ...outages, ...quotas];
