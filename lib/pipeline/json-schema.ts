import { z } from 'zod';
import { optionsSchema } from './load-tasks.ts';
import type { AnyTask } from './load-tasks.ts';
import { settingsSchema } from '../settings.ts';
import { stageSchema } from './schema.ts';

interface JsonSchema {
  readonly properties?: Readonly<Record<string, object>>;
  readonly required?: readonly string[];
  readonly [keyword: string]: unknown;
}

/**
 * pipeline.yaml as a JSON Schema, for editors. It says what each key may hold; what shows only between keys, such as a
 * stage that needs itself, is left to loading.
 * @param tasks those whose options are known, by what `task:` calls them
 */
export function pipelineJsonSchema(tasks: ReadonlyMap<string, AnyTask>): JsonSchema {
  const { properties, ...settings } = jsonSchemaOf(settingsSchema);
  const stages = { ...properties?.['stages'], items: stageOf(tasks) };
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'pipeline.yaml of sync-data',
    ...settings,
    properties: { ...properties, stages },
  };
}

function stageOf(tasks: ReadonlyMap<string, AnyTask>): JsonSchema {
  const { properties, ...stage } = jsonSchemaOf(stageSchema);
  const task = { ...properties?.['task'], examples: [...tasks.keys()] };
  const known = [...tasks].map(([name, one]) => ({
    if: { properties: { task: { const: name } }, required: ['task'] },
    then: withOf(jsonSchemaOf(optionsSchema(one))),
  }));
  return { ...stage, properties: { ...properties, task }, allOf: known };
}

/** `with:` left out, or left empty and so null, means no options: right where none is required. */
function withOf(options: JsonSchema): JsonSchema {
  return options.required
    ? { required: ['with'], properties: { with: options } }
    : { properties: { with: { ...options, type: ['object', 'null'] } } };
}

/** What a person may write, before defaults are filled in. */
function jsonSchemaOf(schema: z.ZodType): JsonSchema {
  const { $schema: _, ...made } = z.toJSONSchema(schema, {
    io: 'input',
    // The newest that the YAML language server, which most editors use, understands.
    target: 'draft-7',
    unrepresentable: 'any',
    override: ({ zodSchema, jsonSchema }) => {
      if (!(zodSchema instanceof z.ZodObject)) return;
      const required = Object.entries(zodSchema.shape as Record<string, z.ZodType>)
        .filter(([, value]) => !value.safeParse(undefined).success)
        .map(([key]) => key);
      delete jsonSchema.required;
      if (required.length > 0) jsonSchema.required = required;
    },
  });
  return made as JsonSchema;
}
