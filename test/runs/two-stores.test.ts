import assert from 'node:assert/strict';
import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';
import { Database } from '../../lib/store/database.ts';
import { Rig } from '../rig.ts';

type Entries = Record<string, Record<string, unknown> | undefined>;

describe('a database, a file of entries and images of different days', () => {
  let rig: Rig;
  before(async () => {
    rig = await Rig.open({ market: { badImages: {}, reviews: { perShop: 1 } }, taxonomies: [12371] });
    assert.equal((await rig.run()).code, 0);
  });
  after(() => rig.close());

  const json = async (): Promise<Entries> => (await rig.json()) as Entries;
  const nulls = (entries: Entries): string[] =>
    Object.keys(entries).filter((id) => entries[id]?.['image_id'] === null);
  const findings = (kind: string): Promise<{ subject: string; repaired: number }[]> =>
    rig.rows('SELECT subject, repaired FROM findings WHERE kind = ? ORDER BY subject', [kind]);
  const emptied = (entries: Entries, ids: readonly string[]): Entries => ({
    ...entries,
    ...Object.fromEntries(ids.map((id) => [id, { ...entries[id], image_id: null, hex: null, suffix: null }])),
  });

  it('come to say the same, whichever is the older one', async () => {
    const whole = await json();
    const images = Object.keys(whole).filter((id) => whole[id]?.['image_id']);
    assert.ok(images.length > 20 && nulls(whole).length < images.length / 2);

    // An older file: the database knows the images.
    await writeFile(rig.path('image_metadata.json'), JSON.stringify(emptied(whole, images.slice(0, 20))));
    const { code, stdout } = await rig.run({ stage: 'verify' });
    assert.equal(code, 0);
    assert.match(stdout, /warning: image_metadata\.json was changed by another program: .*20 disagreed/);
    assert.deepEqual(await json(), whole);

    // What an earlier version has made of that: the database has the nulls as well; and images it says are not there.
    const database = await Database.open(rig.path('etsy_data.db'));
    await database.write(async (tx) => {
      for (const id of images.slice(0, 5))
        await tx.run(
          "UPDATE meta_data SET value = json_set(value, '$.image_id', null, '$.hex', null, '$.suffix', null) WHERE listing_id = ?",
          [Number(id)],
        );
      for (const id of images.slice(5, 8))
        await tx.run("UPDATE images SET state = 'none', bytes = NULL WHERE listing_id = ?", [Number(id)]);
      await tx.run("DELETE FROM sync_state WHERE key = 'meta_data_file'");
    });
    await database.close();
    await writeFile(rig.path('image_metadata.json'), JSON.stringify(emptied(whole, images.slice(0, 5))));
    assert.equal((await rig.run({ stage: 'verify' })).code, 0);
    assert.deepEqual(await json(), whole);
    const repaired = (ids: readonly string[]): unknown => ids.map((subject) => ({ subject, repaired: 1 }));
    assert.deepEqual(await findings('entry-without-image'), repaired(images.slice(0, 5).toSorted()));
    assert.deepEqual(await findings('image-not-on-record'), repaired(images.slice(5, 8).toSorted()));
    assert.equal(await rig.number("SELECT count(*) AS n FROM images WHERE state = 'done'"), images.length);
    assert.equal(await rig.number('SELECT count(*) AS n FROM findings WHERE repaired = 0'), 0);
  });

  it('lose no row and fetch no image twice where the database is the older one', async () => {
    const older = rig.path('older.db');
    await copyFile(rig.path('etsy_data.db'), older);
    await rig.advance(8);
    assert.equal((await rig.run()).code, 0);
    const before = { json: await json(), downloads: (await rig.requests(/./, 'cdn')).length };
    await copyFile(older, rig.path('etsy_data.db'));
    assert.equal((await rig.run()).code, 0);
    const now = await json();
    assert.deepEqual(nulls(now), nulls(before.json));
    assert.deepEqual(Object.keys(now), Object.keys(before.json));
    assert.equal((await rig.requests(/./, 'cdn')).length, before.downloads);
    assert.equal(
      await rig.number(
        'SELECT count(*) AS n FROM meta_data AS m WHERE earliest_year >= 2000 AND NOT EXISTS (SELECT 1 FROM listings AS l WHERE l.listing_id = m.listing_id)',
      ),
      0,
    );
    assert.ok((await readFile(rig.path('image_metadata.json'), 'utf8')).endsWith('}\n'));
  });
});
