import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { Screen } from './capture/screen.ts';
import { svg } from './capture/svg.ts';

describe('a picture of the terminal', () => {
  it('has what stands there at the end, each text in its cells and its colour', async () => {
    const screen = new Screen(20, 5);
    await screen.write(
      'gone\r\u001b[2K\u001b[1mCrawl\u001b[22m  \u001b[36m━━\u001b[39m\n\u001b[2m古い\u001b[22m <&>\n',
    );
    const lines = screen.lines;
    assert.equal(lines.length, 2);
    assert.deepEqual(
      lines[0]?.filter(({ text }) => text.trim() !== ''),
      [
        { column: 0, width: 5, text: 'Crawl', colour: undefined, bold: true, dim: false },
        { column: 7, width: 2, text: '━━', colour: 6, bold: false, dim: false },
      ],
    );
    const picture = svg(lines, 20, 'a "run"');
    assert.match(picture, /<title id="title">a &quot;run&quot;<\/title>/);
    assert.match(picture, /<text x="18" [^>]*textLength="42" [^>]*class="b">Crawl<\/text>/);
    assert.match(picture, /<text x="76\.8" [^>]*class="c6">━━<\/text>/);
    // Two cells each.
    assert.match(picture, /<text [^>]*textLength="33\.6" [^>]*class="d">古い<\/text>/);
    assert.match(picture, /> &lt;&amp;&gt;<\/text>/);
    assert.doesNotMatch(picture, /gone/);
  });

  it('of the README shows what the command says today', async () => {
    const shown = async (name: string): Promise<string> =>
      [
        ...(await readFile(new URL(`capture/${name}.svg`, import.meta.url), 'utf8')).matchAll(
          />([^<]*)<\/text>/g,
        ),
      ]
        .map(([, text]) => text)
        .join('\n');
    const screen = await shown('screen');
    for (const words of [
      'Crawl',
      'Vanity Tables',
      'after Images, Reconcile',
      'Etsy API',
      'touch KILL or Ctrl-C to stop; nothing is lost',
    ])
      assert.ok(screen.includes(words), words);
    const summary = await shown('summary');
    for (const words of ['Finished in', 'left out', 'at peak', 'The report: report.html'])
      assert.ok(summary.includes(words), words);
    assert.ok((await shown('status')).includes('The next run: about'));
  });
});
