import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { answer, BASE, errorReply, type Reply } from './api.ts';
import { deliver, packed, reset } from './deliver.ts';
import type { Fault, FaultSource, Trouble } from './faults.ts';
import { keyProblem, LIMIT_TEXTS, type Limit, type Limits } from './limits.ts';
import type { RequestLog } from './requests.ts';
import { HTML_PAGE, badRecord, invalidJson, oddFields, otherImage, tooLarge, wrongShape } from './spoil.ts';
import type { World } from './world.ts';

/** Carries the arrival, epoch milliseconds, from the door to the server. */
export const ARRIVED = 'x-arrived';

export interface Parts {
  world: World;
  limits: Limits;
  faults: FaultSource;
  log: RequestLog;
  imageHost: () => string;
}

interface Outcome extends Reply {
  html?: boolean;
  refused?: Limit;
}

const ERRORS: Partial<Record<Fault, [status: number, text: string]>> = {
  error500: [500, 'Server error'],
  error503: [503, 'Service unavailable'],
  error400: [400, 'Bad request'],
  retryNextDay: [503, 'Down for maintenance'],
  missing: [404, 'Resource not found'],
};

/** What a fault puts in the place of the usual headers. */
const HEADERS: Partial<Record<Fault, (variant: number) => Record<string, string>>> = {
  retryNextDay: () => ({ 'retry-after': '86400' }),
  falseQuota: (variant) => {
    const said = ['', '0', 'unlimited', '-1', '0x0'][Math.floor(variant * 5)] ?? '';
    return { 'x-remaining-today': said, 'x-limit-per-second': said };
  },
};

export function createApiServer(parts: Parts): Server {
  const connections = numbered();
  const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    const url = request.url ?? '/';
    const entry = parts.log.add('api', request.method ?? '', url, connections(request), arrivalOf(request));
    const trouble = parts.faults.draw('api', url);
    void respond(parts, request, response, url, trouble).then((status) => {
      parts.log.settle(entry, status, trouble.fault);
    });
  });
  return server;
}

/** As the door noted it. */
function arrivalOf(request: IncomingMessage): number | undefined {
  const arrived = Number(request.headers[ARRIVED]);
  return arrived > 0 ? arrived : undefined;
}

/** Gives each connection a number. */
export function numbered(): (request: IncomingMessage) => number {
  const numbers = new WeakMap<object, number>();
  let last = 0;
  return ({ socket }) => {
    const number = numbers.get(socket) ?? ++last;
    numbers.set(socket, number);
    return number;
  };
}

async function respond(
  parts: Parts,
  request: IncomingMessage,
  response: ServerResponse,
  url: string,
  trouble: Trouble,
): Promise<number> {
  // Whether a limit was reached is decided when the request comes, not when the answer leaves.
  const outcome = admit(parts, request, url, trouble);
  if (trouble.delayMs > 0) await sleep(trouble.delayMs, undefined, { ref: false });
  if (trouble.fault === 'reset') {
    reset(request);
    return 0;
  }
  const { status, body, html, refused } = outcome ?? compose(parts, request, url, trouble);
  const large = trouble.fault === 'tooLarge' && status === 200 ? tooLarge(body) : body;
  const pack = packed(request, large, parts.world.settings.compress);
  await deliver(response, {
    status,
    headers: {
      date: new Date(parts.world.clock.now()).toUTCString(),
      'content-type': html ? 'text/html; charset=utf-8' : 'application/json',
      ...pack.headers,
      ...parts.limits.headers(refused),
      ...(trouble.fault && HEADERS[trouble.fault]?.(trouble.variant)),
    },
    body: pack.body,
    truncated: trouble.fault === 'truncated',
    dripMs: trouble.fault === 'drip' ? trouble.dripMs : 0,
    chunked: trouble.fault === 'tooLarge' && trouble.variant < 0.5,
  });
  return status;
}

/** The answers that need no look at the world. */
function admit(parts: Parts, request: IncomingMessage, url: string, { fault }: Trouble): Outcome | undefined {
  const problem = keyProblem(request.headers['x-api-key'], parts.world.settings.key);
  if (problem !== undefined) return errorReply(403, problem);
  const exempt = url.startsWith(`${BASE}/openapi-ping`);
  const forced = fault === 'limitSecond' ? 'second' : fault === 'limitDay' ? 'day' : undefined;
  const refused = parts.limits.admit(parts.world.clock.now(), exempt) ?? forced;
  return refused && { ...errorReply(429, LIMIT_TEXTS[refused]), refused };
}

function compose(parts: Parts, request: IncomingMessage, url: string, { fault, variant }: Trouble): Outcome {
  if (fault === 'error502') return { status: 502, body: HTML_PAGE, html: true };
  if (fault === 'htmlPage') return { status: 200, body: HTML_PAGE, html: true };
  const error = fault && ERRORS[fault];
  if (error) return errorReply(...error);
  const [path = '', query = ''] = url.split('?', 2);
  const reply = answer(
    parts.world,
    parts.imageHost(),
    request.method ?? '',
    path,
    new URLSearchParams(query),
  );
  if (fault === 'invalidJson') return { status: 200, body: invalidJson(reply.body, variant) };
  if (fault === 'wrongShape') return { status: 200, body: wrongShape(variant) };
  if (fault === 'emptyList') return { ...reply, body: Buffer.from('{"count":0,"results":[]}') };
  if (fault === 'badRecord') return { ...reply, body: badRecord(reply.body, variant) };
  if (fault === 'oddFields') return { ...reply, body: oddFields(reply.body) };
  if (fault === 'otherImage') return { ...reply, body: otherImage(reply.body) };
  return reply;
}
