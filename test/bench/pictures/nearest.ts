import { readFile } from 'node:fs/promises';
import { median } from '../../figures.ts';
import { PicturesRig } from '../../pictures-rig.ts';
import type { AskingOutput } from '../children/asking.ts';
import { accountIn, runChild } from '../usage.ts';
import type { Usage } from '../usage.ts';
import { fillWithVectors, FIRST_ID } from './vectors.ts';
import type { Question } from './vectors.ts';

const QUESTIONS = 40;
const TIMES = 25;
const FRESH_TIMES = 5;

export interface NearestFigures {
  readonly vectors: number;
  readonly dims: number;
  /** Medians and the slowest, milliseconds: of a process that was asked before. */
  readonly warmMs: number;
  readonly slowestMs: number;
  readonly filteredMs: number;
  /** From the start of the command to its end. */
  readonly freshMs: number;
  readonly recall: number;
  readonly recallOfFloats: number;
  /** Peak of either process. */
  readonly mb: number;
  /** In the database: the vectors, their codes and indexes. */
  readonly bytesAVector: number;
  readonly seconds: number;
}

/** A search among so many vectors: asked again and again, and by a command of its own each time. */
export async function nearestAmong(count: number): Promise<NearestFigures> {
  const rig = await PicturesRig.open(0);
  try {
    const began = performance.now();
    const { dims, questions } = await rig.writing((database) => fillWithVectors(database, count, QUESTIONS));
    const seconds = (performance.now() - began) / 1000;
    const listings = Array.from(
      { length: TIMES },
      (_, at) => FIRST_ID + Math.floor((count * (at + 0.5)) / TIMES),
    );
    const output = rig.path('asking.json');
    const ask = (all: readonly Question[], ids: readonly number[]): Promise<Usage> =>
      runChild('asking.ts', { folder: rig.folder, questions: all, listings: ids, output });
    // What was edited since is compiled by the first: that takes memory and time of its own.
    await ask([], listings.slice(0, 2));
    await freshSearch(rig, FIRST_ID);
    const usage = await ask([], listings);
    const { plain, filtered } = JSON.parse(await readFile(output, 'utf8')) as AskingOutput;
    // Apart: the exact order takes memory that no search does.
    await ask(questions, listings.slice(0, 2));
    const { recall, recallOfFloats } = JSON.parse(await readFile(output, 'utf8')) as AskingOutput;
    const fresh: { ms: number; mb: number }[] = [];
    for (const id of listings.slice(0, FRESH_TIMES)) fresh.push(await freshSearch(rig, id));
    return {
      vectors: count,
      dims,
      warmMs: median(plain),
      slowestMs: Math.max(...plain),
      filteredMs: median(filtered),
      freshMs: median(fresh.map(({ ms }) => ms)),
      recall,
      recallOfFloats,
      mb: Math.max(usage.maxRssKb / 1024, ...fresh.map(({ mb }) => mb)),
      bytesAVector: (await bytesOf(rig)) / count,
      seconds,
    };
  } finally {
    await rig.close();
  }
}

async function freshSearch(rig: PicturesRig, id: number): Promise<{ ms: number; mb: number }> {
  const account = accountIn(rig.folder);
  const began = performance.now();
  const command = rig.start(['search', String(id), '--json'], account.imports, account.env);
  const { code, stdout, stderr } = await command.ended;
  const ms = performance.now() - began;
  const { results = [] } = code === 0 ? (JSON.parse(stdout) as { results?: unknown[] }) : {};
  if (results.length === 0) throw new Error(`The search ended with ${code}: ${stderr}`);
  return { ms, mb: (await account.read()).maxRssKb / 1024 };
}

async function bytesOf(rig: PicturesRig): Promise<number> {
  const [row] = await rig.rows(
    `SELECT sum(pgsize) AS n FROM dbstat WHERE name IN
       (SELECT name FROM sqlite_schema WHERE tbl_name IN ('embeddings', 'embedding_codes'))`,
  );
  return Number(row?.['n'] ?? NaN);
}
