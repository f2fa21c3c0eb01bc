import { CST, Lexer, Parser } from 'yaml';
import { MOST_DEPTH, MOST_YAML_ALIASES, MOST_YAML_TOKENS } from '../limits.ts';

export const TOO_DEEP = `nested deeper than ${MOST_DEPTH} levels, expected a few`;

interface Excess {
  readonly start: number;
  /** Exclusive. */
  readonly end: number;
  readonly message: string;
}

/**
 * Where a YAML text passes what any pipeline.yaml needs, found before anything is made of it.
 *
 * What the parser reads is put together by functions that call themselves, level by level, and Node ends the process
 * where a pattern is compiled close to the end of the stack: there is nothing to catch. So the levels are counted first,
 * token by token, with the parser's own stack, which is a list.
 */
export function firstExcess(text: string): Excess | undefined {
  const parser = new Parser();
  let [tokens, aliases, isText] = [0, 0, false];
  for (const lexeme of new Lexer().lex(text)) {
    const start = parser.offset;
    const at = { start, end: start + Math.max(1, lexeme.length) };
    // The generator of what is finished by this token, which may be nothing.
    Array.from(parser.next(lexeme));
    tokens += 1;
    if (!isText && CST.tokenType(lexeme) === 'alias') aliases += 1;
    isText = lexeme === CST.SCALAR;
    if (levelsOf(parser.stack) > MOST_DEPTH) return { ...at, message: TOO_DEEP };
    if (aliases > MOST_YAML_ALIASES)
      return { ...at, message: `found more than ${MOST_YAML_ALIASES} aliases, expected a few` };
    if (tokens > MOST_YAML_TOKENS)
      return {
        ...at,
        message: `found more than ${MOST_YAML_TOKENS} words and marks, expected a shorter file`,
      };
  }
  return undefined;
}

/** Without the document itself and the contents of the innermost. */
function levelsOf(stack: readonly CST.Token[]): number {
  const top = stack.at(-1)?.type;
  return stack.length - (top !== undefined && /-(?:collection|map|seq)$/.test(top) ? 1 : 2);
}

/** Whether lists and blocks are nested deeper than so many levels. Calls itself that often at most. */
export function isDeeper(value: unknown, levels: number, looked = new Map<object, number>()): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (levels === 0) return true;
  // What several aliases stand for is looked at again only where it is deeper inside.
  if ((looked.get(value) ?? Infinity) <= levels) return false;
  looked.set(value, levels);
  return Object.values(value).some((inside) => isDeeper(inside, levels - 1, looked));
}
