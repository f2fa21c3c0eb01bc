import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { MOST_DEPTH, MOST_MISTAKES, MOST_YAML_ALIASES, MOST_YAML_TOKENS } from '../lib/limits.ts';
import { firstExcess, isDeeper } from '../lib/pipeline/bounds.ts';
import { ConfigFile } from '../lib/pipeline/diagnostics.ts';

/** Forms of one level around another, which begins at column `at`; flow forms hold flow forms alone. */
const blocks = {
  'a list on its line': (inside: (at: number) => string, at: number) => `- ${inside(at + 2)}`,
  'a list below': (inside: (at: number) => string, at: number) => `-\n${indent(at + 1)}${inside(at + 1)}`,
  'a block below': (inside: (at: number) => string, at: number) => `a:\n${indent(at + 1)}${inside(at + 1)}`,
  'a key that is a block': (inside: (at: number) => string, at: number) => `? ${inside(at + 2)}`,
};
const flows = {
  'a list in brackets': (inside: () => string) => `[${inside()}]`,
  'a block in braces': (inside: () => string) => `{a: ${inside()}}`,
  'the second of a list': (inside: () => string) => `[b, ${inside()}]`,
};
const indent = (columns: number): string => ' '.repeat(columns);
const names = <Form extends object>(forms: Form) => Object.keys(forms) as (keyof Form)[];

function nested(around: readonly (keyof typeof blocks)[], within: readonly (keyof typeof flows)[]): string {
  const flow = (level: number): string => {
    const form = within[level];
    return form === undefined ? 'x' : flows[form](() => flow(level + 1));
  };
  const block = (level: number, at: number): string => {
    const form = around[level];
    return form === undefined ? flow(0) : blocks[form]((inner) => block(level + 1, inner), at);
  };
  return block(0, 0);
}

const levels = <Form extends object>(forms: Form, most: number) =>
  fc.array(fc.constantFrom(...names(forms)), { maxLength: most });

describe('the levels of pipeline.yaml', () => {
  it('are read up to 64, and one more is a mistake in its place, whatever they are made of', () => {
    fc.assert(
      fc.property(levels(blocks, 60), levels(flows, 60), (around, within) => {
        const depth = around.length + within.length;
        const excess = firstExcess(nested(around, within));
        assert.equal(excess === undefined, depth <= MOST_DEPTH, String(depth));
        if (excess) assert.match(excess.message, /^nested deeper than 64 levels/);
      }),
    );
  });

  it('are counted without going down into them, so that 20,000 cost the process nothing', () => {
    for (const part of ['[', '{a: ', '- ', '? ', '[? ', '- [', '{? [', '&a [', '!x [', ': ', '[[]: '])
      for (const before of ['', 'stages:\n  ', '- - ']) {
        const config = new ConfigFile('pipeline.yaml', `${before}${part.repeat(20_000)}`);
        assert.equal(config.read(), undefined);
        assert.match(config.print(), /^pipeline\.yaml:\d+:\d+ YAML: /, part);
      }
  });

  it('do not grow by aliases', () => {
    const chain = (links: number, inside: string): string =>
      Array.from(
        { length: links },
        (_, at) => `a${at}: &a${at} ${inside.replace('x', at > 0 ? `*a${at - 1}` : 'x')}`,
      ).join('\n');
    assert.ok(new ConfigFile('pipeline.yaml', chain(6, '[[[x]]]')).read());
    for (const text of [
      chain(9, '[[[[[[[[[[x]]]]]]]]]]'),
      chain(99, '[x]'),
      chain(5, '[x, x, x, x, x, x]'),
    ]) {
      const config = new ConfigFile('pipeline.yaml', text);
      const read = config.read();
      assert.ok(read === undefined || !isDeeper(read.value, MOST_DEPTH), config.print());
    }
  });
});

describe('a pipeline.yaml without end', () => {
  it('is refused where it passes the bound, before it is looked at', () => {
    const aliases = new ConfigFile('pipeline.yaml', `a: &a 1\nb:\n${'  - *a\n'.repeat(5000)}`).print();
    assert.match(aliases, /^pipeline\.yaml:103:5 YAML: found more than 100 aliases, expected a few\n/);
    const tokens = new ConfigFile('pipeline.yaml', 'a: 1\n'.repeat(50_000)).print();
    assert.match(tokens, /^pipeline\.yaml:\d+:\d+ YAML: found more than 20000 words and marks, expected a /);
    assert.ok(MOST_YAML_TOKENS === 20_000 && MOST_YAML_ALIASES === 100);
  });

  it('is no text in which an asterisk begins a line', () => {
    const text = `a: |\n${'  *a\n'.repeat(500)}b: "\n${'  *a\n'.repeat(500)}"`;
    assert.equal(firstExcess(text), undefined);
  });

  it('has 50 mistakes that are shown, and the rest is counted', () => {
    const printed = new ConfigFile('pipeline.yaml', 'a: 1\n'.repeat(300));
    printed.read();
    assert.equal(printed.print().match(/written twice/g)?.length, MOST_MISTAKES);
    assert.match(printed.print(), /\n\nand 249 more$/);
  });
});
