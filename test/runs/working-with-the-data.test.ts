import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { restoreClock, tenWeeks } from '../ten-weeks.ts';
import type { TenWeeks } from '../ten-weeks.ts';

const PAGE = fileURLToPath(new URL('../../lib/dataset/WORKING-WITH-THE-DATA.md', import.meta.url));
const ANSWERED = /```sql\n([^]*?)```\n\n```text\n([^]*?)```/g;
const run = promisify(execFile);

type Row = Record<string, string>;

/** As `sqlite3 -column -header` prints rows. */
function inColumns(rows: readonly Row[]): string {
  const titles = Object.keys(rows[0] ?? {});
  const lines = [titles, ...rows.map((row) => titles.map((title) => row[title] ?? ''))];
  const widths = titles.map((_, index) => Math.max(...lines.map((line) => (line[index] ?? '').length)));
  const rule = widths.map((width) => '-'.repeat(width));
  return [lines[0] ?? [], rule, ...lines.slice(1)]
    .map(
      (line) =>
        `${line
          .map((text, index) => text.padEnd(widths[index] ?? 0))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('');
}

/** With every value as SQLite spells it: 12.0 is a real there, and 12 here. */
async function answers(world: TenWeeks, query: string): Promise<Row[]> {
  const bare = query.trim().replace(/;$/, '');
  const [first] = await world.rig.rows<Row>(bare);
  const cast = Object.keys(first ?? {}).map((name) => `coalesce(CAST("${name}" AS TEXT), '') AS "${name}"`);
  return world.rig.rows<Row>(`SELECT ${cast.join(', ')} FROM (${bare})`);
}

describe('the page about working with the data', () => {
  let world: TenWeeks;
  let page: string;
  before(async () => {
    page = await readFile(PAGE, 'utf8');
    world = await tenWeeks({
      market: { categories: { 12371: { listings: 120 }, 976: { listings: 90 } }, shops: 30 },
    });
  });
  after(async () => {
    restoreClock();
    await world.rig.close();
  });

  it('shows what its queries answer', async () => {
    // UPDATE=1 writes the answers into the page.
    let answered = page;
    for (const [block, query = ''] of page.matchAll(ANSWERED)) {
      const rows = await answers(world, query);
      assert.ok(rows.length > 1, query);
      const fence = '```';
      const fresh = `${fence}sql\n${query}${fence}\n\n${fence}text\n${inColumns(rows)}${fence}`;
      answered = answered.replace(block, () => fresh);
    }
    if (process.env['UPDATE'] === '1') await writeFile(PAGE, answered);
    else assert.equal(page, answered);
  });

  it('answers five questions in at most six lines each', () => {
    const queries = [...page.matchAll(ANSWERED)].map(([, query = '']) => query.trim().split('\n'));
    assert.equal(queries.length, 5);
    for (const lines of queries) assert.ok(lines.length <= 6, lines.join('\n'));
  });

  it('gives lines for a shell that work', { skip: !hasSqlite() }, async () => {
    const lines = [...page.matchAll(/^ {4}(sqlite3 .*etsy_data\.db ".+)$/gm)].map(([, line = '']) => line);
    assert.equal(lines.length, 2);
    for (const line of lines) await run('sh', ['-c', line], { cwd: world.rig.folder });
    const csv = await readFile(world.rig.path('listings.csv'), 'utf8');
    const listings = await world.rig.number('SELECT count(*) AS n FROM listings');
    assert.ok(csv.startsWith('listing_id,title,category,'));
    assert.ok(csv.trimEnd().split('\n').length > listings);
    const { stdout } = await run('sqlite3', [
      world.rig.path('backup.db'),
      'SELECT count(*) FROM current_listings',
    ]);
    assert.equal(Number(stdout), listings);
  });
});

function hasSqlite(): boolean {
  return (process.env['PATH'] ?? '').split(':').some((folder) => existsSync(`${folder}/sqlite3`));
}
