import { readFile } from 'node:fs/promises';
import { serve } from '@hono/node-server';
import type { ServerType } from '@hono/node-server';
import { UserError } from '../../errors.ts';
import type { Pipeline } from '../../pipeline/config.ts';
import type { Search } from '../engine.ts';
import { searchPages } from './app.ts';
import { Guard } from './guard.ts';

export interface PageOptions {
  readonly engine: Search;
  readonly pipeline: Pipeline;
  readonly stdout: NodeJS.WritableStream;
  /** Closes the page. */
  readonly signal: AbortSignal;
}

/** Tried first, so that the address is the same every day; taken: any other. */
const PORT = 4967;
const MOST_CONNECTIONS = 64;
const MOST_HEADERS = 8 * 1024;

/**
 * Serves the page on this computer's loopback address, and on no other, until `signal` ends it.
 * @returns the exit code
 */
export async function servePage({ engine, pipeline, stdout, signal }: PageOptions): Promise<number> {
  const guard = new Guard();
  const assets = {
    'style.css': await readFile(new URL('./style.css', import.meta.url), 'utf8'),
    'page.js': await readFile(new URL('./page.js', import.meta.url), 'utf8'),
  };
  const app = await searchPages({ engine, pipeline, guard, assets, signal });
  const { server, port } = await listening(app.fetch);
  guard.listensOn(port);
  stdout.write(`Search is open at http://127.0.0.1:${port}${guard.entrance}  ·  Ctrl-C to close\n`);
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
  await new Promise((resolve) => {
    server.close(resolve);
    if ('closeAllConnections' in server) server.closeAllConnections();
  });
  stdout.write('Search is closed.\n');
  return 0;
}

/** @throws UserError where no port can be had */
async function listening(
  fetch: (request: Request) => Response | Promise<Response>,
): Promise<{ server: ServerType; port: number }> {
  for (const wished of [PORT, 0]) {
    try {
      return await listen(fetch, wished);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE' && wished !== 0) continue;
      throw new UserError(
        `The page cannot be opened: ${error instanceof Error ? error.message : String(error)}`,
        {
          exitCode: 1,
          cause: error,
          hint: 'Close other programs that serve pages on this computer, then try again.',
        },
      );
    }
  }
  throw new Error('internal: no port was tried');
}

function listen(
  fetch: (request: Request) => Response | Promise<Response>,
  wished: number,
): Promise<{ server: ServerType; port: number }> {
  return new Promise((resolve, reject) => {
    const server = serve(
      {
        fetch,
        port: wished,
        hostname: '127.0.0.1',
        serverOptions: { maxHeaderSize: MOST_HEADERS, requestTimeout: 30_000, headersTimeout: 10_000 },
      },
      ({ port }) => resolve({ server, port }),
    );
    if ('maxConnections' in server) server.maxConnections = MOST_CONNECTIONS;
    server.once('error', reject);
  });
}
