import type { Sql, Tx } from '../store/database.ts';

/** cutout: cutouts of images; image and text: vectors of them. */
export type SpaceKind = 'cutout' | 'image' | 'text';

/**
 * What makes two results comparable: the same model by name and hash, the same recipe of preparing what it is given, and
 * the same kind of input. Whatever differs in one of these has a space of its own.
 */
export interface SpaceDefinition {
  readonly kind: SpaceKind;
  readonly model: string;
  /** Of the weights. */
  readonly sha256: string;
  /** Number of the recipe: of pre-processing, or of how the text is put together. */
  readonly recipe: number;
  /** What the model is given: image, cutout, or listing (its title and materials). */
  readonly input: string;
  /** Null for cutouts. */
  readonly dims: number | null;
}

export interface Space extends SpaceDefinition {
  readonly id: number;
  /** Epoch seconds. */
  readonly since: number;
  /** Epoch seconds when everything that was due in it had been done for the first time; null: not yet. */
  readonly completeAt: number | null;
}

const COLUMNS = 'id, kind, model, sha256, recipe, input, dims, since, complete_at AS completeAt';

/** The space of this definition; made where there is none. */
export async function ensureSpace(tx: Tx, space: SpaceDefinition, now: number): Promise<Space> {
  const { kind, model, sha256, recipe, input, dims } = space;
  const key = [kind, model, sha256, recipe, input];
  await tx.run(
    `INSERT INTO spaces (kind, model, sha256, recipe, input, dims, since) VALUES (?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (kind, model, sha256, recipe, input) DO NOTHING`,
    [...key, dims, now],
  );
  const made = await findSpace(tx, space);
  if (!made) throw new Error(`internal: no space ${key.join(' ')}`);
  return made;
}

export function findSpace(sql: Sql, space: Omit<SpaceDefinition, 'dims'>): Promise<Space | undefined> {
  return sql.get<Space>(
    `SELECT ${COLUMNS} FROM spaces WHERE kind = ? AND model = ? AND sha256 = ? AND recipe = ? AND input = ?`,
    [space.kind, space.model, space.sha256, space.recipe, space.input],
  );
}

export async function completeSpace(tx: Tx, id: number, now: number): Promise<void> {
  await tx.run('UPDATE spaces SET complete_at = ? WHERE id = ? AND complete_at IS NULL', [now, id]);
}

/** So many pictures count: older ones weigh less and less. */
const OF_LATE = 2000;

/** How fast it goes, for the time left. @param ms that passed while these were done */
export async function notePace(tx: Tx, id: number, pictures: number, ms: number): Promise<void> {
  await tx.run(
    `UPDATE spaces SET worked_ms = iif(pictures > ${OF_LATE}, worked_ms / 2, worked_ms) + ?,
       pictures = iif(pictures > ${OF_LATE}, pictures / 2, pictures) + ? WHERE id = ?`,
    [Math.round(ms), pictures, id],
  );
}

/** Milliseconds per picture as measured of late; undefined: not yet. */
export async function paceOf(sql: Sql, id: number): Promise<number | undefined> {
  const row = await sql.get<{ pace: number | null }>(
    'SELECT CAST(worked_ms AS REAL) / pictures AS pace FROM spaces WHERE id = ? AND pictures > 0',
    [id],
  );
  return row?.pace ?? undefined;
}

export function allSpaces(sql: Sql): Promise<Space[]> {
  return sql.all<Space>(`SELECT ${COLUMNS} FROM spaces ORDER BY id`);
}

/** What a search is asked to use: the models that pipeline.yaml names, and what they look at. */
export interface Wanted {
  readonly models: readonly string[];
  /** image or cutout; of texts, listing. */
  readonly input: string;
}

/**
 * The spaces that answer a search of this kind, best first: of each wanted model its newest space, where that is
 * complete. While one is still being built the newest complete one of the same kind answers in its place, whatever its
 * model; only where there is none does the unfinished one answer with what it has. With nothing wanted, every model's
 * newest complete space.
 */
export function answering(spaces: readonly Space[], kind: SpaceKind, wanted: Wanted | undefined): Space[] {
  const newestFirst = spaces.filter((space) => space.kind === kind).toSorted((a, b) => b.id - a.id);
  const complete = newestFirst.filter(({ completeAt }) => completeAt !== null);
  if (!wanted) return newestOfEach(complete.length > 0 ? complete : newestFirst);
  const [older] = complete;
  const chosen = wanted.models.flatMap((model) => {
    const own = newestFirst.find((space) => space.model === model && space.input === wanted.input);
    if (own && own.completeAt !== null) return [own];
    return complete.find((space) => space.model === model) ?? older ?? own ?? [];
  });
  return [...new Set(chosen)];
}

function newestOfEach(newestFirst: readonly Space[]): Space[] {
  const models = new Map<string, Space>();
  for (const space of newestFirst) if (!models.has(space.model)) models.set(space.model, space);
  return [...models.values()];
}
