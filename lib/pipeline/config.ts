import { dirname, relative, resolve } from 'node:path';
import type { z } from 'zod';
import { ConfigFile, labelOf } from './diagnostics.ts';
import type { KeyPath } from './diagnostics.ts';
import { UserError } from '../errors.ts';
import type { OptionMistakes } from '../task/option-mistakes.ts';
import { clip, oneLine } from '../text/clean.ts';
import type { Redactor } from '../text/redact.ts';
import { findPipeline } from './find.ts';
import { findGraphMistakes } from './graph.ts';
import type { StageDraft } from './graph.ts';
import { loadTask, optionsSchema } from './load-tasks.ts';
import type { AnyTask, Loading } from './load-tasks.ts';
import { settingsSchema } from '../settings.ts';
import { stageSchema } from './schema.ts';
import { validate } from './validate.ts';
import { fieldOf } from '../task/forms.ts';

/** Characters of `name:` that are shown. */
const LONGEST_NAME = 80;

/** A pipeline.yaml, checked and ready to run. All paths are absolute, all durations seconds. */
export interface Pipeline<Tx = unknown, Services = unknown> {
  readonly file: string;
  readonly folder: string;
  readonly name: string;
  readonly kill: string;
  readonly api: {
    /** Without a slash at its end. */
    readonly baseUrl: string;
    readonly qps: number;
    readonly onQuota: 'wait' | 'stop';
    /** Of one request. */
    readonly timeout: number;
    /** How long the API may stay unreachable before the run ends. */
    readonly giveUpAfter: number;
  };
  readonly data: {
    readonly database: string;
    readonly metadata: string;
    readonly images: string;
    readonly cutouts: string;
    readonly models: string;
  };
  readonly models: { readonly source?: string | undefined; readonly threads?: number | undefined };
  /** Where other computers are asked; undefined: nowhere. */
  readonly workers: { readonly redis?: string | undefined };
  readonly rules: {
    readonly madeSince: number;
    readonly refreshAfter: number;
    /** Seconds from the beginning of one run to that of the next; left out: there is one run. */
    readonly every?: number;
  };
  readonly stages: readonly Stage<Tx, Services>[];
}

export interface Stage<Tx = unknown, Services = unknown> {
  readonly id: string;
  readonly needs: readonly string[];
  readonly alongside: readonly string[];
  /** Absolute; undefined: it has no KILL file of its own. */
  readonly kill: string | undefined;
  readonly task: AnyTask<Tx, Services>;
  /** What the task's own schema made of `with:`. */
  readonly options: unknown;
}

export interface LoadOptions {
  /** What must not be shown of the file, loaded before it is judged. @param folder of pipeline.yaml */
  readonly secrets?: (folder: string) => Promise<Redactor>;
  /** `own`: only modules of this package are loaded, others stand for themselves without their code. Default: all. */
  readonly tasks?: Loading;
}

/** Finds, reads and checks pipeline.yaml. All mistakes are reported together, in one UserError. */
export async function loadPipeline(cwd: string, options: LoadOptions = {}): Promise<Pipeline> {
  const { file, text } = await findPipeline(resolve(cwd));
  const folder = dirname(file);
  const config = new ConfigFile(relative(cwd, file), text, await options.secrets?.(folder));
  const written = config.read();
  if (!written) throw mistaken(config);

  const settings = await check(config, settingsSchema, written.value ?? {}, []);
  const drafts = stagesOf(written.value);
  const stages: (Stage | undefined)[] = [];
  // One after the other: modules that import the same one, loaded at once, may get it while it is still empty.
  for (const [index, draft] of drafts.entries())
    stages.push(await readStage(config, draft, index, folder, options.tasks));
  for (const { path, message, also } of findGraphMistakes(drafts.map(draftOf))) {
    const other = also && { also: { path: ['stages', ...also.path], message: also.message } };
    config.report(['stages', ...path], message, other);
  }
  checkPlaces(config, file, written.value);
  if (!settings || config.hasMistakes) throw mistaken(config);

  const absolute = (path: string): string => resolve(folder, path);
  const { name, kill, every, api, data, models, rules, workers } = settings;
  const pipeline: Pipeline = {
    file,
    folder,
    name: clip(oneLine(name), LONGEST_NAME) || 'sync-data',
    kill: absolute(kill),
    api,
    data: {
      database: absolute(data.database),
      metadata: absolute(data.metadata),
      images: absolute(data.images),
      cutouts: absolute(data.cutouts),
      models: absolute(data.models),
    },
    models,
    workers,
    rules: { ...rules, ...(every !== undefined && { every }) },
    // None is missing: what could not be read has been reported.
    stages: stages.flatMap((stage) => stage ?? []),
  };
  sources.set(pipeline, config);
  return pipeline;
}

/** The text of each, for mistakes that show later. */
const sources = new WeakMap<Pipeline, ConfigFile>();

/** What stages found wrong with their options when they looked further: reported like all mistakes in pipeline.yaml. */
export function mistakenOptions(
  pipeline: Pipeline,
  found: readonly { readonly stage: string; readonly error: OptionMistakes }[],
): UserError {
  const config = sources.get(pipeline);
  if (!config) throw new Error('internal: this pipeline was not loaded from a file');
  for (const { stage, error } of found) {
    const index = pipeline.stages.findIndex(({ id }) => id === stage);
    const placed = (path: KeyPath): KeyPath => ['stages', index, 'with', ...path];
    for (const { path, message, also } of error.mistakes) {
      const other = also && { also: { path: placed(also.path), message: also.message } };
      config.report(placed(path), message, other);
    }
  }
  return mistaken(config, 'No stage has been started.');
}

function mistaken(config: ConfigFile, sofar = 'Nothing has been started.'): UserError {
  return new UserError(config.print(), {
    exitCode: 2,
    hint: `${sofar} Correct pipeline.yaml and start again.`,
  });
}

/** The value in the schema's terms, or undefined once its mistakes are reported. */
async function check<Value>(
  config: ConfigFile,
  schema: z.ZodType<Value>,
  value: unknown,
  path: KeyPath,
): Promise<Value | undefined> {
  const result = await validate(schema, value, path);
  if (result.ok) return result.value;
  for (const issue of result.issues) config.report(issue.path, issue.message, { on: issue.on });
  return undefined;
}

async function readStage(
  config: ConfigFile,
  written: unknown,
  index: number,
  folder: string,
  tasks?: Loading,
): Promise<Stage | undefined> {
  const path = ['stages', index];
  const stage = await check(config, stageSchema, written, path);
  // The task is looked at even where the rest of its stage is mistaken: all mistakes at once.
  const specifier = stageSchema.shape.task.safeParse(fieldOf(written, 'task'));
  if (!specifier.success) return undefined;
  const loaded = await loadTask(specifier.data, folder, tasks);
  if (!loaded.ok) {
    config.report([...path, 'task'], loaded.problem);
    return undefined;
  }
  const options = fieldOf(written, 'with');
  // The options of a mistaken stage may be there under a misspelt key.
  if (!stage && options === undefined) return undefined;
  const checked = await check(config, optionsSchema(loaded.task), options ?? {}, [...path, 'with']);
  if (!stage) return undefined;
  const { id, needs, alongside } = stage;
  const kill = stage.kill === undefined ? undefined : resolve(folder, stage.kill);
  return { id, needs, alongside, kill, task: loaded.task, options: checked };
}

function stagesOf(value: unknown): readonly unknown[] {
  const stages = fieldOf(value, 'stages');
  return Array.isArray(stages) ? stages : [];
}

function draftOf(stage: unknown): StageDraft {
  const id = stageSchema.shape.id.safeParse(fieldOf(stage, 'id')).data;
  const names = (key: string): (string | undefined)[] => {
    const value = fieldOf(stage, key);
    return Array.isArray(value) ? value.map((name) => (typeof name === 'string' ? name : undefined)) : [];
  };
  return { id, needs: names('needs'), alongside: names('alongside') };
}

/** A KILL file is removed once it has been seen: it had better not be the database. Stages may share one. */
function checkPlaces(config: ConfigFile, file: string, written: unknown): void {
  const { kill, data } = settingsSchema.shape;
  const block = fieldOf(written, 'data');
  const folders = data.safeParse(block).data;
  const places: { path: KeyPath; value: string | undefined; isWritten: boolean; isShared?: boolean }[] = [
    {
      path: ['kill'],
      value: kill.safeParse(fieldOf(written, 'kill')).data,
      isWritten: fieldOf(written, 'kill') !== undefined,
    },
    ...(['database', 'metadata', 'images', 'cutouts', 'models'] as const).map((key) => ({
      path: ['data', key],
      value: folders?.[key],
      isWritten: fieldOf(block, key) !== undefined,
    })),
    ...stagesOf(written).map((stage, index) => ({
      path: ['stages', index, 'kill'],
      value: stageSchema.shape.kill.safeParse(fieldOf(stage, 'kill')).data,
      isWritten: true,
      isShared: true,
    })),
  ];
  const taken = new Map([[file, { label: 'this file', isShared: false }]]);
  // Of two that clash, the one to change is the one written in the file.
  for (const { path, value, isShared = false } of places.toSorted(
    (a, b) => Number(a.isWritten) - Number(b.isWritten),
  )) {
    if (value === undefined) continue;
    const absolute = resolve(dirname(file), value);
    const other = taken.get(absolute);
    if (other === undefined) taken.set(absolute, { label: labelOf(path), isShared });
    else if (!(isShared && other.isShared))
      config.report(path, `${value} is ${other.label} already, expected a different path`);
  }
}
