import assert from 'node:assert/strict';
import { it } from 'node:test';
import { differences } from '../dump.ts';
import { createRandom } from '../marketplace/random.ts';
import { ofKind, repeats } from '../repeats.ts';
import { withRig } from '../rig.ts';
import type { Rig } from '../rig.ts';

const KILLS = 20;
/** Slow enough that few requests are under way at any moment: each repeated one then counts. */
const QPS = 30;

it(`${KILLS} SIGKILLs at random moments lose nothing, double nothing and repeat only what was in flight`, async () => {
  const market = {
    badImages: {},
    shops: 70,
    faults: {
      api: { latency: { min: 20, max: 90 } },
      cdn: { latency: { min: 1, max: 5 } },
    },
  };
  await withRig({ market }, async (undisturbed) => {
    assert.equal((await undisturbed.run({ qps: QPS })).code, 0);
    const expected = await undisturbed.dump();
    const needed = await undisturbed.market.requests();
    await undisturbed.market.resetRequests();

    await withRig({ beside: undisturbed }, async (rig) => {
      const inFlight = await killAgainAndAgain(rig, needed.length);
      const { code, stdout } = await rig.run({ qps: QPS });
      assert.equal(code, 0);
      assert.match(stdout, /run 1 resumed/);
      assert.deepEqual(differences(await rig.dump(), expected).slice(0, 10), []);

      const made = await rig.market.requests();
      const repeated = repeats(needed, made);
      console.log(`# ${repeated} API requests repeated, ${inFlight} were in flight at ${KILLS} kills`);
      assert.ok(repeated <= inFlight, `${repeated} requests repeated, ${inFlight} were in flight`);
      assert.ok(ofKind(made, 'cdn').length - ofKind(needed, 'cdn').length <= KILLS);
    });
  });
});

/** @returns how many API requests were in flight at the kills */
async function killAgainAndAgain(rig: Rig, total: number): Promise<number> {
  const random = createRandom(20260820);
  let inFlight = 0;
  for (let kill = 0; kill < KILLS; kill += 1) {
    const sofar = (await rig.market.requests()).length;
    const further = 1 + random.int(Math.ceil((total - sofar) / (KILLS - kill + 3)) * 2 - 1);
    const command = rig.start({ qps: QPS });
    await Promise.race([rig.market.arrived(sofar + further), command.ended]);
    const earlier = ofKind(await rig.market.requests(), 'api');
    await command.kill();
    assert.equal((await command.ended).signal, 'SIGKILL', 'the run was over before it was killed');
    const arrived = ofKind(await rig.market.requests(), 'api').length - earlier.length;
    // Not answered yet, sent meanwhile, or, at most one, answered and just being committed.
    inFlight += earlier.filter((request) => request.status === 0).length + arrived + 1;
  }
  return inFlight;
}
