import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cp, mkdir, mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { migrate } from '../lib/dataset/migrations.ts';
import { addListings } from '../lib/dataset/listings.ts';
import { CUTOUT_MODELS, REGISTRY } from '../lib/models/registry.ts';
import type { CutoutModel, Registry } from '../lib/models/registry.ts';
import { Database } from '../lib/store/database.ts';
import type { Value } from '../lib/store/database.ts';
import { KINDS } from './marketplace/kinds.ts';
import { draw } from './marketplace/pictures/draw.ts';
import type { Order } from './marketplace/pictures/draw.ts';
import { drawn } from './marketplace/pictures/drawn.ts';
import { Command } from './rig.ts';
import type { Ended } from './rig.ts';
import { listing } from './store-rig.ts';

const COMMAND = fileURLToPath(new URL('../lib/sync-data.js', import.meta.url));
const BACKGROUND = fileURLToPath(new URL('../tasks/background.ts', import.meta.url));
/** Of the model that a rig's own file takes the place of. */
const TAKEN = 'u2net';

/** @param of what the vectors are made of */
function pipeline(of: 'cutout' | 'image'): string {
  return `stages:
  - id: background
    task: ./tasks/background.ts
    kill: KILL_BG
    with: { model: baseline }
  - id: embed
    task: ./tasks/embed.ts
    needs: [background]
    kill: KILL_EMBED
    with: { models: [baseline], of: ${of} }
`;
}

/** A task that hands sync-data's own another registry of models: what it is to be called beside pipeline.yaml is up to you. */
export function withRegistry(registry: Registry): string {
  return `import task from ${JSON.stringify(BACKGROUND)};
const registry = ${JSON.stringify(registry)};
const given = (context) => {
  // Those that the task does not use must not be asked for.
  const services = Object.create(context.services);
  services.modelSettings = { ...context.services.modelSettings, registry };
  return { ...context, services };
};
export default {
  ...task,
  tells: (context) => task.tells(given(context)),
  run: (unit, cursor, context) => task.run(unit, cursor, given(context)),
};
`;
}

/** What comes of the pictures, without what may differ between two installations that hold the same. */
export interface PicturesDump {
  readonly cutouts: readonly object[];
  readonly vectors: readonly object[];
  readonly codes: readonly object[];
  /** Name and sha256. */
  readonly files: readonly (readonly [string, string])[];
}

/** A few drawings of every kind, over and over: a quarter of the CDN's pixels are enough for what becomes of them. */
const few = (at: number): Order => ({
  kind: KINDS[at % KINDS.length] ?? 'chair',
  drawing: at % 6,
  width: 285,
});

/** Every kind in turn, no drawing twice. */
export const allDifferent = (at: number): Order => ({
  kind: KINDS[at % KINDS.length] ?? 'chair',
  drawing: Math.floor(at / KINDS.length),
});

/** A folder with listings and their images as the other stages leave them, and a pipeline of the two that follow. */
export class PicturesRig {
  readonly folder: string;
  readonly #commands: Command[] = [];

  private constructor(folder: string) {
    this.folder = folder;
  }

  /** @param show what the picture of each listing is, the first one 0 */
  static async open(count: number, show: (at: number) => Order = few): Promise<PicturesRig> {
    const rig = new PicturesRig(await mkdtemp(join(tmpdir(), 'pictures-')));
    await mkdir(rig.path('images'));
    await rig.configure('cutout');
    const database = await Database.open(rig.path('etsy_data.db'));
    try {
      await migrate(database);
      const ids = Array.from({ length: count }, (_, at) => 101 + at);
      await database.write((tx) =>
        addListings(
          tx,
          ids.map((id) => listing(id, undefined, { title: `Piece ${id}`, materials: '["oak","linen"]' })),
        ),
      );
      for (const [at, id] of ids.entries()) await rig.putImage(database, id, await drawn(show(at), draw));
    } finally {
      await database.close();
    }
    return rig;
  }

  /** Another folder with the same in it. */
  async copy(): Promise<PicturesRig> {
    const folder = await mkdtemp(join(tmpdir(), 'pictures-'));
    await cp(this.folder, folder, { recursive: true, preserveTimestamps: true });
    return new PicturesRig(folder);
  }

  /** Writes pipeline.yaml. */
  async configure(of: 'cutout' | 'image'): Promise<void> {
    await writeFile(this.path('pipeline.yaml'), pipeline(of));
  }

  /**
   * Cutouts by a model as it is used that has to be fetched: these weights, of a network like the baseline's.
   * @param source where it is fetched from
   */
  async configureModel(weights: Buffer, source: string): Promise<void> {
    const baseline = CUTOUT_MODELS.find(({ name }) => name === 'baseline') as CutoutModel;
    const file = {
      name: 'mask.onnx',
      url: 'https://github.com/mask.onnx',
      bytes: weights.length,
      sha256: createHash('sha256').update(weights).digest('hex'),
    };
    const model = { ...baseline, name: TAKEN, weights: file };
    await writeFile(this.path('background.ts'), withRegistry({ ...REGISTRY, cutouts: [model] }));
    const yaml = pipeline('cutout').replace('./tasks/background.ts', './background.ts');
    await writeFile(
      this.path('pipeline.yaml'),
      `models: { source: '${source}' }\n${yaml.replace('model: baseline', `model: ${TAKEN}`)}`,
    );
  }

  path(...names: string[]): string {
    return join(this.folder, ...names);
  }

  /** Absolute paths of the images or the cutouts. */
  async files(folder: 'images' | 'cutouts'): Promise<string[]> {
    const names = await readdir(this.path(folder)).catch(() => []);
    return names.toSorted().map((name) => this.path(folder, name));
  }

  /** As the images stage leaves it. */
  async putImage(database: Database, id: number, bytes: Buffer): Promise<void> {
    const path = this.path('images', `${id}.jpg`);
    await writeFile(path, bytes);
    const { mtimeMs } = await stat(path);
    await database.write((tx) =>
      tx.run(
        `INSERT OR REPLACE INTO images (listing_id, state, bytes, modified_ms, sha256) VALUES (?, 'done', ?, ?, ?)`,
        [id, bytes.length, Math.floor(mtimeMs), createHash('sha256').update(bytes).digest('hex')],
      ),
    );
  }

  start(args: readonly string[] = [], imports: readonly URL[] = [], env: NodeJS.ProcessEnv = {}): Command {
    const flags = imports.flatMap((url) => ['--import', url.href]);
    const child = spawn(process.execPath, [...flags, COMMAND, ...args], {
      cwd: this.folder,
      env: { PATH: process.env['PATH'], HOME: this.folder, TZ: 'UTC', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const command = new Command(`sync-data ${args.join(' ')}`, child);
    this.#commands.push(command);
    return command;
  }

  run(args: readonly string[] = []): Promise<Ended> {
    return this.start(args).ended;
  }

  async writing<T>(work: (database: Database) => Promise<T>): Promise<T> {
    const database = await Database.open(this.path('etsy_data.db'));
    try {
      return await work(database);
    } finally {
      await database.close();
    }
  }

  async rows(sql: string, params: readonly Value[] = []): Promise<Record<string, unknown>[]> {
    const database = await Database.open(this.path('etsy_data.db'), { readOnly: true });
    try {
      return (await database.read.all<Record<string, unknown>>(sql, params)).map((row) => ({ ...row }));
    } finally {
      await database.close();
    }
  }

  async dump(): Promise<PicturesDump> {
    const names = await readdir(this.path('cutouts')).catch(() => []);
    const files: [string, string][] = [];
    for (const name of names.toSorted()) {
      const bytes = await readFile(this.path('cutouts', name));
      files.push([name, createHash('sha256').update(bytes).digest('hex')]);
    }
    return {
      cutouts: await this.rows(
        'SELECT listing_id, source, stamp, state, cover, box, bytes, sha256, reason FROM cutouts ORDER BY listing_id',
      ),
      vectors: await this.rows(
        `SELECT kind, model, input, listing_id, source, stamp, hex(vector) AS vector, reason FROM embeddings
         JOIN spaces ON spaces.id = space ORDER BY kind, model, input, listing_id`,
      ),
      codes: await this.rows(
        `SELECT model, input, listing_id, hex(code) AS code FROM embedding_codes JOIN spaces ON spaces.id = space
         ORDER BY model, input, listing_id`,
      ),
      files,
    };
  }

  async close(): Promise<void> {
    for (const command of this.#commands) await command.kill();
    await rm(this.folder, { recursive: true, force: true });
  }
}
