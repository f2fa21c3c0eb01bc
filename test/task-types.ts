import { defineTask, inFlight, z } from 'sync-data';

// Never run: npm run typecheck fails when a task that is right is refused, or one of these mistakes is let through.

const options = z.object({ batch: z.int().default(100), since: z.string().transform(Number).optional() });
const cursor = z.object({ after: z.int(), turn: z.int().optional() });
const parts = { title: 'Pages', options, cursor, units: () => [{ id: 'all', title: 'All' }] };

export const right = defineTask({
  title: 'Right',
  options,
  cursor,
  uses: ['api'],
  prepare: async ({ options, services }) => {
    const year: number | undefined = options.since;
    return year === undefined
      ? undefined
      : (tx) => tx.run('DELETE FROM pages WHERE year = ?', [services.rules.madeSince]);
  },
  units: async ({ options, services }) => {
    const rows = await services.sql.all<{ id: string }>('SELECT id FROM pages LIMIT ?', [options.batch]);
    return rows.map(({ id }) => ({ id, title: id }));
  },
  async *run(unit, at, { options, services, stop, runId, companionsActive, warn }) {
    let after = at?.after ?? 0;
    const turn: number | undefined = at?.turn;
    yield { write: (tx) => tx.run('INSERT INTO pages VALUES (?)', [options.batch]) };
    for await (const { pending, value } of inFlight(3, stop, async () => async () => runId)) {
      after = value;
      yield {
        write: (tx) => tx.run(unit.id),
        cursor: { after },
        progress: { done: 1 },
        pending,
      };
    }
    const page = await services.api.search({
      taxonomyId: 1,
      offset: 0,
      lowCents: 0,
      highCents: 1,
      order: 'asc',
    });
    if (companionsActive()) warn(`${page.count} left`);
    yield {
      cursor: turn === undefined ? { after } : { after, turn },
      progress: { done: 2, total: 3, note: 'a' },
    };
    yield {};
  },
});

export const withoutCursor = defineTask({
  ...parts,
  cursor: z.object({}),
  async *run() {
    yield { progress: { done: 1 } };
  },
});

export const cursorsOfSeveralShapes = defineTask({
  ...parts,
  cursor: z.union([z.object({ page: z.int() }), z.object({ shop: z.int(), seen: z.array(z.int()) })]),
  async *run(_unit, at) {
    if (at && 'page' in at) yield { cursor: { page: at.page } };
    else yield { cursor: { shop: 1, seen: at?.seen ?? [] } };
  },
});

export const anyCursor = defineTask({
  ...parts,
  cursor: z.unknown(),
  async *run(_unit, at) {
    yield { cursor: { whatever: at } };
  },
});

export const cursorIsANumber = defineTask({
  ...parts,
  cursor: z.int(),
  async *run(_unit, at) {
    yield { cursor: (at ?? 0) + 1 };
  },
});

export const mistakesInWhatIsYielded = [
  defineTask({
    ...parts,
    // @ts-expect-error a field of the cursor that must be there is misspelt
    async *run() {
      yield { cursor: { aftr: 1 } };
    },
  }),
  defineTask({
    ...parts,
    // @ts-expect-error a field of the cursor that may be left out is misspelt
    async *run() {
      yield { cursor: { after: 1, trun: 2 } };
    },
  }),
  defineTask({
    ...parts,
    // @ts-expect-error the cursor of the second step lacks a field
    async *run() {
      yield { cursor: { after: 1 } };
      yield { cursor: { turn: 2 } };
    },
  }),
  defineTask({
    ...parts,
    // @ts-expect-error a field of the cursor is of another type
    async *run() {
      yield { cursor: { after: '1' } };
    },
  }),
  defineTask({
    ...parts,
    // @ts-expect-error the step's key is misspelt, beside one that is right
    async *run() {
      yield { write: (tx) => tx.run(''), curser: { after: 1 } };
    },
  }),
  defineTask({
    ...parts,
    // @ts-expect-error a key of progress is misspelt, beside one that is right
    async *run() {
      yield { progress: { done: 1, totl: 2 } };
    },
  }),
  defineTask({
    ...parts,
    // @ts-expect-error nobody waits for what is written
    async *run() {
      yield { write: (tx) => void tx.run('') };
    },
  }),
  defineTask({
    ...parts,
    // @ts-expect-error a task that only returns would never be checkpointed
    async run() {
      return { cursor: { after: 1 } };
    },
  }),
];

export const mistakesInWhatIsRead = [
  defineTask({
    ...parts,
    async *run(_unit, _cursor, { options }) {
      // @ts-expect-error no such option
      yield { cursor: { after: options.bacth } };
    },
  }),
  defineTask({
    ...parts,
    // @ts-expect-error no such option
    units: ({ options }) => [{ id: String(options.name), title: '' }],
    async *run() {},
  }),
  defineTask({
    ...parts,
    async *run(_unit, cursor) {
      // @ts-expect-error there is no cursor before the first step
      yield { cursor: { after: cursor.after } };
    },
  }),
  defineTask({
    ...parts,
    async *run(_unit, cursor) {
      // @ts-expect-error no such field
      yield { cursor: { after: cursor?.aftr ?? 0 } };
    },
  }),
];

const { title, units, ...schemas } = parts;
export const forgotten = [
  // @ts-expect-error without a title
  defineTask({ ...schemas, units, async *run() {} }),
  // @ts-expect-error without options
  defineTask({ title, units, cursor, async *run() {} }),
  // @ts-expect-error without the cursor's schema
  defineTask({ title, units, options, async *run() {} }),
  // @ts-expect-error without units
  defineTask({ ...schemas, title, async *run() {} }),
  // @ts-expect-error without the work
  defineTask({ ...parts }),
  // @ts-expect-error a unit without title
  defineTask({ ...parts, units: () => [{ id: 'all' }], async *run() {} }),
  // @ts-expect-error a unit's id is a text: it keys the checkpoint
  defineTask({ ...parts, units: () => [{ id: 967, title: 'Furniture' }], async *run() {} }),
  // @ts-expect-error a schema is not what it describes
  defineTask({ ...parts, options: { batch: 100 }, async *run() {} }),
  // @ts-expect-error a member that no task has
  defineTask({ ...parts, finish: () => undefined, async *run() {} }),
];
