import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as nap } from 'node:timers/promises';
import { z } from 'zod';
import { Checkpoints } from '../checkpoints/checkpoints.ts';
import { migrate } from '../lib/dataset/migrations.ts';
import type { Pipeline } from '../lib/pipeline/config.ts';
import { buildGraph } from '../lib/pipeline/graph.ts';
import { Runner } from '../lib/pipeline/runner.ts';
import type { Outcome } from '../lib/pipeline/runner.ts';
import { StopSwitch } from '../lib/pipeline/stop.ts';
import { Database } from '../lib/store/database.ts';
import type { TaskContext } from '../lib/task/task.ts';

type Work = (context: TaskContext<unknown, unknown>) => Promise<void>;

let folder = '';
let database: Database;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ahead-'));
  database = await Database.open(join(folder, 'data.db'));
  await migrate(database);
});
after(async () => {
  await database.close();
  await rm(folder, { recursive: true });
});

/** The stages of the pipeline as it comes, each doing what it is given; what is left out ends at once. */
async function play(
  work: Readonly<Record<string, Work>>,
  aheadAfterMs: number,
): Promise<{ told: readonly string[]; outcome: Outcome }> {
  const told: string[] = [];
  const stage = (
    id: string,
    uses: readonly string[],
    needs: readonly string[],
    alongside: readonly string[] = [],
  ) => ({
    id,
    needs,
    alongside,
    kill: undefined,
    options: {},
    task: {
      title: id,
      options: z.object({}),
      cursor: z.undefined(),
      uses,
      startsAhead: id === 'reviews',
      units: () => [{ id: 'all', title: 'All' }],
      async *run(_unit: unknown, _cursor: unknown, context: TaskContext<unknown, unknown>) {
        told.push(`${id} begins`);
        await work[id]?.(context);
        yield {};
        told.push(`${id} ends`);
      },
    },
  });
  const pipeline = {
    rules: { madeSince: 2000, refreshAfter: 1 },
    stages: [
      stage('crawl', ['api'], []),
      stage('images', ['cdn'], [], ['crawl', 'reconcile']),
      stage('reconcile', ['api'], ['crawl']),
      stage('verify', ['api'], ['reconcile', 'images']),
      stage('reviews', ['api'], ['verify']),
    ],
  } as unknown as Pipeline;
  const stop = new StopSwitch(join(folder, 'KILL'));
  const checkpoints = new Checkpoints(database);
  try {
    const run = await checkpoints.begin(Date.now());
    const outcome = await new Runner(
      {
        pipeline,
        database,
        checkpoints,
        stop,
        isWhole: true,
        emit: () => undefined,
        services: () => ({}),
        stageEnded: () => Promise.resolve(),
        aheadAfterMs,
      },
      run,
    ).run(undefined);
    await checkpoints.finish(run, Date.now());
    return { told, outcome };
  } finally {
    await stop.close();
  }
}

describe('a stage that starts ahead', () => {
  it('begins while only work that is no request keeps those before it, and ends after them', async () => {
    let begun = (): void => undefined;
    const reviewsBegan = new Promise<void>((resolve) => (begun = resolve));
    const { told, outcome } = await play(
      {
        images: () => reviewsBegan,
        reviews: async ({ companionsActive }) => {
          begun();
          assert.equal(companionsActive(), true);
          while (companionsActive()) await nap(1);
        },
      },
      1,
    );
    assert.equal(outcome.state, 'finished');
    assert.ok(told.indexOf('reconcile ends') < told.indexOf('reviews begins'));
    assert.ok(told.indexOf('reviews begins') < told.indexOf('images ends'));
    assert.ok(told.indexOf('verify ends') < told.indexOf('reviews ends'));
  });

  it('changes nothing where the wait is short', async () => {
    const { told } = await play({}, 60_000);
    assert.deepEqual(told.slice(-4), ['verify begins', 'verify ends', 'reviews begins', 'reviews ends']);
  });

  it('is not finished where one of those before it fails', async () => {
    let begun = (): void => undefined;
    const reviewsBegan = new Promise<void>((resolve) => (begun = resolve));
    const { outcome } = await play(
      {
        images: () => reviewsBegan,
        verify: () => Promise.reject(new Error('no')),
        reviews: async ({ companionsActive }) => {
          begun();
          while (companionsActive()) await nap(1);
        },
      },
      1,
    );
    assert.equal(outcome.state, 'failed');
    assert.deepEqual(
      outcome.failures.map(({ stage }) => stage),
      ['verify'],
    );
    const row = await database.read.get<{ n: number }>(
      `SELECT count(*) AS n FROM units WHERE stage = 'reviews' AND finished_at IS NOT NULL
       AND run_id = (SELECT max(id) FROM runs)`,
    );
    assert.equal(row?.n, 0);
  });

  it('waits for crawls and whatever sends requests, and builds on no stage that does not', () => {
    const sends = (id: string): boolean => id !== 'images';
    const graph = buildGraph([
      { id: 'crawl', needs: [], alongside: [] },
      { id: 'images', needs: [], alongside: ['crawl', 'reconcile'] },
      { id: 'reconcile', needs: ['crawl'], alongside: [] },
      { id: 'verify', needs: ['reconcile', 'images'], alongside: [] },
      { id: 'reviews', needs: ['verify'], alongside: [] },
    ]);
    assert.deepEqual([...graph.ahead('reviews', sends)].toSorted(), ['crawl', 'reconcile']);
    assert.deepEqual([...graph.ahead('reviews', () => true)].toSorted(), [
      'crawl',
      'images',
      'reconcile',
      'verify',
    ]);
  });
});
