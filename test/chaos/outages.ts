import assert from 'node:assert/strict';
import { once } from 'node:events';
import { rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as nap } from 'node:timers/promises';
import type { Command, StartOptions } from '../rig.ts';
import type { Disturbance, Round } from './disturbance.ts';
import { aRequest, promised } from './promise.ts';
import { Relay } from './relay.ts';
import type { Mode } from './relay.ts';

const NO_DNS = new URL('../fixtures/no-dns.mjs', import.meta.url);
/** What waits for an answer that never comes does not wait longer. */
const TIMEOUT_MS = 2000;

async function behindRelay(round: Round, play: (relay: Relay) => Promise<void>): Promise<void> {
  const { rig } = round;
  const relay = await Relay.before(rig.market.apiUrl);
  try {
    await rig.configure({ baseUrl: relay.url(), timeout: `${TIMEOUT_MS / 1000}s` });
    await play(relay);
  } finally {
    relay.close();
  }
}

/** Starts it, and lets the network go bad when a random one of its requests is on the way. */
async function startInto(mode: Mode, round: Round, relay: Relay, options?: StartOptions): Promise<Command> {
  const number = aRequest(round);
  round.note(`from the ${number}. request on`);
  const reached = relay.atRequest(number, mode);
  const command = round.rig.start(options);
  await Promise.race([reached, command.ended]);
  stillThere(command);
  return command;
}

/** 1 to 8 seconds, through which the command must wait. */
async function outage({ random, note }: Round, command: Command): Promise<void> {
  const ms = 1000 + random.int(7000);
  note(`for ${ms} ms`);
  await Promise.race([nap(ms), command.ended]);
  stillThere(command);
}

function stillThere(command: Command): void {
  assert.equal(command.isOver, false, 'it ended instead of waiting');
}

const MODES = {
  'connections refused': { mode: 'refuse', cause: /connect ECONNREFUSED 127\.0\.0\.1:\d+/ },
  'answers cut in the middle': { mode: 'cut', cause: /other side closed|terminated|aborted|ECONNRESET/ },
  'connections accepted and then silence': { mode: 'silent', cause: /no complete answer within 2 s/ },
} as const;

const forAWhile = Object.entries(MODES).flatMap(([name, { mode, cause }]): Disturbance[] => [
  {
    name: `${name} for a while`,
    kind: 'an outage',
    rounds: 4,
    worlds: ['first', 'weekly'],
    async disturb(round) {
      await behindRelay(round, async (relay) => {
        const command = await startInto(mode, round, relay);
        await outage(round, command);
        relay.become('through');
        promised(await command.ended, 0);
      });
      return 0;
    },
  },
  {
    name: `${name} for longer than it waits`,
    kind: 'a long outage',
    rounds: 2,
    worlds: ['first', 'weekly'],
    async disturb(round) {
      await behindRelay(round, async (relay) => {
        await round.rig.configure({ baseUrl: relay.url(), timeout: '2s', giveUpAfter: '3s' });
        const command = await startInto(mode, round, relay);
        promised(
          await command.ended,
          1,
          cause,
          /Stage \w+ failed, at /,
          /The checkpoint is in .*etsy_data\.db\. To resume: npx sync-data$/m,
        );
        relay.become('through');
        promised(await round.rig.run(), 0, /\(resumed\)/);
      });
      return 1;
    },
  },
  {
    name: `KILL touched during ${name}`,
    kind: 'a long outage',
    rounds: 2,
    worlds: ['first', 'weekly'],
    async disturb(round) {
      await behindRelay(round, async (relay) => {
        const command = await startInto(mode, round, relay);
        await Promise.race([nap(500 + round.random.int(2000)), command.ended]);
        stillThere(command);
        const began = performance.now();
        await round.rig.touchKill();
        promised(await command.ended, 75, /Stopped after .*: the KILL file was found/);
        const took = performance.now() - began;
        round.note(`stopped within ${Math.round(took)} ms`);
        // A request that is on the wire is waited for.
        const most = 1200 + (mode === 'silent' ? TIMEOUT_MS : 0);
        assert.ok(took < most, `it took ${Math.round(took)} ms to stop`);
        relay.become('through');
        promised(await round.rig.run(), 0);
      });
      return 1;
    },
  },
]);

export const outages: readonly Disturbance[] = [
  ...forAWhile,
  {
    name: 'no host name looked up for a while',
    kind: 'an outage',
    rounds: 3,
    worlds: ['first', 'weekly'],
    async disturb(round) {
      const { rig } = round;
      await behindRelay(round, async (relay) => {
        await rig.configure({ baseUrl: relay.url('localhost') });
        const flag = rig.path('no-dns');
        const command = await startInto('refuse', round, relay, { imports: [NO_DNS], env: { NO_DNS: flag } });
        await writeFile(flag, '');
        // Only what connects anew looks the name up; what had done so before is refused meanwhile.
        await nap(500);
        relay.become('through');
        await outage(round, command);
        await rm(flag);
        promised(await command.ended, 0);
      });
      return 0;
    },
  },
  {
    name: 'redirects to another host',
    rounds: 1,
    worlds: ['first'],
    async disturb(round) {
      let strayed = 0;
      const elsewhere = createServer((_, response) => {
        strayed += 1;
        response.end('{"count":0,"results":[]}');
      }).listen(0, '127.0.0.1');
      await once(elsewhere, 'listening');
      const { port } = elsewhere.address() as AddressInfo;
      try {
        await behindRelay(round, async (relay) => {
          const redirectTo = `http://127.0.0.1:${port}/v3/application/listings/active`;
          const command = await startInto({ redirectTo }, round, relay);
          await outage(round, command);
          relay.become('through');
          promised(await command.ended, 0);
        });
      } finally {
        elsewhere.close();
        elsewhere.closeAllConnections();
      }
      assert.equal(strayed, 0, `${strayed} requests followed the redirect`);
      return 0;
    },
  },
];
