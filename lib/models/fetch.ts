import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { namingFile, syncPath } from '../store/files.ts';
import { ModelError } from './errors.ts';
import type { ModelFile } from './registry.ts';

export interface FetchOptions {
  /** Absolute. */
  readonly folder: string;
  /** In place of the host that a file's address names; undefined: that host. */
  readonly source?: string | undefined;
  readonly signal: AbortSignal;
  /** Bytes that are there so far. */
  readonly progress?: (bytes: number) => void;
  /** Milliseconds before the second try, the third, …; as many tries as there are pauses, and one. */
  readonly pauses?: readonly number[];
}

/** Where models come from. A redirect leads to one of these too, or it is refused. */
const HOSTS = [
  /^github\.com$/,
  /^(?:objects|release-assets)\.githubusercontent\.com$/,
  /^huggingface\.co$/,
  /^(?:[\w-]+\.)*hf\.co$/,
];
const REDIRECTS = 5;
/** Nothing for so long: the connection is given up. Milliseconds. */
const SILENCE_MS = 60_000;
const PAUSES = [1000, 5000, 15_000, 60_000];

/**
 * The file in the models folder, fetched where it is not there yet. One that somebody put there is taken, under its own
 * name or any other, where size and hash are right. An interrupted download is kept as NAME.part and resumed.
 *
 * @returns its absolute path
 * @throws ModelError where it cannot be had, or is not what it should be; the reason of `signal` once that is aborted
 */
export async function fetchModel(file: ModelFile, options: FetchOptions): Promise<string> {
  const { folder, signal } = options;
  const path = join(folder, file.name);
  const present = await findModel(file, folder, signal);
  if (present !== undefined) return present;
  if (file.url === undefined) throw new ModelError(`${path} is not there.`, 'Install sync-data again.');
  await namingFile(folder, () => mkdir(folder, { recursive: true, mode: 0o755 }));
  const part = `${path}.part`;
  await download(file, part, options);
  await namingFile(path, () => rename(part, path));
  await syncPath(folder);
  return path;
}

/** The file where it is there and is what it should be: under its name, or under any other. */
export async function findModel(
  file: ModelFile,
  folder: string,
  signal?: AbortSignal,
): Promise<string | undefined> {
  const names = await readdir(folder).catch(() => []);
  const others = names.filter((name) => name !== file.name && !name.endsWith('.part'));
  for (const name of [file.name, ...others.toSorted()]) {
    const path = join(folder, name);
    const info = await stat(path).catch(() => undefined);
    if (!info?.isFile() || info.size !== file.bytes) continue;
    if ((await hashOf(path, signal)) === file.sha256) return path;
  }
  return undefined;
}

async function download(file: ModelFile, part: string, options: FetchOptions): Promise<void> {
  const { signal, pauses = PAUSES } = options;
  for (let attempt = 0; ; attempt += 1) {
    signal.throwIfAborted();
    try {
      await appendRest(file, part, options);
      const found = await hashOf(part, signal);
      if (found === file.sha256) return;
      await rm(part, { force: true });
      throw new Problem(
        `what was sent is another file (sha256 ${found.slice(0, 12)}…, not ${file.sha256.slice(0, 12)}…)`,
      );
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof Problem)) throw error;
      const wait = pauses[attempt];
      if (error.isFinal || wait === undefined) throw cannotBeHad(file, part, error);
      await pause(wait, undefined, { signal }).catch(() => signal.throwIfAborted());
    }
  }
}

/** What another try may put right, unless it says that none can. */
class Problem extends Error {
  readonly isFinal: boolean;
  constructor(message: string, isFinal = false) {
    super(message);
    this.isFinal = isFinal;
  }
}

function cannotBeHad(file: ModelFile, part: string, problem: Problem): ModelError {
  const path = part.replace(/\.part$/, '');
  return new ModelError(
    `The model ${file.name} could not be fetched from ${file.url ?? ''}: ${problem.message}.`,
    `What is there of it is kept; start again to resume. Or fetch it yourself and put it there as ${path} (${file.bytes} bytes, sha256 ${file.sha256}).`,
    problem,
  );
}

/** Asks for what is missing after the bytes that are there, and writes it behind them. */
async function appendRest(file: ModelFile, part: string, options: FetchOptions): Promise<void> {
  const { signal, progress } = options;
  let have = (await stat(part).catch(() => undefined))?.size ?? 0;
  if (have > file.bytes) {
    await rm(part, { force: true });
    have = 0;
  }
  if (have === file.bytes) return;
  const silence = new AbortController();
  const either = AbortSignal.any([signal, silence.signal]);
  const patience = setTimeout(() => silence.abort(), SILENCE_MS);
  try {
    const answer = await request(file, have, options.source, either);
    // A server that does not resume sends all of it.
    const start = answer.status === 206 ? have : 0;
    const handle = await namingFile(part, () => open(part, start > 0 ? 'r+' : 'w', 0o644));
    try {
      let at = start;
      progress?.(at);
      for await (const chunk of answer.body) {
        patience.refresh();
        if (at + chunk.length > file.bytes) throw new Problem('more was sent than the file has', true);
        await namingFile(part, () => handle.write(chunk, 0, chunk.length, at));
        at += chunk.length;
        progress?.(at);
      }
      if (at < file.bytes) throw new Problem(`the connection ended after ${at} of ${file.bytes} bytes`);
      await namingFile(part, () => handle.sync());
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (silence.signal.aborted) throw new Problem('nothing came for a minute');
    if (error instanceof TypeError || (error instanceof Error && error.name === 'AbortError'))
      throw new Problem(reasonOf(error));
    throw error;
  } finally {
    clearTimeout(patience);
  }
}

interface Body {
  readonly status: number;
  readonly body: AsyncIterable<Uint8Array>;
}

/** Follows redirects by itself: each is looked at before it is followed. No key, no cookie goes along. */
async function request(
  file: ModelFile,
  from: number,
  source: string | undefined,
  signal: AbortSignal,
): Promise<Body> {
  let url = new URL(file.url ?? '');
  const base = source === undefined ? undefined : new URL(source);
  if (base) url = new URL(`${base.pathname.replace(/\/+$/, '')}${url.pathname}`, base);
  for (let hop = 0; hop <= REDIRECTS; hop += 1) {
    const isOwn = base !== undefined && url.origin === base.origin;
    const isKnown =
      url.protocol === 'https:' && url.port === '' && HOSTS.some((host) => host.test(url.hostname));
    if (!isOwn && !isKnown)
      throw new Problem(`the address leads to ${url.host}, which models do not come from`, true);
    const headers = { 'accept-encoding': 'identity', ...(from > 0 && { range: `bytes=${from}-` }) };
    const answer = await fetch(url, { headers, redirect: 'manual', signal });
    const { status } = answer;
    const location = answer.headers.get('location');
    if (status >= 300 && status < 400 && location !== null) {
      await answer.body?.cancel();
      url = new URL(location, url);
      continue;
    }
    if (status === 200 && answer.body) return { status, body: answer.body };
    if (status === 206 && answer.body && startOf(answer.headers.get('content-range')) === from)
      return { status, body: answer.body };
    await answer.body?.cancel();
    const isFinal = status >= 400 && status < 500 && ![408, 416, 425, 429].includes(status);
    throw new Problem(`the answer was ${status}`, isFinal);
  }
  throw new Problem('too many redirects', true);
}

function startOf(range: string | null): number | undefined {
  const [, start] = /^bytes (\d+)-/.exec(range ?? '') ?? [];
  return start === undefined ? undefined : Number(start);
}

/** `fetch` says what happened one level down. */
function reasonOf(error: Error): string {
  const cause = error.cause instanceof Error ? error.cause : error;
  return `the connection failed (${(cause as NodeJS.ErrnoException).code ?? cause.message})`;
}

async function hashOf(path: string, signal?: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  await namingFile(path, async () => {
    for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20, ...(signal && { signal }) }))
      hash.update(chunk as Buffer);
  });
  return hash.digest('hex');
}
