/** The controls over HTTP, for who runs the marketplace as a process of its own. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import type { Controls } from './index.ts';

/** GET requests, stats and truth?taxonomies=1,2; POST advance, faults and reset-requests; any control by its name. */
export function createControl(
  controls: Controls,
): (request: IncomingMessage, response: ServerResponse) => void {
  return (request, response) => {
    void perform(controls, request).then(
      (result) => send(response, 200, result ?? null),
      (error: unknown) =>
        send(response, 400, { error: error instanceof Error ? error.message : String(error) }),
    );
  };
}

function send(response: ServerResponse, status: number, result: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(result));
}

async function perform(controls: Controls, request: IncomingMessage): Promise<unknown> {
  const url = new URL(request.url ?? '/', 'http://127.0.0.1');
  const name = url.pathname.replace('/__control/', '');
  const body = request.method === 'POST' ? await text(request) : '';
  const given: unknown = body === '' ? undefined : JSON.parse(body);
  switch (name) {
    case 'stats':
      return {
        worstWindow: controls.worstWindow(),
        meanRate: controls.meanRate(),
        counts: controls.counts(),
      };
    case 'truth':
      if (request.method === 'GET') {
        return controls.truth((url.searchParams.get('taxonomies') ?? '').split(',').map(Number));
      }
      return call(controls, name, given);
    case 'faults':
      return call(controls, 'setFaults', [given ?? {}]);
    case 'advance':
      return call(controls, name, Array.isArray(given) ? given : [days(given)]);
    case 'reset-requests':
      return call(controls, 'resetRequests', []);
    default:
      return call(controls, name, given);
  }
}

/** Either a number of days or an object that says it: 8 and {"days":8} are the same. */
function days(given: unknown): unknown {
  return typeof given === 'object' && given !== null && 'days' in given ? given.days : given;
}

function call(controls: Controls, name: string, args: unknown): unknown {
  const control = Object.hasOwn(controls, name) ? controls[name as keyof Controls] : undefined;
  if (!control) throw new Error(`No such control: ${name}. There are: ${Object.keys(controls).join(', ')}.`);
  return Reflect.apply(control, controls, Array.isArray(args) ? args : []);
}
