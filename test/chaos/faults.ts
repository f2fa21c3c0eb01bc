import assert from 'node:assert/strict';
import type { Fault, Faults, FaultSet, MarketplaceOptions, ScriptedFault } from '../marketplace/index.ts';
import type { StartOptions } from '../rig.ts';
import type { Disturbance, Round } from './disturbance.ts';
import { FAULTS } from './lane.ts';
import { promised, spoilt } from './promise.ts';

/** One of each kind of request, so that no stage gets off unhurt by chance. */
const EACH = { pages: 'listings/active', batches: 'listings/batch', reviews: 'shops/\\d+/reviews' };
const AN_IMAGE = '570xN';

interface Trouble {
  readonly api?: FaultSet;
  readonly cdn?: FaultSet;
  readonly script?: readonly ScriptedFault[];
}

/** On top of the usual latency. */
function troubled({ api, cdn, script = [] }: Trouble): Faults {
  return { api: { ...FAULTS.api, ...api }, cdn: { ...FAULTS.cdn, ...cdn }, script };
}

function once(fault: Fault): ScriptedFault[] {
  return Object.values(EACH).map((path) => ({ path, fault }));
}

/** The command must get through these by itself. */
async function through({ rig, note }: Round, trouble: Trouble, options?: StartOptions): Promise<void> {
  await rig.market.setFaults(troubled(trouble));
  promised(await rig.run(options), 0);
  const requests = await rig.market.requests();
  const count = spoilt(requests).length;
  note(`${count} of ${requests.length} requests spoilt`);
  assert.ok(count >= 3, `only ${count} requests were spoilt`);
}

interface Kind {
  readonly name: string;
  readonly fault: Fault;
  readonly ownMarket?: MarketplaceOptions;
}

const KINDS: readonly Kind[] = [
  { name: 'HTTP 500', fault: 'error500' },
  { name: 'HTTP 502 with a page for people', fault: 'error502' },
  { name: 'HTTP 503', fault: 'error503' },
  { name: 'HTTP 429 for the second', fault: 'limitSecond' },
  {
    name: 'HTTP 429 for the second with all headers',
    fault: 'limitSecond',
    ownMarket: { headersOn429: 'all' },
  },
  {
    name: 'HTTP 429 for the second without headers',
    fault: 'limitSecond',
    ownMarket: { headersOn429: 'none' },
  },
  { name: 'a reset connection', fault: 'reset' },
  { name: 'half an answer', fault: 'truncated' },
  { name: 'invalid JSON', fault: 'invalidJson' },
  { name: 'JSON of another shape', fault: 'wrongShape' },
  { name: 'HTTP 200 with a page for people', fault: 'htmlPage' },
  { name: 'an answer in drips', fault: 'drip' },
];

/** Answers that are well formed and not true: a page of the search, and two batches. */
const emptyLists: Disturbance = {
  name: 'well-formed answers that say there is nothing',
  kind: 'odd answers',
  rounds: 3,
  worlds: ['first', 'weekly'],
  async disturb(round) {
    await through(round, {
      script: [
        { path: 'listings/active', fault: 'emptyList' },
        { path: 'listings/batch', fault: 'emptyList', times: 2 },
      ],
    });
    return 0;
  },
};

const MIXED_API = [
  'error500',
  'error502',
  'error503',
  'limitSecond',
  'reset',
  'truncated',
  'invalidJson',
  'wrongShape',
  'htmlPage',
  'drip',
] as const satisfies readonly Fault[];

const MIXED_CDN = [
  'error500',
  'error503',
  'limitSecond',
  'reset',
  'truncated',
  'htmlPage',
  'tooLarge',
  'drip',
  'stall',
] as const satisfies readonly Fault[];

function mixed(kinds: readonly Fault[], share: number): FaultSet['rates'] & object {
  return Object.fromEntries(kinds.map((kind) => [kind, share / kinds.length]));
}

const alone = KINDS.map(({ name, fault, ...more }): Disturbance => {
  return {
    name: `13 % of the API's answers: ${name}`,
    kind: 'faults of the API',
    rounds: 3,
    worlds: ['first', 'weekly'],
    ...more,
    async disturb(round) {
      await through(round, { api: { rates: { [fault]: 0.13 }, dripMs: 400 }, script: once(fault) });
      return 0;
    },
  };
});

const badRecords = Object.entries(EACH).map(([name, path]): Disturbance => {
  return {
    name: `bad records in ${name}, then a run without`,
    kind: 'bad records',
    rounds: 3,
    worlds: ['first', 'weekly'],
    async disturb({ rig, note }) {
      await rig.market.setFaults(troubled({ script: [{ path, fault: 'badRecord', times: 1000 }] }));
      // Of few records, each may be wrong in a field that its row can be without.
      promised(await rig.run(), 0, /set aside +\d+ records?|Odd in this run/);
      const odd = await rig.rows<{ endpoint: string; reason: string }>(
        'SELECT endpoint, reason FROM set_aside UNION ALL SELECT what, became FROM oddities',
      );
      for (const { endpoint, reason } of odd) note(`${endpoint}: ${reason}`);
      assert.ok(odd.length > 0, 'no record was odd');
      await rig.market.setFaults(FAULTS);
      await rig.nextSecond();
      promised(await rig.run(), 0);
      return 0;
    },
  };
});

const STALLED = [...Object.values(EACH), AN_IMAGE].map((path) => ({ path, fault: 'stall' as const }));

export const faults: readonly Disturbance[] = [
  ...alone,
  {
    name: "faults of the CDN, an image's every try among them, then a run without",
    rounds: 3,
    worlds: ['first', 'weekly'],
    async disturb(round) {
      const rates = mixed(MIXED_CDN, 0.05);
      const script = [{ path: AN_IMAGE, fault: 'error503', times: 3 }] as const;
      await round.rig.configure({ timeout: '1s' });
      await through(round, { cdn: { rates, dripMs: 400, stallMs: 3000 }, script });
      await round.rig.market.setFaults(FAULTS);
      promised(await round.rig.run(), 0);
      return 0;
    },
  },
  emptyLists,
  ...badRecords,
  {
    name: '10 % mixed faults at 5 requests a second',
    rounds: 2,
    worlds: ['first', 'weekly'],
    slow: true,
    async disturb(round) {
      const { market } = round.rig;
      await through(
        round,
        { api: { rates: mixed(MIXED_API, 0.1) }, script: once('error500') },
        { qps: 'exact' },
      );
      const worst = await market.worstWindow();
      round.note(
        `${worst} in the busiest second, ${(await market.meanRate()).toFixed(2)} a second on average`,
      );
      assert.ok(worst <= 5, `${worst} requests within a second`);
      return 0;
    },
  },
  {
    name: 'stalls of 3 s with a timeout of 1 s',
    kind: 'faults of the API',
    rounds: 3,
    worlds: ['first', 'weekly'],
    async disturb(round) {
      await round.rig.configure({ timeout: '1s' });
      await through(round, {
        api: { rates: { stall: 0.1 }, stallMs: 3000 },
        cdn: { stallMs: 3000 },
        // A weekly run may ask for no more than a page or two, a batch and an image.
        script: STALLED.map((one) => ({ ...one, times: 2 })),
      });
      return 0;
    },
  },
  {
    name: 'stalls of 31 s with the usual timeout of 30 s',
    rounds: 1,
    worlds: ['first'],
    slow: true,
    async disturb(round) {
      await through(round, { api: { stallMs: 31_000 }, cdn: { stallMs: 31_000 }, script: STALLED });
      return 0;
    },
  },
];
