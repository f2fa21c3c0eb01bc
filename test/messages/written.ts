import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

/** A message as it stands in the source. */
export interface Written {
  /** From the project's folder. */
  readonly file: string;
  readonly line: number;
  /** Its words; … where something is put in. */
  readonly words: string;
}

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const SOURCES = ['lib', 'tasks', 'checkpoints'];
/** What properties and parameters are called that hold what a person reads when something is wrong. */
const NAMES = new Set(['message', 'reason', 'problem', 'fault', 'detail', 'hint', 'error']);
const PARAMETERS = new Set([...NAMES, 'what']);
const HOLE = '…';
const WORD = /\p{L}/u;
const WORDS = /\p{L}[^\p{L}…]+\p{L}/u;

/**
 * Every message in the sources: what is given to a parameter, a property or a variable with one of those names,
 * constructors of errors included, and what is written to stderr. Followed through constants, conditions, tables of texts
 * and what the project's own functions return.
 */
export function writtenMessages(): Written[] {
  const { options } = ts.parseJsonConfigFileContent(
    ts.readConfigFile(`${ROOT}/tsconfig.json`, (path) => ts.sys.readFile(path)).config,
    ts.sys,
    ROOT,
  );
  const files = SOURCES.flatMap((folder) => ts.sys.readDirectory(`${ROOT}/${folder}`, ['.ts']));
  const program = ts.createProgram(files, options);
  const collector = new Collector(program.getTypeChecker());
  for (const file of files) {
    const source = program.getSourceFile(file);
    if (source) collector.visit(source);
  }
  return [...collector.found.values()];
}

class Collector {
  readonly found = new Map<string, Written>();
  readonly #checker: ts.TypeChecker;
  readonly #followed = new Set<ts.Node>();

  constructor(checker: ts.TypeChecker) {
    this.#checker = checker;
  }

  visit(node: ts.Node): void {
    for (const text of this.#told(node)) this.#collect(text, true);
    ts.forEachChild(node, (child) => this.visit(child));
  }

  /** What a node gives to somebody who will tell it. */
  #told(node: ts.Node): (ts.Expression | undefined)[] {
    if (ts.isPropertyAssignment(node) && NAMES.has(node.name.getText())) return [node.initializer];
    if (ts.isVariableDeclaration(node) && NAMES.has(node.name.getText())) return [node.initializer];
    if (ts.isBinaryExpression(node) && node.operatorToken.kind === ts.SyntaxKind.EqualsToken)
      return /[.#](?:hint|problem)$/.test(node.left.getText()) ? [node.right] : [];
    if (!ts.isCallExpression(node) && !ts.isNewExpression(node)) return [];
    if (/\bstderr\.write$/.test(node.expression.getText())) return [node.arguments?.[0]];
    const parameters = this.#checker.getResolvedSignature(node)?.parameters ?? [];
    return parameters.flatMap((parameter, index) =>
      PARAMETERS.has(parameter.name) ? [node.arguments?.[index]] : [],
    );
  }

  /** @param isWhole false: it is put into another text, where a word by itself is a name or a plural s */
  #collect(text: ts.Expression | undefined, isWhole: boolean): void {
    if (!text || this.#followed.has(text)) return;
    this.#followed.add(text);
    if (ts.isStringLiteralLike(text) || ts.isTemplateExpression(text) || isSum(text)) {
      const { words, holes } = this.#read(text);
      if ((isWhole ? WORD : WORDS).test(words)) this.#add(text, words);
      for (const hole of holes) this.#collect(hole, false);
    } else for (const part of this.#sources(text)) this.#collect(part, isWhole);
  }

  #read(text: ts.Expression): { words: string; holes: ts.Expression[] } {
    if (ts.isStringLiteralLike(text)) return { words: text.text, holes: [] };
    if (ts.isParenthesizedExpression(text)) return this.#read(text.expression);
    if (isSum(text)) {
      const [left, right] = [this.#read(text.left), this.#read(text.right)];
      return { words: left.words + right.words, holes: [...left.holes, ...right.holes] };
    }
    if (!ts.isTemplateExpression(text)) return { words: HOLE, holes: [text] };
    return {
      words: [text.head.text, ...text.templateSpans.map(({ literal }) => HOLE + literal.text)].join(''),
      holes: text.templateSpans.map(({ expression }) => expression),
    };
  }

  /** Where the value of an expression comes from. */
  #sources(text: ts.Expression): (ts.Expression | undefined)[] {
    if (ts.isConditionalExpression(text)) return [text.whenTrue, text.whenFalse];
    if (ts.isBinaryExpression(text)) return [text.left, text.right];
    if (ts.isParenthesizedExpression(text) || ts.isAwaitExpression(text)) return [text.expression];
    if (ts.isAsExpression(text) || ts.isNonNullExpression(text)) return [text.expression];
    if (ts.isArrayLiteralExpression(text)) return [...text.elements];
    if (ts.isObjectLiteralExpression(text))
      return text.properties.map((one) => (ts.isPropertyAssignment(one) ? one.initializer : undefined));
    if (ts.isElementAccessExpression(text)) return [text.expression];
    if (ts.isIdentifier(text)) return [initializerOf(this.#declarationOf(text))];
    if (ts.isArrowFunction(text)) return returnsOf(text);
    if (ts.isCallExpression(text)) {
      const isCleaning = /\b(?:redact|printable|oneLine)$/.test(text.expression.getText());
      return [...(isCleaning ? text.arguments : []), ...returnsOf(this.#declarationOf(text.expression))];
    }
    return [];
  }

  #declarationOf(node: ts.Node): ts.Declaration | undefined {
    const symbol = this.#checker.getSymbolAtLocation(node);
    const isImport = symbol && (symbol.flags & ts.SymbolFlags.Alias) !== 0;
    return (isImport ? this.#checker.getAliasedSymbol(symbol) : symbol)?.valueDeclaration;
  }

  #add(at: ts.Node, words: string): void {
    const source = at.getSourceFile();
    const file = relative(ROOT, source.fileName);
    const { line } = source.getLineAndCharacterOfPosition(at.getStart());
    this.found.set(`${file}: ${words}`, { file, line: line + 1, words });
  }
}

function isSum(node: ts.Expression): node is ts.BinaryExpression {
  return ts.isBinaryExpression(node) && node.operatorToken.kind === ts.SyntaxKind.PlusToken;
}

function initializerOf(declaration: ts.Node | undefined): ts.Expression | undefined {
  return declaration && ts.isVariableDeclaration(declaration) ? declaration.initializer : undefined;
}

function returnsOf(declaration: ts.Node | undefined): ts.Expression[] {
  const held = initializerOf(declaration) ?? declaration;
  if (!held || !isFunction(held) || !held.body || held.getSourceFile().isDeclarationFile) return [];
  if (!ts.isBlock(held.body)) return [held.body];
  const found: ts.Expression[] = [];
  const look = (node: ts.Node): void => {
    if (ts.isReturnStatement(node) && node.expression) found.push(node.expression);
    if (!isFunction(node)) ts.forEachChild(node, look);
  };
  look(held.body);
  return found;
}

type AnyFunction = ts.FunctionDeclaration | ts.FunctionExpression | ts.ArrowFunction;

function isFunction(node: ts.Node): node is AnyFunction {
  return ts.isFunctionDeclaration(node) || ts.isFunctionExpression(node) || ts.isArrowFunction(node);
}
