import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile, readdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Cdn } from '../../lib/etsy/cdn.ts';
import { CRAWL, serving } from '../messages/provoke.ts';
import type { Answer } from '../messages/provoke.ts';
import { draw } from '../marketplace/pictures/draw.ts';
import type { Attack } from './row.ts';

const KEY = 'abcdefghijklmnopqrstuvwx:sharedsec1';
const PARTS = KEY.split(':');
const COMMAND = fileURLToPath(new URL('../../lib/sync-data.js', import.meta.url));

/** Who is sent to by a redirect, and what was asked there. */
async function elsewhere<T>(work: (port: number, asked: string[]) => Promise<T>): Promise<T> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(`${request.url} ${JSON.stringify(request.headers)}`);
    response.end('{"count":0,"results":[]}');
  }).listen(0, '0.0.0.0');
  await once(server, 'listening');
  try {
    return await work((server.address() as AddressInfo).port, asked);
  } finally {
    server.close();
    server.closeAllConnections();
  }
}

/** The command as it is installed, in a process of its own, with its key in .env, until it ends. */
async function started(
  folder: string,
  origin: string,
  env: NodeJS.ProcessEnv = {},
): Promise<{ pid: number; ended: Promise<string> }> {
  await writeFile(join(folder, '.env'), `ETSY_API_KEY=${KEY}\n`, { mode: 0o600 });
  const api = `api: { baseUrl: "${origin}/v3/application", giveUpAfter: 1s, timeout: 2s }`;
  await writeFile(join(folder, 'pipeline.yaml'), `${api}\nstages:\n${CRAWL}`);
  const child = spawn(process.execPath, [COMMAND], {
    cwd: folder,
    env: { PATH: process.env['PATH'], HOME: folder, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said: string[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => said.push(String(chunk)));
  return { pid: child.pid ?? 0, ended: once(child, 'close').then(() => said.join('')) };
}

/** What every user of the computer, or every program of this one, can read of a process and of those it started. */
async function shownOf(pid: number): Promise<string> {
  const read = (name: string): Promise<string> => readFile(`/proc/${pid}/${name}`, 'latin1').catch(() => '');
  const threads = await readdir(`/proc/${pid}/task`).catch(() => []);
  const children: number[] = [];
  for (const thread of threads)
    children.push(...(await read(`task/${thread}/children`)).split(' ').flatMap((one) => Number(one) || []));
  const own = [await read('cmdline'), await read('environ'), await read('comm')];
  return [...own, ...(await Promise.all(children.map(shownOf)))].join('\n');
}

export const runs: readonly Attack[] = [
  {
    claim: 'A key from .env is in no command line',
    name: 'a look at the process, and at what it started, while it asks with its key',
    fails: async (folder) => {
      if (!existsSync('/proc/self/environ')) return;
      let pid = 0;
      const seen: string[] = [];
      const answer = async (): Promise<Answer | undefined> => {
        seen.push(await shownOf(pid));
        return undefined;
      };
      await serving({ answer }, async (origin) => {
        // A mark in the environment, which must be seen: else the look would see nothing at all.
        const { pid: own, ended } = await started(folder, origin, { SEEN: 'the-mark' });
        pid = own;
        await ended;
      });
      assert.ok(seen.length > 0 && seen.every((text) => text.includes('the-mark') && text.includes(COMMAND)));
      for (const part of PARTS) assert.ok(!seen.join('\n').includes(part));
    },
  },
  {
    claim: 'A redirect of the API is not followed',
    name: 'an API that sends elsewhere: to another host, another scheme, a file, itself',
    fails: (folder) =>
      elsewhere(async (port, asked) => {
        const places = [
          `http://localhost:${port}/v3/application/listings/active`,
          `http://127.0.0.2:${port}/`,
          `//127.0.0.1:${port}/`,
          'file:///etc/passwd',
          '/v3/application/listings/active?again=1',
        ];
        const own: string[] = [];
        const answer = (url: string): Answer => {
          own.push(url);
          return { status: 307, headers: { location: places[own.length % places.length] ?? '' } };
        };
        const said = await serving({ answer }, async (origin) => (await started(folder, origin)).ended);
        assert.deepEqual(asked, []);
        assert.ok(own.length > 0 && own.every((url) => !url.includes('again=1')), own.join('\n'));
        assert.ok(!/root:/.test(said) && PARTS.every((part) => !said.includes(part)), said);
      }),
  },
  {
    claim: 'A redirect of the API is not followed, and one of an image host only',
    name: 'an image host that sends elsewhere, and around in a circle; within the list it is followed',
    fails: () =>
      elsewhere(async (port, asked) => {
        const image = draw({ kind: 'chair', drawing: 1 });
        const own: string[] = [];
        let place = '';
        const answer = (url: string): Answer => {
          own.push(url);
          return url.startsWith('/good') ? { body: image } : { status: 302, headers: { location: place } };
        };
        await serving({ answer }, async (origin) => {
          const cdn = new Cdn({ timeoutMs: 5000, firstPauseMs: 1 });
          for (place of [
            `http://localhost:${port}/`,
            `http://127.0.0.2:${port}/`,
            `http://user@127.0.0.1:${port}/`,
            `http://2130706434:${port}/`,
            `//127.0.0.2:${port}/`,
            'file:///etc/passwd',
            'data:image/jpeg;base64,/9j/4AAQ',
            'ftp://127.0.0.1/',
          ])
            await assert.rejects(cdn.download(`${origin}/1`, ['127.0.0.1']), /not among the hosts/, place);
          const before = own.length;
          place = '/again';
          await assert.rejects(cdn.download(`${origin}/1`, ['127.0.0.1']), /HTTP 302/);
          assert.ok(own.length - before <= 4);
          place = '/good';
          assert.deepEqual(await cdn.download(`${origin}/1`, ['127.0.0.1']), image);
        });
        assert.deepEqual(asked, []);
      }),
  },
];
