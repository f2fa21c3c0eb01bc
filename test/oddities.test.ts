import assert from 'node:assert/strict';
import { describe, it, mock } from 'node:test';
import { OddityNotes, readOddities } from '../lib/dataset/oddities.ts';
import { CRAWL, run } from './messages/provoke.ts';
import { withFolder } from './messages/provoke.ts';
import { storePerTest } from './store-rig.ts';

const RUN = 3;

describe('oddities that are met outside of a transaction', () => {
  const store = storePerTest();
  const written = async (): Promise<string[]> =>
    (await readOddities(store.database.read, RUN)).map(
      ({ what, became, n, example }) => `${what}, ${became}: ${n} (${example})`,
    );

  it('wait until there is a run, and are counted by kind', async () => {
    const open: { id?: number } = {};
    const notes = new OddityNotes(store.database, () => open.id);
    notes.add({ what: 'a', became: 'put right', example: 'first' });
    await notes.flush();
    open.id = RUN;
    for (const n of [1, 2, 3]) notes.add({ what: 'a', became: 'put right', n, example: 'later' });
    notes.add({ what: 'a', became: 'left' });
    await notes.flush();
    await notes.flush();
    notes.add({ what: 'a', became: 'left' });
    await notes.flush();
    assert.deepEqual(await written(), ['a, put right: 7 (first)', 'a, left: 2 (null)']);
  });

  it('are written in the end, though the database could not be written for a while', async () => {
    const notes = new OddityNotes(store.database, () => RUN);
    store.database.guard = () => {
      throw new Error('not now');
    };
    notes.add({ what: 'a', became: 'put right' });
    await assert.rejects(notes.flush(), /not now/);
    notes.add({ what: 'a', became: 'put right' });
    store.database.guard = undefined;
    await notes.flush();
    assert.deepEqual(await written(), ['a, put right: 2 (null)']);
  });
});

it('a jump of the clock in the middle of a run is told in its summary', async () => {
  await withFolder(async (folder) => {
    const now = Date.now.bind(Date);
    try {
      const body = JSON.stringify({ count: 0, results: [] });
      const { stdout } = await run(folder, {
        stages: CRAWL,
        answer: () => {
          mock.method(Date, 'now', () => now() + 30 * 86_400_000);
          return { body };
        },
      });
      assert.match(
        stdout,
        /^ {2}the clock of this computer jumped: once, for example ahead by 30 d: reported; stored times that are still to come count as unknown$/m,
      );
    } finally {
      mock.restoreAll();
    }
  });
});
