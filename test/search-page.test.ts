import assert from 'node:assert/strict';
import { symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Hono } from 'hono';
import { searchPages } from '../lib/search/page/app.ts';
import { addressOf, requestOf } from '../lib/search/page/address.ts';
import { Guard } from '../lib/search/page/guard.ts';
import { SearchRig } from './search-rig.ts';

const HOST = '127.0.0.1:4967';
const JPEG = Buffer.concat([
  Buffer.from([0xff, 0xd8, 0xff, 0xe0]),
  Buffer.alloc(2000, 7),
  Buffer.from([0xff, 0xd9]),
]);

describe('the page of the search', () => {
  let rig: SearchRig;
  let app: Hono;
  let cookie = '';

  const get = (path: string, headers: Record<string, string> = {}): Response | Promise<Response> =>
    app.request(`http://${HOST}${path}`, { headers: { host: HOST, cookie, ...headers } });
  const post = (
    path: string,
    body: FormData,
    headers: Record<string, string> = {},
  ): Response | Promise<Response> =>
    app.request(`http://${HOST}${path}`, {
      method: 'POST',
      body,
      headers: { host: HOST, cookie, ...headers },
    });
  const form = (bytes: Uint8Array, back = '/'): FormData => {
    const made = new FormData();
    made.set('picture', new File([Uint8Array.from(bytes)], '../../etc/passwd', { type: 'image/jpeg' }));
    made.set('back', back);
    return made;
  };

  before(async () => {
    rig = await SearchRig.open([
      {
        id: 3000000001,
        title: 'Oak <script>alert(1)</script> table',
        url: 'https://etsy.com@evil.example/x',
      },
      { id: 3000000002, title: 'Oak desk', state: 'removed', price: 24_000 },
      ...Array.from({ length: 60 }, (_, at) => ({ id: 3000000100 + at, title: `Stool ${at}` })),
    ]);
    await writeFile(join(rig.folder, 'images/3000000001.jpg'), JPEG);
    await writeFile(join(rig.folder, 'secret.jpg'), JPEG);
    await symlink(join(rig.folder, 'secret.jpg'), join(rig.folder, 'images/3000000002.jpg'));
    const guard = new Guard();
    guard.listensOn(4967);
    app = await searchPages({
      engine: rig.engine,
      pipeline: rig.pipeline,
      guard,
      signal: new AbortController().signal,
      assets: { 'style.css': 'body {}', 'page.js': '' },
    });
    const entered = await get(guard.entrance);
    assert.equal(entered.status, 303);
    cookie = /^[^;]+/.exec(entered.headers.get('set-cookie') ?? '')?.[0] ?? '';
    assert.match(entered.headers.get('set-cookie') ?? '', /HttpOnly; SameSite=Strict/);
  });
  after(() => rig.close());

  it('is for nobody who does not know the token, nor for other hosts and pages', async () => {
    assert.equal((await get('/', { cookie: '' })).status, 401);
    assert.equal((await get('/', { cookie: `${cookie}x` })).status, 401);
    assert.equal((await get('/?token=guess', { cookie: '' })).status, 401);
    for (const host of ['evil.example', '127.0.0.1', '127.0.0.1:80', 'localhost.evil.example:4967', ''])
      assert.equal((await get('/', { host })).status, 421, host);
    for (const origin of ['http://evil.example', 'null', 'https://127.0.0.1:4967', 'http://127.0.0.1:1'])
      assert.equal((await get('/', { origin })).status, 403, origin);
    assert.equal((await get('/search?q=oak', { 'sec-fetch-site': 'cross-site' })).status, 403);
    assert.equal(
      (await post('/picture', form(JPEG), { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' }))
        .status,
      403,
    );
    const put = await app.request(`http://${HOST}/`, { method: 'PUT', headers: { host: HOST, cookie } });
    assert.equal(put.status, 405);
  });

  it('says in every answer what a browser must not do with it', async () => {
    for (const path of ['/', '/style.css', '/nowhere', '/images/3000000001']) {
      const { headers } = await get(path);
      assert.match(
        headers.get('content-security-policy') ?? '',
        /^default-src 'none'; script-src 'self'; style-src 'self'/,
        path,
      );
      assert.doesNotMatch(headers.get('content-security-policy') ?? '', /unsafe/);
      assert.equal(headers.get('x-content-type-options'), 'nosniff');
      assert.equal(headers.get('cross-origin-resource-policy'), 'same-origin');
      assert.equal(headers.get('referrer-policy'), 'no-referrer');
      assert.equal(headers.get('cache-control'), 'no-store');
      assert.equal(headers.get('access-control-allow-origin'), null);
    }
  });

  it('shows what sellers wrote as text, and links to nothing but Etsy', async () => {
    const text = await (await get('/search?q=oak')).text();
    assert.match(text, /Oak &lt;script&gt;/);
    assert.doesNotMatch(text, /<script>|evil\.example|style="|onclick/);
    assert.match(text, /Gone since \d{4}-\d\d-\d\d, last \$240/);
    const listing = await (await get('/listing/3000000002')).text();
    assert.match(listing, /href="https:\/\/www\.etsy\.com\/listing\/3000000002"/);
  });

  it('works by links and forms alone: pages, chips, filters, what a filter costs', async () => {
    const first = await (await get('/search?q=stool')).text();
    assert.match(first, /<b>60<\/b> results/);
    assert.match(first, /rel="next" href="\/search\?q=stool&amp;page=2"/);
    assert.equal((first.match(/class="card"/g) ?? []).length, 48);
    const second = await (await get('/search?q=stool&page=2')).text();
    assert.equal((second.match(/class="card"/g) ?? []).length, 12);
    const none = await (await get('/search?q=stool&to=1')).text();
    assert.match(none, /Nothing found\.\s*<a href="\/search\?q=stool">Without “up to 1”: 60<\/a>/);
    assert.match(await (await get('/')).text(), /Newest/);
  });

  it('shows pictures on record alone, by a listing’s id, and no link’s', async () => {
    const whole = await get('/images/3000000001');
    assert.deepEqual([whole.status, whole.headers.get('content-type')], [200, 'image/jpeg']);
    assert.equal((await whole.arrayBuffer()).byteLength, JPEG.length);
    for (const path of [
      '/images/3000000002',
      '/images/5',
      '/images/..%2f..%2fetc',
      '/images/1e9',
      '/cutouts/3000000001',
      '/images/03000000001',
    ])
      assert.equal((await get(path)).status, 404, path);
  });

  it('takes a picture of at most 10 MB, keeps nothing of its name, and gives it back to its own page', async () => {
    const taken = await post('/picture', form(JPEG, '/search?q=oak'));
    assert.equal(taken.status, 303);
    const to = taken.headers.get('location') ?? '';
    assert.match(to, /^\/search\?q=oak&picture=[\w-]{16}$/);
    const shown = await get(`/picture/${new URLSearchParams(to.split('?')[1]).get('picture')}`);
    assert.equal(shown.headers.get('content-type'), 'image/jpeg');
    assert.equal((await get(to)).status, 200);
    assert.equal((await post('/picture', form(Buffer.from('<svg onload=alert(1)>')))).status, 415);
    assert.equal((await post('/picture', form(Buffer.concat([JPEG, Buffer.alloc(10_100_000)])))).status, 413);
    const away = await post('/picture', form(JPEG, 'https://evil.example/search?q=x'));
    assert.match(away.headers.get('location') ?? '', /^\/search\?/);
    assert.match(await (await get('/search?picture=AAAAAAAAAAAAAAAA')).text(), /no longer kept/);
  });

  it('takes from an address what fits and leaves out the rest, whatever it is', async () => {
    const odd =
      'q=oak&category=1;DROP&from=-1&to=1e9&country=usa&made=%27&state=x&sort=y&page=99999&like=0&like=12&less=abc&picture=..%2F';
    const request = requestOf(new URLSearchParams(odd));
    assert.deepEqual(request, {
      words: 'oak',
      like: [12],
      less: [],
      pictures: [],
      filters: {},
      sort: 'best',
      page: 10,
    });
    assert.equal(addressOf(request), '/search?q=oak&like=12');
    assert.equal((await get(`/search?${odd}`)).status, 200);
    assert.equal((await get(`/search?q=${'x'.repeat(5000)}`)).status, 200);
    assert.equal((await get('/listing/999')).status, 404);
  });
});
