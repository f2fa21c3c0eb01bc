/** Plans of the furniture in the pictures: each kind in variants that differ in wood, cloth and build. */
import type { Kind } from '../kinds.ts';
import type { Face } from './space.ts';
import * as seats from './seats.ts';
import * as storage from './storage.ts';
import { stuffOf, type Stuff } from './stuff.ts';
import * as tables from './tables.ts';

const PLANS: Record<Kind, (stuff: Stuff) => Face[]> = {
  chair: seats.chair,
  armchair: seats.armchair,
  stool: seats.stool,
  table: tables.table,
  dining: tables.dining,
  desk: tables.desk,
  vanity: tables.vanity,
  bed: seats.bed,
  dresser: (stuff) =>
    storage.drawers(
      stuff,
      0.8 + 0.2 * (stuff.variant % 2),
      0.72 + 0.2 * (stuff.variant % 3),
      4,
      1 + (stuff.variant % 2),
    ),
  cabinet: (stuff) =>
    storage.drawers(stuff, 0.5 + 0.4 * (stuff.variant % 3), 0.44, 2, 1 + (stuff.variant % 3)),
  shelf: storage.shelf,
  sofa: seats.sofa,
  bench: seats.bench,
  trunk: storage.trunk,
  pouf: seats.pouf,
  rack: storage.rack,
  divider: storage.divider,
};

export function furniture(kind: Kind, variant: number): Face[] {
  return PLANS[kind](stuffOf(variant));
}
