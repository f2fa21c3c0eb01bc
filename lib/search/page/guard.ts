import { randomBytes, timingSafeEqual } from 'node:crypto';
import type { MiddlewareHandler } from 'hono';
import { getCookie, setCookie } from 'hono/cookie';

/** Of every answer: nothing from elsewhere is loaded, framed, or sent to. */
const HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
  'x-content-type-options': 'nosniff',
  'cross-origin-resource-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-store',
};
const COOKIE = 'sync_data_search';

/** Whoever may see the page: knows this start's token, which is in the address that was printed. */
export class Guard {
  readonly #token = randomBytes(24).toString('base64url');
  #hosts: readonly string[] = [];

  /** Known only once the server listens. */
  listensOn(port: number): void {
    this.#hosts = [`127.0.0.1:${port}`, `localhost:${port}`];
  }

  /** The path that lets a browser in. */
  get entrance(): string {
    return `/?token=${this.#token}`;
  }

  /** In the order of what is cheapest to refuse. */
  readonly check: MiddlewareHandler = async (context, next) => {
    for (const [name, value] of Object.entries(HEADERS)) context.header(name, value);
    const { req } = context;
    // Another name that leads to this computer is another site's (DNS rebinding).
    if (!this.#hosts.includes(req.header('host') ?? '')) return context.text('Not this host.', 421);
    if (!['GET', 'HEAD', 'POST'].includes(req.method)) return context.text('GET or POST.', 405);
    const origin = req.header('origin');
    if (origin !== undefined && !this.#hosts.some((host) => origin === `http://${host}`))
      return context.text('Not from another page.', 403);
    const site = req.header('sec-fetch-site');
    const isVisit = req.method === 'GET' && req.header('sec-fetch-mode') === 'navigate';
    if (site !== undefined && !['same-origin', 'none'].includes(site) && !isVisit)
      return context.text('Not from another page.', 403);

    const given = req.query('token');
    if (req.method === 'GET' && req.path === '/' && given !== undefined && this.#isToken(given)) {
      setCookie(context, COOKIE, this.#token, { httpOnly: true, sameSite: 'Strict', path: '/' });
      return context.redirect('/', 303);
    }
    if (!this.#isToken(getCookie(context, COOKIE) ?? ''))
      return context.text(
        'Open the address that sync-data search printed: it has a token that lets you in.',
        401,
      );
    return next();
  };

  #isToken(given: string): boolean {
    const [a, b] = [Buffer.from(given), Buffer.from(this.#token)];
    return a.length === b.length && timingSafeEqual(a, b);
  }
}
