import { UserError } from '../errors.ts';

/** A model that cannot be had or used. The run can be started again once that is put right. */
export class ModelError extends UserError {
  constructor(message: string, hint: string, cause?: unknown) {
    super(message, { exitCode: 1, hint, ...(cause !== undefined && { cause }) });
  }
}

const VERSIONS: Readonly<Record<string, string>> = {
  'onnxruntime-node': '1.23.2',
  sharp: '0.35.5',
  piscina: '5.3.2',
  '@huggingface/tokenizers': '0.2.0',
};

/** A package that only pictures need and that npm left out, by itself or on request. */
export function missingPackage(name: string, cause: unknown): ModelError {
  const all = Object.entries(VERSIONS).map(([one, version]) => `${one}@${version}`);
  return new ModelError(
    `Cutouts and embeddings need the package ${name}, which is not installed or not made for this system.`,
    `Install what they need beside sync-data: npm install ${all.join(' ')}
Or take the stages background and embed out of pipeline.yaml.`,
    cause,
  );
}

/** Whether a package, or the part of it that is made for this system, is what could not be loaded. */
export function isMissing(error: unknown, name: string): boolean {
  if (!(error instanceof Error)) return false;
  const code = (error as NodeJS.ErrnoException).code ?? '';
  if (['ERR_MODULE_NOT_FOUND', 'MODULE_NOT_FOUND', 'ERR_DLOPEN_FAILED'].includes(code)) return true;
  return new RegExp(`Could not load the "?${name}"?|Cannot find (?:module|package)`).test(error.message);
}
