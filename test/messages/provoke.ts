import { once } from 'node:events';
import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Writable } from 'node:stream';
import { main } from '../../lib/command.ts';
import { packageFolder } from '../../lib/pipeline/load-tasks.ts';
import { session } from '../../lib/run/index.ts';
import type { Folder, Said } from './row.ts';

export const KEY = 'keystring-of-a-test:secret-of-a-test';

export async function withFolder<T>(work: (folder: Folder) => Promise<T>): Promise<T> {
  const path = await realpath(await mkdtemp(join(tmpdir(), 'messages-')));
  try {
    return await work({
      path,
      async write(files) {
        for (const [name, text] of Object.entries(files)) {
          await mkdir(dirname(join(path, name)), { recursive: true });
          await writeFile(join(path, name), text);
        }
      },
    });
  } finally {
    await rm(path, { recursive: true, force: true });
  }
}

/** What differs from one machine or moment to another, in angle brackets. */
export function timeless(text: string, { path }: Folder): string {
  return text
    .replaceAll(path, '<folder>')
    .replaceAll(packageFolder, '<sync-data>/')
    .replaceAll(/(?:\n {4,}at .+)+/g, '\n      at <trace>')
    .replaceAll(/\d{4}-\d{2}-\d{2}T[\d:.]+Z/g, '<time>')
    .replaceAll(/\d{4}-\d{2}-\d{2} [\d:]+(?: UTC)?/g, '<time>')
    .replaceAll(/\b\d{2}:\d{2}:\d{2}(?= UTC)/g, '<time>')
    .replaceAll(/(?<=127\.0\.0\.1:)\d+/g, '<port>')
    .replaceAll(/(?<=process )\d+/g, '<pid>')
    .replaceAll(/(?<=(?:Stopped after|Finished in) )\d+ s/g, '<duration>')
    .replaceAll(/\(\d+ (?:s|min|h)(?: \d+ min)?\)(?=: )/g, '(<duration>)');
}

interface Streams {
  readonly out: string[];
  readonly err: string[];
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
}

function streams(): Streams {
  const [out, err]: [string[], string[]] = [[], []];
  const into = (texts: string[]): NodeJS.WriteStream =>
    new Writable({
      decodeStrings: false,
      write(chunk: string, _, done) {
        texts.push(chunk);
        done();
      },
    }) as unknown as NodeJS.WriteStream;
  return { out, err, stdout: into(out), stderr: into(err) };
}

/** The command itself, in this process. */
export async function command(
  folder: Folder,
  argv: readonly string[] = [],
  env: NodeJS.ProcessEnv = {},
): Promise<Said> {
  const { out, err, stdout, stderr } = streams();
  const process = { cwd: () => folder.path, env, stdout, stderr } as unknown as NodeJS.Process;
  const exitCode = await main(argv, process);
  return { text: [...out, ...err].join(''), exitCode };
}

export type Answer =
  | 'reset'
  | 'silence'
  | { readonly status?: number; readonly headers?: Record<string, string>; readonly body?: string | Buffer };

export interface Etsy {
  /** Undefined: an empty list. */
  readonly answer?: (url: string) => Answer | undefined | Promise<Answer | undefined>;
  /** The tree of categories, as JSON; undefined: none. It is asked for beside all else, and `answer` is not asked then. */
  readonly tree?: string;
}

/** An HTTP server in Etsy's place, or in that of its image hosts. */
export async function serving<T>({ answer, tree }: Etsy, work: (origin: string) => Promise<T>): Promise<T> {
  const server = createServer((request, response) => {
    const isTree = request.url?.includes('seller-taxonomy') === true;
    const ofTree: Answer | undefined = tree === undefined ? undefined : { body: tree };
    void Promise.resolve(isTree ? ofTree : answer?.(request.url ?? '')).then((given) => {
      if (given === 'silence') return;
      if (given === 'reset') {
        request.socket.resetAndDestroy();
        return;
      }
      const { status = 200, headers = {}, body = '{"count":0,"results":[]}' } = given ?? {};
      response.writeHead(status, headers).end(body);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    return await work(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  } finally {
    server.close();
    server.closeAllConnections();
  }
}

export interface Run extends Etsy {
  /** Of `api:` in pipeline.yaml. */
  readonly api?: Readonly<Record<string, string>>;
  readonly stages?: string;
  readonly stage?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly firstBackoffMs?: number;
  /** Called with what is said, as it is said. */
  readonly onText?: (text: string) => void;
}

export const CRAWL = '  - id: crawl\n    task: ./tasks/crawl.ts\n    with: { taxonomies: [12371] }\n';

/** A run in this process, without a limit of requests a second and with short pauses after faults. */
export async function run(
  folder: Folder,
  options: Run = {},
): Promise<Said & { stdout: string; stderr: string }> {
  return serving(options, async (origin) => {
    const api = { baseUrl: `${origin}/v3/application`, ...options.api };
    const lines = Object.entries(api).map(([key, value]) => `  ${key}: ${value}\n`);
    await folder.write({ 'pipeline.yaml': `api:\n${lines.join('')}stages:\n${options.stages ?? CRAWL}` });
    const { out, err, stdout, stderr } = streams();
    const { onText } = options;
    if (onText) {
      for (const texts of [out, err]) {
        const push = texts.push.bind(texts);
        texts.push = (text) => {
          onText(text);
          return push(text);
        };
      }
    }
    const exitCode = await session({
      cwd: folder.path,
      env: options.env ?? { ETSY_API_KEY: KEY },
      stdout,
      stderr,
      onlyStage: options.stage,
      qps: Infinity,
      firstBackoffMs: options.firstBackoffMs ?? 1,
    });
    return { text: [...out, ...err].join(''), stdout: out.join(''), stderr: err.join(''), exitCode };
  });
}

/** A run, and how it ended: the summary without its figures. */
export async function ending(folder: Folder, options: Run = {}): Promise<Said> {
  const { text, exitCode } = await run(folder, options);
  const [, end = text] = /\n\n((?:Stage \S+ failed|Stopped after|Finished in)[^]*)$/.exec(`\n${text}`) ?? [];
  const blocks = end.split('\n\n').filter((block) => !/^ {2}(?:listings|requests|[a-z-]+: )/.test(block));
  return { text: blocks.join('\n\n'), exitCode };
}

/** The lines of a run's log on the terminal that match, without their times. */
export async function lines(folder: Folder, what: RegExp, options: Run = {}): Promise<Said> {
  const { text } = await run(folder, options);
  const said = text.split('\n').filter((line) => what.test(line));
  return { text: said.map((line) => line.replace(/^\S+ /, '')).join('\n') };
}
