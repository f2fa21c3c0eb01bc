import assert from 'node:assert/strict';
import { join } from 'node:path';
import { it } from 'node:test';
import { Database } from '../lib/store/database.ts';
import { lastStart } from '../checkpoints/starts.ts';
import { CRAWL, run, withFolder } from './messages/provoke.ts';

const TREE = JSON.stringify({ count: 1, results: [{ id: 1, name: 'Furniture', children: [] }] });

it('a mistake that shows only when Etsy was asked is noted in the history as the end of the start', () =>
  withFolder(async (folder) => {
    const began = Date.now();
    const { stderr, exitCode } = await run(folder, {
      stages: CRAWL.replace('12371', 'Sofas'),
      tree: TREE,
    });
    assert.equal(exitCode, 2);
    const database = await Database.open(join(folder.path, 'etsy_data.db'), { readOnly: true });
    const start = await lastStart(database.read);
    await database.close();
    assert.equal(start?.outcome, 'failed');
    assert.equal(`${start.reason}\n`, stderr);
    assert.ok(start.ended_at !== null && start.ended_at >= began);
    assert.equal(start.requests, 1);
  }));
