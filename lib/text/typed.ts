import { basename, relative, sep } from 'node:path';

/** How hints and documents name the command. */
const AS_WRITTEN = 'npx sync-data';

export interface Started {
  readonly argv: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
}

/**
 * The command as the reader typed it: `npx sync-data` outside of a checkout asks the public registry for whatever is
 * there under that name, so nobody is told to type it who has not.
 */
export function typedCommand({ argv, env, cwd }: Started): string {
  // npx and `npm exec` both say so; `npm exec --no` looks at what is installed alone.
  if (env['npm_command'] === 'exec') return AS_WRITTEN;
  if (env['npm_lifecycle_event'] === 'npx') return AS_WRITTEN;
  const script = argv[1];
  if (script === undefined) return AS_WRITTEN;
  if (basename(script) === 'sync-data.js') return `node ${quoted(nearer(script, cwd))}`;
  if (basename(script) !== 'sync-data') return AS_WRITTEN;
  const isInPath = (env['PATH'] ?? '').split(':').some((folder) => script === `${folder}${sep}sync-data`);
  return isInPath ? 'sync-data' : quoted(nearer(script, cwd));
}

/** A hint as its reader can type it. */
export function asTyped(text: string, started: Started = here()): string {
  return text.includes(AS_WRITTEN) ? text.replaceAll(AS_WRITTEN, typedCommand(started)) : text;
}

function here(): Started {
  return { argv: process.argv, env: process.env, cwd: process.cwd() };
}

function nearer(path: string, cwd: string): string {
  const near = relative(cwd, path);
  return near.length < path.length ? near : path;
}

function quoted(path: string): string {
  return /^[\w./@+-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}
