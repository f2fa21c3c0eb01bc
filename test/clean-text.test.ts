import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { MOST_DEPTH } from '../lib/limits.ts';
import { clip, eachText, oneLine, printable, visibleJson, wellFormed } from '../lib/text/clean.ts';
import { boundedJson, isCut, JsonTooLarge, TOO_DEEP } from '../lib/text/json.ts';
import { Redactor } from '../lib/text/redact.ts';

/** Any UTF-16, half surrogates, controls and invisible characters oftener than chance would have them. */
const anyText = fc
  .array(
    fc.oneof(
      fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code)),
      fc.constantFrom('\u001b[31m', '\u001b]0;x\u0007', '\u009b31m', '\u202e', '\u200b', '\u2028', '\ud800'),
      fc.constantFrom(
        '\0',
        '\r\n',
        '\u3164',
        '\u{e0041}',
        '\ufe0f',
        'Z\u0300\u0301\u0302\u0303\u0304',
        'word',
      ),
    ),
    { maxLength: 40 },
  )
  .map((parts) => parts.join(''));

describe('text that is cleaned', () => {
  it('for a line has nothing a terminal obeys and nothing a reader cannot see, and loses no letter', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const line = oneLine(text);
        assert.doesNotMatch(line, /[\p{Cc}\p{Cf}\p{Cs}\p{DI}\p{Zl}\p{Zp}\u2800]/u);
        assert.equal(oneLine(line), line);
        assert.doesNotMatch(printable(text).replaceAll('\n', ''), /[\p{Cc}\p{Cf}\p{Cs}\p{DI}\p{Zl}\p{Zp}]/u);
      }),
    );
    assert.equal(oneLine('Größe 3 × 4, 家具 🪑'), 'Größe 3 × 4, 家具 🪑');
    assert.equal(printable('one\n  two\t3'), 'one\n  two 3');
  });

  it('to be stored is whole for every reader, and otherwise as it came', () => {
    assert.equal(wellFormed('a\ud800b\0c\udc00'), 'a\ufffdb\ufffdc\ufffd');
    fc.assert(
      fc.property(anyText, (text) => {
        const stored = wellFormed(text);
        assert.equal(Buffer.from(stored).toString(), stored);
        assert.ok(!stored.includes('\0') && stored.length === text.length);
      }),
    );
  });

  it('as JSON can be looked at, and says the same to a program', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const json = visibleJson({ text }, 2);
        assert.doesNotMatch(json.replaceAll('\n', ''), /[\p{Cc}\p{Cf}\p{Cs}\p{DI}\p{Zl}\p{Zp}]/u);
        assert.deepEqual(JSON.parse(json), { text });
      }),
    );
  });

  it('is cut between characters', () => {
    assert.equal(clip('🪑🪑🪑', 3), '🪑🪑🪑');
    assert.equal(clip('🪑🪑🪑🪑', 3), '🪑🪑…');
    fc.assert(
      fc.property(anyText, fc.integer({ min: 1, max: 20 }), (text, most) => {
        assert.ok(Array.from(clip(text, most)).length <= most);
      }),
    );
  });

  it('is changed wherever it is in a value, keys included', () => {
    const value: unknown = JSON.parse('{"a\\u0000":["x\\ud800",{"__proto__":"\\u0000"}],"n":1,"z":null}');
    assert.equal(
      JSON.stringify(eachText(value, wellFormed)),
      '{"n":1,"z":null,"a\ufffd":["x\ufffd",{"__proto__":"\ufffd"}]}',
    );
  });
});

const letters = fc.constantFrom(...Array.from('abcdefghijklmnopqrstuvwxyz0123456789'));
const part = (length: number): fc.Arbitrary<string> =>
  fc.string({ unit: letters, minLength: length, maxLength: length });
const between = fc.constantFrom(
  '\u200b',
  '\u00ad',
  '\u001b[0m',
  '\0',
  ' ',
  '-',
  '\n',
  '\u0301',
  '\u{e0020}',
  '…',
);
const each = (text: string, form: (code: string) => string): string =>
  Array.from(text, (letter) => form(letter.charCodeAt(0).toString(16))).join('');
const FORMS: Readonly<Record<string, (text: string) => string>> = {
  'as it is': (text) => text,
  'upper case': (text) => text.toUpperCase(),
  backwards: (text) => Array.from(text).toReversed().join(''),
  base64: (text) => Buffer.from(text).toString('base64'),
  'base64 of the header': (text) => Buffer.from(`x-api-key: ${text}\r\n`).toString('base64url'),
  hex: (text) => Buffer.from(text).toString('hex').toUpperCase(),
  'percent-encoded': (text) => each(text, (code) => `%${code}`),
  'percent-encoded twice': (text) => each(text, (code) => `%25${code}`),
  'escaped in JSON': (text) => each(text, (code) => `\\u00${code}`),
  'escaped in JSON in JSON': (text) => each(text, (code) => `\\\\u00${code}`),
  'entities of HTML': (text) => each(text, (code) => `&#x${code};`),
  'wide letters': (text) =>
    Array.from(text, (letter) =>
      letter === ':' ? letter : String.fromCharCode(letter.charCodeAt(0) + 0xfee0),
    ).join(''),
};

describe('a secret', () => {
  for (const [name, form] of Object.entries(FORMS)) {
    it(`is struck out as ${name}, whole or in part, and what is around it stays`, () => {
      fc.assert(
        fc.property(part(24), part(10), anyText, (keystring, secret, around) => {
          const redactor = new Redactor([`${keystring}:${secret}`, keystring, secret]);
          for (const one of [`${keystring}:${secret}`, keystring]) {
            const echoed = form(one);
            const text = redactor.text(`sent "${echoed}" ${around}`);
            assert.ok(!text.includes(echoed), text);
            assert.ok(text.startsWith('sent "'));
            // A byte or two at the ends of base64 belong to its neighbours.
            assert.match(text, /^sent ".{0,16}\[key\].{0,4}"/su);
          }
        }),
        { numRuns: 30 },
      );
    });
  }

  it('is struck out when it is split, anywhere and by anything', () => {
    fc.assert(
      fc.property(part(24), fc.array(fc.nat(23), { minLength: 1 }), between, (secret, places, mark) => {
        const split = Array.from(secret, (letter, index) =>
          places.includes(index) ? mark + letter : letter,
        ).join('');
        const text = new Redactor([secret]).text(`sent ${split} ok`);
        assert.equal(text.replaceAll(mark, '').replaceAll(' ', ''), 'sent[key]ok');
      }),
      // A key that has in it what else stands for another letter.
      {
        examples: ['\u001b[0m', '&#8203;', '\\u200b'].map((mark) => ['dkgszm40x9futj5hbq4qtnbt', [2], mark]),
      },
    );
  });

  it('is struck out across the pieces of a long text', () => {
    const secret = 'abcdefghijklmnopqrstuvwx';
    const redactor = new Redactor([secret]);
    for (let before = 65_500; before < 65_560; before += 7) {
      const text = `${'-'.repeat(before)}${secret}${'-'.repeat(70_000)}`;
      assert.equal(redactor.text(text), `${'-'.repeat(before)}[key]${'-'.repeat(70_000)}`);
    }
  });

  it('is found wherever it stands, and nothing is found where there is none', () => {
    fc.assert(
      fc.property(part(24), fc.nat(300), fc.nat(300), (secret, before, after) => {
        const redactor = new Redactor([secret]);
        const text = (inside: string): string => `${'é '.repeat(before)}${inside}${'"'.repeat(after)}`;
        assert.ok(redactor.isIn(text(secret)) && redactor.isIn(text(secret.toUpperCase())));
        assert.ok(!redactor.isIn(text(secret.slice(1))));
        assert.equal(redactor.text(text('')), text(''));
      }),
    );
  });
});

describe('JSON of a stranger', () => {
  const nested = (levels: number): string => `${'[{"a":'.repeat(levels / 2)}1${'}]'.repeat(levels / 2)}`;

  it('is what JSON.parse makes of it', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        assert.deepEqual(boundedJson(Buffer.from(text)), JSON.parse(text));
      }),
    );
    assert.throws(() => boundedJson(Buffer.from('{"a":[}')), SyntaxError);
    assert.equal(isCut(boundedJson(Buffer.from(`{"a":${nested(MOST_DEPTH - 2)}}`))), false);
  });

  it('is cut where it is nested too deep, and only what is around that is marked', () => {
    for (const levels of [MOST_DEPTH, 1500, 100_000]) {
      const text = `{"count":2,"results":[{"id":1,"s":"]]\\"}","x":${nested(levels)},"y":2},{"id":2,"[":"]"}]}`;
      const value = boundedJson(Buffer.from(text)) as { results: { id: number; y?: number }[] };
      assert.deepEqual([isCut(value), ...value.results.map(isCut)], [true, true, false]);
      assert.deepEqual(
        value.results.map(({ id, y }) => [id, y]),
        [
          [1, 2],
          [2, undefined],
        ],
      );
      assert.ok(JSON.stringify(value).includes(TOO_DEEP) && JSON.stringify(value).length < 1000);
    }
    // Whoever writes the words himself has written words.
    const said = boundedJson(Buffer.from(JSON.stringify({ a: TOO_DEEP })));
    assert.equal(isCut(said), false);
  });

  it('with too many values is refused before anything is made of it', () => {
    for (const one of ['1', '[]', '{}', '""']) {
      const text = `[${Array<string>(500_000).fill(one).join(',')}]`;
      assert.throws(() => boundedJson(Buffer.from(text)), JsonTooLarge);
    }
    assert.throws(() => boundedJson(Buffer.from('['.repeat(8e6))), JsonTooLarge);
  });
});
