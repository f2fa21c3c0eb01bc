import assert from 'node:assert/strict';
import { it } from 'node:test';
import { compareWithTruth } from '../dump.ts';
import type { RequestRecord } from '../marketplace/index.ts';
import { withRig } from '../rig.ts';

it('at 5 a second no second sees six requests, through faults, SIGKILLs and instant restarts', async () => {
  const market = {
    categories: { 12371: { listings: 380 } },
    shops: 120,
    badImages: {},
    faults: {
      api: {
        latency: { min: 50, max: 500 },
        rates: {
          error500: 0.01,
          error503: 0.01,
          reset: 0.01,
          truncated: 0.005,
          invalidJson: 0.005,
          limitSecond: 0.01,
        },
      },
    },
  };
  await withRig({ market, taxonomies: [12371], realTime: true }, async (rig) => {
    for (const kill of [25, 60, 95]) {
      const command = rig.start({ qps: 'exact' });
      await rig.arrived(command, kill);
      await command.kill();
    }
    const { code } = await rig.run({ qps: 'exact' });
    assert.equal(code, 0);
    const mean = await rig.market.meanRate();
    console.log(`# ${(await rig.requests()).length} requests, ${mean.toFixed(2)} a second on average`);
    const crowded = crowdedSeconds(await rig.requests());
    assert.equal(crowded.length, 0, `more than five within a second:\n${crowded.join('\n')}`);
    assert.ok((await rig.market.worstWindow()) <= 5);
    assert.deepEqual(compareWithTruth(await rig.dump(), await rig.truth()).slice(0, 10), []);
  });
});

/** Each six requests that arrived within a second: when, over which connection, and for what. */
function crowdedSeconds(requests: readonly RequestRecord[]): string[] {
  const start = requests[0]?.at ?? 0;
  return requests.flatMap((sixth, index) => {
    const first = requests[index - 5];
    if (!first || sixth.at - first.at >= 1000) return [];
    const six = requests.slice(index - 5, index + 1);
    return [
      six.map(({ at, connection }) => `${(at - start).toFixed(1)} ms (connection ${connection})`).join(', '),
    ];
  });
}
