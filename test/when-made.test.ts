import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { classify, earliestYear } from '../lib/dataset/when-made.ts';

const SINCE = 2000;

/** The four words of the year `now` that will be others next January: twenty years old is vintage. */
function movingWords(now: number): readonly [word: string, verdict: string, from: number | null][] {
  const vintage = now - 19;
  return [
    [`2020_${now}`, 'since', 2020],
    [`${vintage}_2009`, 'since', vintage],
    [`before_${vintage}`, 'uncertain', null],
    [`2000_${vintage - 1}`, 'since', 2000],
  ];
}

const LASTING: readonly [word: string | null | undefined, verdict: string, from: number | null][] = [
  ['made_to_order', 'since', 9999],
  ['2010_2019', 'since', 2010],
  ['2000_2009', 'since', 2000],
  ...[1990, 1980, 1970, 1960, 1950, 1940, 1930, 1920, 1910, 1900, 1800, 1700].map(
    (year): [string, string, number] => [`${year}s`, 'before', year],
  ),
  ['before_1700', 'before', null],
];

const SAYS_NOTHING = [
  null,
  undefined,
  '',
  'vintage',
  'unknown',
  'made_to_order ',
  'MADE_TO_ORDER',
  '2020',
  '2020_',
  '2020-2026',
  '2026_2020',
  '20200_2026',
  '2020_20266',
  ' 2020_2026',
  '2020_2026\n',
  'before_',
  'before_07',
  'before_2007s',
  '1995s',
  '199s',
  '90s',
  '२०२०_२०२६',
  '__proto__',
];

describe('when_made', () => {
  for (const now of [2023, 2024, 2025, 2026, 2027, 2028]) {
    it(`understands the words of ${now}`, () => {
      for (const [word, verdict, from] of movingWords(now)) {
        assert.deepEqual([word, classify(word, SINCE), earliestYear(word)], [word, verdict, from]);
      }
    });
  }

  it('spells the words of 2026 and 2027 as Etsy does', () => {
    const words = (now: number): string[] => movingWords(now).map(([word]) => word);
    assert.deepEqual(words(2026), ['2020_2026', '2007_2009', 'before_2007', '2000_2006']);
    assert.deepEqual(words(2027), ['2020_2027', '2008_2009', 'before_2008', '2000_2007']);
  });

  it('understands the words that do not move', () => {
    for (const [word, verdict, from] of LASTING) {
      assert.deepEqual([word, classify(word, SINCE), earliestYear(word)], [word, verdict, from]);
    }
  });

  it('never takes a word it does not know for either side', () => {
    for (const word of SAYS_NOTHING) {
      assert.deepEqual([word, classify(word, SINCE), earliestYear(word)], [word, 'unrecognised', null]);
    }
  });

  it('holds a range that reaches across the year for uncertain', () => {
    assert.equal(classify('2000_2006', 2003), 'uncertain');
    assert.equal(classify('1800s', 1850), 'uncertain');
    assert.equal(classify('before_2007', 2007), 'before');
    assert.equal(classify('before_2007', 2006), 'uncertain');
  });
});

const year = fc.integer({ min: 1600, max: 2100 });
const word = fc.oneof(
  fc.constant('made_to_order'),
  fc.tuple(year, year).map(([a, b]) => `${Math.min(a, b)}_${Math.max(a, b)}`),
  year.map((to) => `before_${to}`),
  year.map((from) => `${from - (from % 10)}s`),
);
const anything = fc.oneof(word, fc.string(), fc.constantFrom(...SAYS_NOTHING));

describe('when_made of any word', () => {
  it("says 'since' exactly where its earliest year is that year or later", () => {
    fc.assert(
      fc.property(anything, year, (word, madeSince) => {
        const from = earliestYear(word);
        assert.equal(classify(word, madeSince) === 'since', from !== null && from >= madeSince);
      }),
    );
  });

  it('moves one way only as the year rises: since, uncertain, before', () => {
    const rank = ['since', 'uncertain', 'before'];
    fc.assert(
      fc.property(word, year, fc.nat({ max: 200 }), (word, madeSince, more) => {
        const [earlier, later] = [classify(word, madeSince), classify(word, madeSince + more)];
        assert.ok(rank.indexOf(earlier) <= rank.indexOf(later), `${word}: ${earlier}, then ${later}`);
      }),
    );
  });

  it('is recognised for every year or for none', () => {
    fc.assert(
      fc.property(anything, year, year, (word, one, other) => {
        assert.equal(
          classify(word, one) === 'unrecognised',
          classify(word, other) === 'unrecognised',
          String(word),
        );
      }),
    );
  });
});
