import { Database } from '../../lib/store/database.ts';
import { EARLY_TABLES, addListing } from '../early.ts';
import { START } from '../rig.ts';
import type { Rig } from '../rig.ts';
import type { Disturbance, Round } from './disturbance.ts';
import { WHENS, downloadedOnce, endThenFinish, killAt } from './kills.ts';
import type { Aim } from './kills.ts';
import { pick } from './pick.ts';
import { eventsOf } from './promise.ts';

const IMAGE = '^rename images/\\d+\\.jpg$';
const IMAGE_RECORDED = '^sql INSERT INTO images \\(listing_id, state, bytes';
const JSON_WRITE = '^write image_metadata\\.json\\.tmp$';
const JSON_RENAME = '^rename image_metadata\\.json$';
const JSON_RECORDED = '^sql REPLACE INTO sync_state .*meta_data_file';
const PAGE_SAVED = '^sql INSERT INTO review_sync \\(shop_id, pass\\)';
const OLDER_SAVED = '^sql UPDATE review_sync SET older_than';
const COMMIT = '^sql COMMIT$';

/** Where it is to end, but for which of the events that match. */
type Spot = Omit<Aim, 'nth'>;

/** A disturbance that ends the command at one of these spots, once or twice. */
function aimed(
  name: string,
  rounds: number,
  worlds: Disturbance['worlds'],
  spots: readonly Spot[],
  kind = name,
): Disturbance {
  return {
    name,
    kind,
    rounds,
    worlds,
    async disturb(round) {
      const { random, undisturbed } = round;
      const ends = await endThenFinish(round, 1 + random.int(2), () => {
        const spot = pick(random, spots);
        const matching = new RegExp(spot.match);
        const count = undisturbed.events.filter((event) => matching.test(event)).length;
        return killAt(round, { ...spot, nth: 1 + random.int(count) });
      });
      await downloadedOnce(round, ends);
      return ends;
    },
  };
}

/** Before, in the middle of and after it. */
function around(spot: Omit<Spot, 'when'>): Spot[] {
  return WHENS.map((when) => ({ ...spot, when }));
}

/** At one of the statements that bring the database to its schema. */
async function killInMigration(round: Round): Promise<number> {
  const { random } = round;
  const last = eventsOf(round, 'sql ').findIndex((event) => event.startsWith('sql PRAGMA user_version ='));
  const when = pick(random, WHENS);
  return endThenFinish(round, 1, () =>
    killAt(round, { match: '^sql ', nth: 1 + random.int(last + 2), when }),
  );
}

/** A few listings of the early system, half of them so fresh that no new row is due, and no shop that they belong to. */
async function furnishEarly(rig: Rig): Promise<void> {
  const now = START / 1000;
  const database = await Database.openRollback(rig.path('etsy_data.db'));
  try {
    for (const statement of EARLY_TABLES.split(';\n')) await database.run(statement);
    const { listings } = await rig.truth();
    const known = listings.filter((listing) => listing.since2000).slice(0, 20);
    for (const [index, listing] of known.entries())
      await addListing(database, listing, now - (index % 2 === 0 ? 2 : 20) * 86_400);
  } finally {
    await database.close();
  }
}

export const aimedKills: readonly Disturbance[] = [
  aimed(
    'SIGKILL between an image’s rename and its commit',
    12,
    ['first', 'weekly'],
    [
      { match: IMAGE, when: 'after' },
      ...around({ match: IMAGE, then: IMAGE_RECORDED }),
      { match: IMAGE, then: COMMIT, when: 'before' },
      { match: IMAGE, then: COMMIT, when: 'during' },
    ],
  ),
  aimed(
    'SIGKILL while image_metadata.json is written',
    15,
    ['weekly', 'first'],
    [
      ...around({ match: JSON_WRITE }),
      { match: JSON_RENAME, when: 'before' },
      { match: JSON_RENAME, when: 'after' },
      ...around({ match: JSON_RENAME, then: JSON_RECORDED }),
      { match: JSON_RENAME, then: COMMIT, when: 'before' },
      { match: JSON_RENAME, then: COMMIT, when: 'during' },
    ],
  ),
  aimed(
    'SIGKILL between two pages of a shop’s reviews',
    12,
    ['first'],
    [...around({ match: PAGE_SAVED }), ...around({ match: PAGE_SAVED, then: COMMIT })],
    'pages of reviews',
  ),
  aimed(
    'SIGKILL between the newest and the older pages of a shop’s reviews',
    12,
    ['first'],
    [...around({ match: OLDER_SAVED }), ...around({ match: OLDER_SAVED, then: COMMIT })],
    'pages of reviews',
  ),
  {
    name: 'SIGKILL while a new database is set up',
    kind: 'migration',
    rounds: 10,
    worlds: ['first'],
    disturb: killInMigration,
  },
  {
    name: 'SIGKILL while an early database is taken over',
    kind: 'migration',
    rounds: 10,
    worlds: ['first'],
    furnish: furnishEarly,
    disturb: killInMigration,
  },
];
