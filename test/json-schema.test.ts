import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { before, describe, it } from 'node:test';
import { Ajv } from 'ajv';
import type { ValidateFunction } from 'ajv';
import fc from 'fast-check';
import { parse } from 'yaml';
import { optionsSchema } from '../lib/pipeline/load-tasks.ts';
import type { AnyTask } from '../lib/pipeline/load-tasks.ts';
import { stageSchema } from '../lib/pipeline/schema.ts';
import { settingsSchema } from '../lib/settings.ts';
import { fieldOf } from '../lib/task/forms.ts';
import { SCHEMA_FILE, ownTasks, schemaText } from './schema-text.ts';

const PIPELINE = new URL('../pipeline.yaml', import.meta.url);

interface Node {
  readonly description?: string;
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, Node>>;
  readonly items?: Node;
  readonly allOf?: readonly { readonly then: Node }[];
}

let tasks: ReadonlyMap<string, AnyTask>;
let validate: ValidateFunction;

before(async () => {
  tasks = await ownTasks();
  const ajv = new Ajv({ allErrors: true, allowUnionTypes: true });
  // Shown by editors in place of "does not match the pattern".
  ajv.addVocabulary(['patternErrorMessage']);
  validate = ajv.compile(JSON.parse(await readFile(SCHEMA_FILE, 'utf8')) as object);
});

/** The verdict of the schemas that loading goes by, on what each key holds. */
function isGood(config: unknown): boolean {
  const settings = settingsSchema.safeParse(config ?? {});
  if (!settings.success) return false;
  return settings.data.stages.every((stage) => {
    const path = fieldOf(stage, 'task');
    const task = typeof path === 'string' ? tasks.get(path) : undefined;
    const options = fieldOf(stage, 'with') ?? {};
    return stageSchema.safeParse(stage).success && (!task || optionsSchema(task).safeParse(options).success);
  });
}

const crawl = { id: 'crawl', task: './tasks/crawl.ts', with: { taxonomies: [967] } };
const other = (more: object): object => ({ stages: [crawl, { id: 'mine', task: './mine.ts', ...more }] });
const rest = (settings: object): object => ({ stages: [crawl], ...settings });
const taxonomies = (list: unknown): object => ({ stages: [{ ...crawl, with: { taxonomies: list } }] });
const stage = (one: object): object => ({ stages: [one] });

const GOOD: Readonly<Record<string, unknown>> = {
  'a stage alone': { stages: [crawl] },
  'blocks whose keys are commented out': rest({ api: null, data: null, rules: null }),
  'all settings': rest({
    name: 'two categories',
    kill: 'STOP',
    api: {
      baseUrl: 'http://127.0.0.1:8080/v3/',
      qps: 0.5,
      onQuota: 'stop',
      timeout: '1h',
      giveUpAfter: '36h',
    },
    data: { database: '../a.db', metadata: '/var/b.json', images: 'c' },
    rules: { madeSince: 1700, refreshAfter: '3650d' },
  }),
  'the longest durations in every unit': rest({ api: { timeout: '3600s', giveUpAfter: '5256000m' } }),
  'zeros in front': rest({ rules: { refreshAfter: '007d' } }),
  'an address on this machine': rest({ api: { baseUrl: 'http://[::1]' } }),
  "a task of one's own, with any options": other({ with: { depth: [1, { a: null }] } }),
  "a task of one's own, without": other({ needs: ['crawl'], alongside: [] }),
  'no options where none is required': stage({ id: 'verify', task: './tasks/verify.ts', with: null }),
  'a kind to tolerate': stage({
    id: 'verify',
    task: './tasks/verify.ts',
    with: { tolerate: ['missing-image'] },
  }),
  'several taxonomies': taxonomies([12470, 976]),
};

const BAD: Readonly<Record<string, unknown>> = {
  'no stages': {},
  'an empty list of stages': { stages: [] },
  'a list instead of keys': [crawl],
  'a text': 'crawl',
  'an unknown key': rest({ retries: 2 }),
  'an unknown key in a block': rest({ api: { burst: 3 } }),
  'a block that is a list': rest({ data: [] }),
  'an empty name': rest({ name: ' ' }),
  'a path that is none': rest({ kill: true }),
  'more than Etsy allows': rest({ api: { qps: 5.1 } }),
  'no requests at all': rest({ api: { qps: 0 } }),
  'endless requests': rest({ api: { qps: Infinity } }),
  'an unknown word': rest({ api: { onQuota: 'Stop' } }),
  'a duration without unit': rest({ rules: { refreshAfter: 7 } }),
  'a duration of nothing': rest({ rules: { refreshAfter: '0d' } }),
  'a unit nobody knows': rest({ rules: { refreshAfter: '1w' } }),
  'a duration too long': rest({ api: { timeout: '61m' } }),
  'a duration too long by a second': rest({ api: { giveUpAfter: '315360001s' } }),
  'half a year': rest({ rules: { madeSince: 1999.5 } }),
  'a year too early': rest({ rules: { madeSince: 1699 } }),
  'a year as text': rest({ rules: { madeSince: '2000' } }),
  'plain http to another machine': rest({ api: { baseUrl: 'http://etsy.example' } }),
  'an address with a password': rest({ api: { baseUrl: 'https://a:b@etsy.example' } }),
  'an address with a query': rest({ api: { baseUrl: 'https://etsy.example/?a=1' } }),
  'no address': rest({ api: { baseUrl: 'openapi.etsy.com' } }),
  'a stage that is a word': { stages: ['crawl'] },
  'a stage without id': stage({ task: './mine.ts' }),
  'a stage without task': stage({ id: 'mine' }),
  'a stage with an unknown key': other({ wiht: {} }),
  'an id in capitals': stage({ id: 'Mine', task: './mine.ts' }),
  'needs as a word': other({ needs: 'crawl' }),
  'needs with a number': other({ needs: [7] }),
  'options left out that are required': stage({ id: 'crawl', task: './tasks/crawl.ts' }),
  'options left empty that are required': stage({ id: 'crawl', task: './tasks/crawl.ts', with: null }),
  'an unknown option': stage({ ...crawl, with: { taxonomies: [967], limit: 3 } }),
  'options where there are none': stage({ id: 'reviews', task: './tasks/reviews.ts', with: { shops: 3 } }),
  'an unknown kind to tolerate': stage({
    id: 'verify',
    task: './tasks/verify.ts',
    with: { tolerate: ['all'] },
  }),
  'hosts as a word': stage({ id: 'images', task: './tasks/images.ts', with: { hosts: 'i.etsystatic.com' } }),
  'no taxonomy': taxonomies([]),
  'a taxonomy below 1': taxonomies([0]),
  'half a taxonomy': taxonomies([967.5]),
  'a taxonomy twice': taxonomies([967, 967]),
};

describe('pipeline.schema.json', () => {
  it('is what lib/pipeline/schema.ts and the tasks say', async () => {
    const hint = 'lib/pipeline/pipeline.schema.json is not up to date. Write it again with: npm run schema';
    assert.equal(await readFile(SCHEMA_FILE, 'utf8'), await schemaText(), hint);
  });

  it('describes every key', async () => {
    const bare: string[] = [];
    const look = (node: Node, path: string): void => {
      for (const [key, below] of Object.entries(node.properties ?? {})) {
        // A condition repeats `with` for one task; it is described where it is declared.
        if (below.description === undefined && key !== 'with') bare.push(`${path}${key}`);
        if (below.default !== undefined && !/Default: /.test(below.description ?? ''))
          bare.push(`${path}${key}: its default`);
        look(below, `${path}${key}.`);
      }
      if (node.items) look(node.items, `${path}[].`);
      for (const { then } of node.allOf ?? []) look(then, path);
    };
    look(JSON.parse(await readFile(SCHEMA_FILE, 'utf8')) as Node, '');
    assert.deepEqual(bare, []);
  });

  it('is named in the first line of the pipeline.yaml that ships, which it accepts', async () => {
    const text = await readFile(PIPELINE, 'utf8');
    const [, path = ''] = /^# yaml-language-server: \$schema=(\S+)\n/.exec(text) ?? [];
    assert.equal(new URL(path, PIPELINE).pathname, new URL(`file://${SCHEMA_FILE}`).pathname);
    assert.ok(validate(parse(text)), JSON.stringify(validate.errors, null, 2));
  });
});

describe('editors and sync-data come to the same verdict', () => {
  for (const [title, config] of Object.entries(GOOD)) {
    it(`${title}: good`, () => {
      assert.ok(validate(config), JSON.stringify(validate.errors, null, 2));
      assert.ok(isGood(config));
    });
  }

  for (const [title, config] of Object.entries(BAD)) {
    it(`${title}: bad`, () => {
      assert.equal(validate(config), false);
      assert.equal(isGood(config), false);
    });
  }

  it('on durations of any length', () => {
    const duration = fc
      .tuple(
        fc.constantFrom('', '0', '00', '-', ' '),
        fc.nat({ max: 400_000_000 }),
        fc.constantFrom('s', 'm', 'h', 'd', 'w', 'S', ''),
      )
      .map((parts) => parts.join(''));
    const edge = fc
      .tuple(
        fc.constantFrom(1, 60, 3600, 3650, 87_600, 5_256_000, 315_360_000),
        fc.integer({ min: -1, max: 1 }),
      )
      .chain(([limit, step]) => fc.constantFrom('s', 'm', 'h', 'd').map((unit) => `${limit + step}${unit}`));
    fc.assert(
      fc.property(fc.oneof(duration, edge), fc.oneof(duration, edge), (timeout, refreshAfter) =>
        agree(rest({ api: { timeout }, rules: { refreshAfter } })),
      ),
      { numRuns: 2000 },
    );
  });

  it('on good configurations with one or two values exchanged for others', () => {
    const place = fc.constantFrom(...Object.values(GOOD).flatMap((config) => placesIn(config)));
    const value = fc.oneof(
      fc.constantFrom(...Object.values({ ...GOOD, ...BAD }).flatMap((config) => valuesIn(config))),
      fc.jsonValue({ maxDepth: 1 }),
    );
    fc.assert(
      fc.property(place, value, fc.option(fc.tuple(place, value)), (first, given, second) => {
        const once = exchanged(first.config, first.path, given);
        return agree(second ? exchanged(once, second[0].path, second[1]) : once);
      }),
      { numRuns: 5000 },
    );
  });
});

function agree(config: unknown): void {
  const why = (): string => `editors say of ${JSON.stringify(config)}: ${JSON.stringify(validate.errors)}`;
  if (validate(config) !== isGood(config)) assert.fail(why());
}

type Path = readonly (string | number)[];

function placesIn(config: unknown): { config: unknown; path: Path }[] {
  const paths: Path[] = [];
  const walk = (value: unknown, path: Path): void => {
    paths.push(path);
    if (typeof value !== 'object' || value === null) return;
    for (const [key, below] of Object.entries(value)) walk(below, [...path, key]);
  };
  walk(config, []);
  return paths.map((path) => ({ config, path }));
}

function valuesIn(config: unknown): unknown[] {
  const below = typeof config === 'object' && config !== null ? Object.values(config) : [];
  return [config, ...below.flatMap(valuesIn)];
}

/** A copy with another value at `path`, or the same where it has no such place. */
function exchanged(config: unknown, [key, ...path]: Path, value: unknown): unknown {
  if (key === undefined) return value;
  if (Array.isArray(config)) {
    return config.map((one: unknown, index) => (String(index) === key ? exchanged(one, path, value) : one));
  }
  if (typeof config !== 'object' || config === null) return config;
  return { ...config, [key]: exchanged(fieldOf(config, String(key)), path, value) };
}
