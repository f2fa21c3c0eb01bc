import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { ApiKey, findKey } from '../../lib/etsy/key.ts';
import { answerOf, errorText, readBody, readStart } from '../../lib/etsy/body.ts';
import { Cdn } from '../../lib/etsy/cdn.ts';
import { allowedHost } from '../../lib/dataset/image-url.ts';
import { envelope, listing, sortOut } from '../../lib/etsy/schemas.ts';
import { ConfigFile } from '../../lib/pipeline/diagnostics.ts';
import { settingsSchema } from '../../lib/settings.ts';
import { table, words } from '../../lib/report/charts/table.ts';
import { etsyAddress, html } from '../../lib/report/html.ts';
import { page } from '../../lib/report/page.ts';
import { oneLine, printable, visibleJson } from '../../lib/text/clean.ts';
import { boundedJson, JsonTooLarge } from '../../lib/text/json.ts';
import { masked } from '../../lib/text/mask.ts';
import { Redactor } from '../../lib/text/redact.ts';
import {
  FIRST_FROM_THE_END,
  MOST_CUTS,
  advance,
  nextPage,
  wholeRange,
} from '../../tasks/rules/price-slices.ts';
import { serving } from '../messages/provoke.ts';
import type { Attack } from './row.ts';

const [KEYSTRING, SECRET] = ['abcdefghijklmnopqrstuvwx', 'sharedsec1'];
const key = new ApiKey(KEYSTRING, SECRET);
const redactor = new Redactor([`${KEYSTRING}:${SECRET}`, KEYSTRING, SECRET]);
const HIDDEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;
const EVIL = '\u001b]0;title\u0007\u009b31m\u202eRTL\u200b\u2028\ud800\0';
const RECORD = {
  listing_id: 1,
  shop_id: 2,
  state: 'active',
  price: { amount: 1000, divisor: 100, currency_code: 'USD' },
};

const bytesOf = (value: unknown): Buffer =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));
const response = (size: number, chunks: number): Response =>
  new Response(
    new ReadableStream({
      start(controller) {
        for (let sent = 0; sent < chunks; sent += 1) controller.enqueue(new Uint8Array(size / chunks));
        controller.close();
      },
    }),
  );

/** Addresses of image hosts as an answer could give them; only the list of hosts counts. */
const FOREIGN = [
  'http://i.etsystatic.com/a.jpg',
  'https://i.etsystatic.com.evil.example/a.jpg',
  'https://user@i.etsystatic.com/a.jpg',
  'https://i.etsystatic.com@evil.example/a.jpg',
  'https://evil.example/i.etsystatic.com',
  'https://127.0.0.1/a.jpg',
  'https://2130706433/a.jpg',
  'https://[::ffff:127.0.0.1]/a.jpg',
  'https://0177.0.0.1/a.jpg',
  'https://localhost/a.jpg',
  'https://169.254.169.254/latest/meta-data',
  'file:///etc/passwd',
  'data:image/jpeg;base64,/9j/4AAQ',
  'ftp://i.etsystatic.com/a.jpg',
  '//evil.example/a.jpg',
  'https://[',
];

export const texts: readonly Attack[] = [
  {
    claim: 'Escape codes, control characters',
    name: 'a title that sets colours, the window title and the direction of text',
    fails: () => {
      assert.doesNotMatch(oneLine(EVIL), HIDDEN);
      assert.doesNotMatch(printable(EVIL), HIDDEN);
      assert.doesNotMatch(html`${EVIL}`.text.replaceAll('\u200b', ''), HIDDEN);
    },
  },
  {
    claim: '`status --json` writes such characters',
    name: 'control and direction characters in a reason',
    fails: () => {
      assert.doesNotMatch(visibleJson({ EVIL }), HIDDEN);
      assert.deepEqual(JSON.parse(visibleJson({ EVIL })), { EVIL });
    },
  },
  {
    claim: 'Half surrogates and NUL',
    name: 'half a surrogate pair and a NUL in a title and a tag',
    fails: () =>
      assert.deepEqual(answerOf(bytesOf('{"title":"a\\ud800b","tags":["\\u0000"]}'), key), {
        title: 'a\ufffdb',
        tags: ['\ufffd'],
      }),
  },
  {
    claim: 'In report.html all text is escaped',
    name: 'markup, attributes and scripts in names',
    fails: () => {
      const name = `"><script>alert(1)</script><img src=x onerror='alert(1)'>`;
      const text = page({
        name,
        now: 0,
        database: name,
        version: '1',
        headline: html`<p>${name}</p>`,
        recency: html`<p>${name}</p>`,
        finding: { text: name, note: name },
        parts: [],
      });
      assert.doesNotMatch(text, /<script|<img|"><|onerror='/);
      assert.match(text, /default-src &#39;none&#39;/);
    },
  },
  {
    claim: 'Only https addresses of etsy.com',
    name: 'addresses of other schemes, hosts and users',
    fails: () => {
      for (const address of [
        'javascript:alert(1)',
        'http://www.etsy.com/listing/1',
        'https://etsy.com.evil.example/',
        'https://www.etsy.com@evil.example/',
        'https://me:pw@www.etsy.com/',
        'https://www.etsy.com:8443/',
        `https://www.etsy.com/${'x'.repeat(1000)}`,
      ])
        assert.equal(etsyAddress(address), undefined, address);
      assert.equal(etsyAddress('https://www.etsy.com/listing/1'), 'https://www.etsy.com/listing/1');
    },
  },
  {
    claim: 'Tables of the report have at most 100 rows',
    name: '10,000 names of 20,000 characters',
    fails: () => {
      const rows = Array.from({ length: 10_000 }, (_, index) => [`${index}${'<'.repeat(20_000)}`]);
      const { text } = table('Names', [words('Name')], rows);
      assert.ok(text.length < 60_000 && (text.match(/<tr/g) ?? []).length <= 102, String(text.length));
    },
  },
  {
    claim: 'An API answer is read up to 8 MB',
    name: 'a body without end, and one that is small until it is decompressed',
    fails: async () => {
      await assert.rejects(readBody(response(9e6, 90), 8 * 2 ** 20), /larger than the 8 MB allowed/);
      assert.equal((await readStart(response(9e6, 90), 1000)).bytes.length, 1000);
      // 64 MB of zeros, compressed to 64 kB.
      const bomb = { headers: { 'content-encoding': 'gzip' }, body: gzipSync(Buffer.alloc(64 * 2 ** 20)) };
      await serving({ answer: () => bomb }, async (origin) => {
        await assert.rejects(readBody(await fetch(origin), 8 * 2 ** 20), /larger than the 8 MB allowed/);
        const cdn = new Cdn({ timeoutMs: 5000, firstPauseMs: 1 });
        await assert.rejects(cdn.download(`${origin}/1`, ['127.0.0.1']));
      });
    },
  },
  {
    claim: 'JSON with more than 150,000 values',
    name: '8 MB of brackets, of commas, of empty objects',
    fails: () => {
      for (const text of ['['.repeat(8e6), `[${'1,'.repeat(4e6)}1]`, `[${'{},'.repeat(2e6)}{}]`])
        assert.throws(() => boundedJson(Buffer.from(text)), JsonTooLarge);
    },
  },
  {
    claim: 'Something nested deeper than 64 levels',
    name: '1,500 and 100,000 levels in a field, known or unknown',
    fails: () => {
      for (const field of ['extra', 'production_partners'])
        for (const depth of [1500, 100_000]) {
          const deep = JSON.stringify({ ...RECORD, [field]: ['DEEP'] }).replace(
            '"DEEP"',
            '['.repeat(depth) + ']'.repeat(depth),
          );
          const { results } = answerOf(bytesOf(`{"results":[${deep},${JSON.stringify(RECORD)}]}`), key) as {
            results: unknown[];
          };
          const { good, rejected } = sortOut(listing, results);
          assert.deepEqual(
            [good.length, rejected.map(({ reason }) => reason)],
            [1, ['nested deeper than 64 levels']],
          );
        }
    },
  },
  {
    claim: 'A list within a record is measured',
    name: 'a million tags of the wrong type',
    fails: () => {
      const { rejected, good } = sortOut(listing, [{ ...RECORD, tags: Array<number>(1e6).fill(1) }]);
      assert.ok(JSON.stringify([rejected[0]?.reason, good[0]?.tags ?? null]).length < 600);
    },
  },
  {
    claim: 'The reason kept for a bad record',
    name: 'a record in which every field is wrong',
    fails: () => {
      const wrong = {
        ...RECORD,
        listing_id: 'x',
        shop_id: {},
        price: 5,
        state: [],
        title: {},
        url: 1,
        tags: 5,
      };
      const reason = sortOut(listing, [wrong]).rejected[0]?.reason ?? '';
      assert.ok(reason !== '' && reason.length <= 500 && reason.split('; ').length <= 6, reason);
    },
  },
  {
    claim: 'An error text of a server',
    name: '8 MB of error',
    fails: () => {
      for (const body of [{ error: 'A'.repeat(8e6) }, '<p>'.repeat(2e6), { error: [[['x'.repeat(8e6)]]] }])
        assert.ok(Array.from(errorText(bytesOf(body), key)).length <= 200);
    },
  },
  {
    claim: 'A count that its pages contradict',
    name: 'a count of 2^53 - 1 on every page',
    fails: () => {
      let open = [wholeRange()];
      const answer = envelope.parse({ count: Number.MAX_SAFE_INTEGER, results: [] });
      for (let asked = 0, cuts = 0; asked < 200_000; asked += 1) {
        const request = nextPage(open, new Set());
        if (!request) return;
        const rows = request.page % FIRST_FROM_THE_END === 0 ? 100 : 0;
        const sample = Array.from({ length: rows }, (_, index) => request.slice.low + index);
        const more = { rows, mayCut: cuts < MOST_CUTS };
        const after = advance(open, request, answer.count, sample, false, more);
        if (after.split) cuts += 1;
        open = after.open;
      }
      assert.fail('it does not end');
    },
  },
  {
    claim: 'Images come only from the hosts',
    name: 'addresses of other hosts in many forms',
    fails: () => {
      for (const address of FOREIGN) assert.equal(allowedHost(address, ['i.etsystatic.com']), false, address);
    },
  },
  {
    claim: 'No pattern that is tried on a stranger',
    name: 'texts of 200,000 characters made for slow patterns',
    fails: () => {
      const repeated = [
        ' ',
        '\t',
        '\u200b',
        '\u001b[',
        '\u001b]0;',
        '&#',
        '%25',
        '\\u{',
        '0x',
        'a',
        'key=',
        '<',
        '\u0301',
        '://a',
      ];
      const before = process.cpuUsage();
      for (const part of repeated) {
        const text = `${part.repeat(200_000 / part.length)}!`;
        for (const made of [oneLine, printable, visibleJson, (one: string) => key.redact(one)]) made(text);
        masked(text.slice(0, 20_000), () => '*');
        allowedHost(text, ['i.etsystatic.com']);
        etsyAddress(text);
      }
      const { user } = process.cpuUsage(before);
      // A slow pattern takes minutes: in CPU time, other work beside it does not matter.
      assert.ok(user < 20e6, `${user / 1e6} s of CPU`);
    },
  },
  {
    claim: 'The API key is sent to an https address only',
    name: 'a baseUrl that would give the key away',
    fails: () => {
      const { api } = settingsSchema.shape;
      for (const baseUrl of [
        'http://openapi.etsy.com',
        'https://a@evil.example',
        'http://127.0.0.1.evil.example',
      ])
        assert.equal(api.safeParse({ baseUrl }).success, false, baseUrl);
    },
  },
  {
    claim: 'Image files are named after listing ids',
    name: 'ids that are paths, fractions, texts or too large',
    fails: () => {
      for (const id of ['../../etc/passwd', '7', 1.5, -1, 0, null, true, 2 ** 53, '__proto__'])
        assert.equal(
          sortOut(listing, [{ ...RECORD, listing_id: id }]).good.filter((one) => one.listing_id !== 7).length,
          0,
        );
    },
  },
  {
    claim: 'Keys such as `__proto__`',
    name: '__proto__ and constructor in a record',
    fails: () => {
      const text = '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}';
      answerOf(bytesOf(text), key);
      assert.equal(({} as { polluted?: number }).polluted, undefined);
    },
  },
  {
    claim: 'The key and its two parts are struck out',
    name: 'an error page that echoes the key in ten forms',
    fails: () => {
      const forms = [
        KEYSTRING,
        `${KEYSTRING.slice(0, 6)}\u200b${KEYSTRING.slice(6)}`,
        `${KEYSTRING.slice(0, 6)}\u001b[0m${KEYSTRING.slice(6)}`,
        Array.from(KEYSTRING).toReversed().join(''),
        KEYSTRING.toUpperCase(),
        Buffer.from(`${KEYSTRING}:${SECRET}`).toString('base64'),
        Buffer.from(KEYSTRING).toString('hex'),
        Array.from(KEYSTRING, (letter) => `%${letter.charCodeAt(0).toString(16)}`).join(''),
        Array.from(KEYSTRING, (letter) => `&#${letter.charCodeAt(0)};`).join(''),
        Array.from(KEYSTRING).join(' '),
      ];
      for (const form of forms) {
        const said = errorText(bytesOf({ error: `you sent ${form} ok` }), key);
        assert.match(said, /^you sent \[key\].{0,4} ok$/, form);
      }
    },
  },
  {
    claim: 'It is struck out again after JSON is parsed',
    name: 'the key as \\u00xx in a title',
    fails: () => {
      const escaped = Array.from(KEYSTRING, (letter) => `\\u00${letter.charCodeAt(0).toString(16)}`).join('');
      assert.deepEqual(answerOf(bytesOf(`{"title":"${escaped}"}`), key), { title: '[key]' });
    },
  },
  {
    claim: 'Mistakes in pipeline.yaml are shown without the key',
    name: 'the key pasted in six places',
    fails: () => {
      for (const line of [
        `ETSY_API_KEY=${KEYSTRING}:${SECRET}`,
        `keys: [${KEYSTRING}, ${SECRET}]`,
        `baseUrl: "https://openapi.etsy.com?api_key=${KEYSTRING}:${SECRET}"`,
        `baseUrl: "https://${KEYSTRING}:${SECRET}@openapi.etsy.com"`,
        `"${KEYSTRING}:${SECRET}": 1`,
        `auth:\n  x-api-key:\n    ${KEYSTRING}:${SECRET}`,
      ]) {
        const config = new ConfigFile('pipeline.yaml', line, redactor);
        config.report([line.split(':')[0] ?? ''], `found ${line}`);
        assert.ok(![KEYSTRING, SECRET].some((part) => config.print().includes(part)), config.print());
      }
      const stranger = 'zyxwvutsrqponmlkjihgfedc:othersecr2';
      const config = new ConfigFile('pipeline.yaml', `keys: [${stranger}]`);
      config.report(['keys', 0], `found ${stranger}`);
      assert.ok(!config.print().includes(stranger.slice(0, 24)), config.print());
    },
  },
  {
    claim: 'A key with a character that no key has',
    name: 'line breaks, NUL and spaces in the key',
    fails: async (folder) => {
      for (const mark of ['\r\n', '\n', '\0', ' ', '\u00e9', '\u200b'])
        await assert.rejects(
          findKey(folder, { ETSY_API_KEY: `${KEYSTRING}${mark}${SECRET}` }),
          (error: Error) => {
            assert.ok(!error.message.includes(KEYSTRING) && !error.message.includes(SECRET));
            return true;
          },
        );
    },
  },
  {
    claim: 'A .env that other users can read',
    name: 'a .env of mode 0644',
    fails: async (folder) => {
      const path = join(folder, '.env');
      await writeFile(path, `ETSY_API_KEY=${KEYSTRING}:${SECRET}\n`, { mode: 0o644 });
      assert.match((await findKey(folder, {}))?.warning ?? '', /chmod 600 \.env/);
    },
  },
];
