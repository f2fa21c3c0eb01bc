import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { ModelError } from '../lib/models/errors.ts';
import { cutout, embedImage, embedText } from '../lib/models/jobs.ts';
import type { Pool } from '../lib/models/jobs.ts';
import { Models } from '../lib/models/models.ts';
import { REGISTRY } from '../lib/models/registry.ts';
import type { EmbeddingModel, ModelFile } from '../lib/models/registry.ts';
import { openThreads } from '../lib/models/threads.ts';
import { baselineVector } from './baseline.ts';
import { copyOf } from './bench/pictures/copy-of.ts';
import { draw } from './marketplace/pictures/draw.ts';
import { drawn } from './marketplace/pictures/drawn.ts';
import { Network } from './onnx.ts';

const hashOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const never = { signal: new AbortController().signal };
const cosine = (a: Float32Array, b: Float32Array): number => {
  let [dot, one, other] = [0, 0, 0];
  for (const [at, value] of a.entries()) {
    dot += value * (b[at] ?? 0);
    one += value ** 2;
    other += (b[at] ?? 0) ** 2;
  }
  return dot / Math.sqrt(one * other);
};

describe('the threads', () => {
  let folder = '';
  let models: Models;
  let pool: Pool;
  let jpeg: Buffer;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'models-'));
    process.env['ETSY_API_KEY'] = 'a-key-that-no-thread-may-see';
    models = new Models({ folder, threads: 1 });
    for (const work of ['cutout', 'image'] as const) await models.ready(work, 'baseline', never);
    pool = await models.pool();
    jpeg = await drawn({ kind: 'chair', drawing: 0 }, draw);
  });
  after(async () => {
    delete process.env['ETSY_API_KEY'];
    await models.close();
    await rm(folder, { recursive: true });
  });

  it('cut a piece out of its room: the whole picture, with alpha, and the box around what is left', async () => {
    const { state, webp, cover, box } = await cutout(pool, 'baseline', jpeg);
    assert.equal(state, 'done');
    const { data, info } = await sharp(webp).raw().toBuffer({ resolveWithObject: true });
    assert.deepEqual([info.format, info.width, info.height, info.channels], ['raw', 570, 570, 4]);
    assert.equal(data[3], 0, 'the corner is not transparent');
    let solid = 0;
    for (let at = 3; at < data.length; at += 4) if ((data[at] ?? 0) >= 128) solid += 1;
    assert.ok(Math.abs(solid / (570 * 570) - cover) < 0.02 && cover > 0.1 && cover < 0.25, `${cover}`);
    assert.ok(box[0] >= 0 && box[1] >= 0 && box[0] + box[2] <= 570 && box[1] + box[3] <= 570);
  });

  it('find a piece again in a copy that was mirrored, cut and brightened', async () => {
    const look = async (bytes: Buffer): Promise<Float32Array> =>
      embedImage(pool, 'baseline', (await cutout(pool, 'baseline', bytes)).webp);
    // Wide and tall ones, before bright walls: what is left of a wall in a cutout moves its box.
    const orders = ['table', 'trunk', 'dresser', 'bench', 'shelf'].flatMap((kind) =>
      [1, 2, 4, 5].map((drawing) => ({ kind: kind as 'table', drawing, width: 285 })),
    );
    const originals = await Promise.all(orders.map((order) => drawn(order, draw)));
    const known = [];
    for (const original of originals) known.push(await look(original));
    let first = 0;
    for (let at = 0; at < originals.length; at += 2) {
      const copy = await look(await copyOf(originals[at] ?? jpeg, at));
      const own = cosine(copy, known[at] ?? copy);
      if (known.every((other) => cosine(copy, other) <= own)) first += 1;
    }
    assert.ok(first >= 9, `${first} of 10`);
  });

  it('keep a picture whole of which too little or too much would be left', async () => {
    const plain = await sharp({ create: { width: 300, height: 200, channels: 3, background: '#a87' } })
      .jpeg()
      .toBuffer();
    const whole = await cutout(pool, 'baseline', plain);
    assert.deepEqual([whole.state, whole.webp.length, whole.box], ['whole', 0, [0, 0, 300, 200]]);
    const answer = await pool.run({
      work: 'cutout',
      model: 'baseline',
      cover: [0.5, 0.97],
      items: [{ id: 4, bytes: jpeg }],
    });
    assert.ok(answer.items[0] && 'cutout' in answer.items[0] && answer.items[0].cutout.state === 'whole');
  });

  it('turn a picture upright as its EXIF says', async () => {
    const turned = await sharp(jpeg)
      .resize(400, 300, { fit: 'fill' })
      .rotate(90)
      .withMetadata({ orientation: 8 })
      .jpeg()
      .toBuffer();
    const { width, height } = await sharp((await cutout(pool, 'baseline', turned)).webp).metadata();
    assert.deepEqual([width, height], [400, 300]);
  });

  it('take gray pictures, CMYK, PNG and WebP as they are', async () => {
    const kinds = {
      gray: await sharp(jpeg).grayscale().jpeg().toBuffer(),
      cmyk: await sharp(jpeg).toColourspace('cmyk').jpeg().toBuffer(),
      png: await sharp(jpeg).png().toBuffer(),
      '16 bit': await sharp(jpeg).toColourspace('rgb16').png().toBuffer(),
      webp: await sharp(jpeg).webp().toBuffer(),
    };
    const plain = await embedImage(pool, 'baseline', jpeg);
    for (const [kind, bytes] of Object.entries(kinds)) {
      const vector = await embedImage(pool, 'baseline', bytes);
      assert.ok(vector.length === 632 && vector.every(Number.isFinite), kind);
      if (kind !== 'gray' && kind !== 'cmyk')
        assert.ok(cosine(plain, vector) > 0.99, `${kind}: ${cosine(plain, vector)}`);
    }
  });

  it('say of each picture they cannot use why, and go on with the next', async () => {
    const bombs = await sharp({ create: { width: 6000, height: 5000, channels: 3, background: '#fff' } })
      .png()
      .toBuffer();
    const items = {
      'a JPEG cut short': jpeg.subarray(0, jpeg.length / 2),
      'no picture': Buffer.from('<html>'),
      nothing: Buffer.alloc(0),
      'too many pixels': bombs,
      'too many bytes': Buffer.alloc(20_000_001),
      'an SVG': Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'),
      'a GIF': Buffer.from('R0lGODlhAQABAIAAAP///wAAACwAAAAAAQABAAACAkQBADs=', 'base64'),
      'a good one': jpeg,
    };
    for (const work of ['cutout', 'image'] as const) {
      const answer = await pool.run({
        work,
        model: 'baseline',
        items: Object.values(items).map((bytes, id) => ({ id, bytes })),
      });
      assert.deepEqual(
        answer.items.map(({ id }) => id),
        [0, 1, 2, 3, 4, 5, 6, 7],
      );
      Object.keys(items).forEach((what, at) => {
        const result = answer.items[at] ?? { id: at, error: 'no answer' };
        if (what === 'a good one') assert.ok(!('error' in result), JSON.stringify(result));
        else assert.ok('error' in result && result.error.length > 5 && result.error.length <= 200, what);
      });
      assert.match(JSON.stringify(answer.items[3]), /30000000|6000 × 5000|pixel/);
    }
  });

  it('leave the main thread free', async () => {
    let [longest, last] = [0, performance.now()];
    const ticks = setInterval(() => {
      longest = Math.max(longest, performance.now() - last - 5);
      last = performance.now();
    }, 5);
    const items = Array.from({ length: 8 }, (_, id) => ({ id, bytes: jpeg }));
    const answer = await pool.run({ work: 'cutout', model: 'baseline', items });
    clearInterval(ticks);
    // Eight pictures take longer than that; what else the machine does is not counted against it.
    assert.ok(longest < Math.max(50, answer.ms / 4), `${longest} ms of ${answer.ms}`);
  });

  it('see no environment', async () => {
    const { Piscina } = await import('piscina');
    assert.equal(Piscina.isWorkerThread, false);
    const source = await readFile(new URL('../lib/models/threads.ts', import.meta.url), 'utf8');
    assert.match(source, /env: \{\},/);
  });

  it('that take too long are ended, and the picture is what is blamed', async () => {
    const loadable = {
      work: 'image',
      model: REGISTRY.embeddings.at(-1) as EmbeddingModel,
      weights: 'nowhere',
    } as const;
    const hasty = await openThreads({ threads: 1, patience: 1, loadable: () => loadable });
    const job = { work: 'image', model: 'baseline', items: [{ id: 9, bytes: jpeg }] } as const;
    for (let turn = 0; turn < 2; turn += 1) {
      const answer = await hasty.run(job);
      assert.deepEqual(answer.items, [{ id: 9, error: 'it took longer than allowed' }]);
    }
    await assert.rejects(hasty.run(job), /end unexpectedly: it took longer than allowed/);
    await hasty.close();
  });

  describe('that end while others are at work', () => {
    const model = REGISTRY.embeddings.at(-1) as EmbeddingModel;
    const weights = fileURLToPath(new URL(`../lib/models/baseline/${model.weights.name}`, import.meta.url));
    const loadable = { work: 'image', model, weights } as const;
    const job = (items: number) => ({
      work: 'image' as const,
      model: 'baseline',
      items: Array.from({ length: items }, (_, id) => ({ id, bytes: jpeg })),
    });

    it('let them finish where new threads take over', async () => {
      const threads = await openThreads({ threads: 2, lifetime: 1, loadable: () => loadable });
      const answers = await Promise.all([3, 1, 5, 2, 4, 1].map((items) => threads.run(job(items))));
      const given = answers.map(({ items }) => items.filter((item) => 'vector' in item).length);
      assert.deepEqual(given, [3, 1, 5, 2, 4, 1]);
      await threads.close();
    });

    it('end none that were given a job this very moment', async (t) => {
      // Who asks first finds them young enough, and who asks next too old.
      let now = 0;
      t.mock.method(performance, 'now', () => (now += 0.6));
      const threads = await openThreads({ threads: 2, lifetime: 1, loadable: () => loadable });
      const answers = await Promise.all([3, 3, 3, 3].map((items) => threads.run(job(items))));
      const given = answers.map(({ items }) => items.filter((item) => 'vector' in item).length);
      assert.deepEqual(given, [3, 3, 3, 3]);
      await threads.close();
    });

    it('finish the picture in hand where they are closed, begin no other, and leave the process alone', async () => {
      for (const [round, pause] of [0, 20, 45, 90, 150].entries()) {
        const threads = await openThreads({ threads: 2, loadable: () => loadable });
        await Promise.all([threads.run(job(1)), threads.run(job(1))]);
        const jobs = [1, 1, 1].map(() => threads.run(job(500)));
        const ends = Promise.allSettled(jobs);
        await sleep(pause);
        await threads.close();
        for (const end of await ends)
          assert.match(String(end.status === 'rejected' && end.reason), /closed/, `round ${round}`);
        await assert.rejects(threads.run(job(1)), /closed/);
      }
    });
  });

  it('do not load a file that is not the one that was pinned', async () => {
    const path = join(folder, 'changed.onnx');
    const file = baselineVector();
    await writeFile(path, file.fill(0, 100, 101));
    const loadable = {
      work: 'image',
      model: REGISTRY.embeddings.at(-1) as EmbeddingModel,
      weights: path,
    } as const;
    const threads = await openThreads({ threads: 1, loadable: () => loadable });
    await assert.rejects(embedImage(threads, 'baseline', jpeg), (error) => {
      assert.ok(error instanceof ModelError);
      assert.match(error.message, /changed\.onnx is not the file that it should be/);
      assert.match(error.hint ?? '', /fetched anew/);
      return true;
    });
    await threads.close();
  });

  it('know words where the model does', async () => {
    await assert.rejects(models.ready('text', 'baseline', never), /The model baseline knows no words/);
    const { registry, files } = withWords();
    for (const [name, bytes] of Object.entries(files)) await writeFile(join(folder, name), bytes);
    const wordy = new Models({ folder, threads: 1, registry });
    await wordy.ready('text', 'wordy', never);
    const vector = async (text: string): Promise<number[]> => [
      ...(await embedText(await wordy.pool(), 'wordy', text)),
    ];
    // The toy model gives the ids back: words, then the end, then padding.
    assert.deepEqual(await vector('Oak  TABLE'), [3, 4, 1, 0, 0, 0, 0, 0]);
    assert.deepEqual(await vector('oak oak oak oak oak oak oak oak oak oak'), [3, 3, 3, 3, 3, 3, 3, 1]);
    assert.deepEqual(await vector('zebra table'), [4, 1, 0, 0, 0, 0, 0, 0]);
    await assert.rejects(vector(' '), /there is no text/);
    assert.deepEqual(wordy.identity('text', 'wordy').dims, 8);
    await wordy.close();
  });
});

/** A model whose side for words gives back the ids that it is given. */
function withWords(): {
  registry: { cutouts: []; embeddings: EmbeddingModel[] };
  files: Record<string, Buffer>;
} {
  const net = new Network();
  const ids = net.op('Cast', ['input_ids'], { to: 1 });
  const weights = net.file({ name: 'input_ids', dims: [1, 8], int64: true }, [{ name: ids, dims: [1, 8] }]);
  const tokenizer = Buffer.from(
    JSON.stringify({
      version: '1.0',
      added_tokens: [],
      normalizer: null,
      pre_tokenizer: { type: 'Whitespace' },
      post_processor: null,
      decoder: null,
      model: {
        type: 'WordLevel',
        unk_token: '[UNK]',
        vocab: { '[PAD]': 0, '[END]': 1, '[UNK]': 2, oak: 3, table: 4 },
      },
    }),
  );
  const file = (name: string, bytes: Buffer): ModelFile => ({
    name,
    url: `https://huggingface.co/${name}`,
    bytes: bytes.length,
    sha256: hashOf(bytes),
  });
  const base = REGISTRY.embeddings.find(({ name }) => name === 'baseline') as EmbeddingModel;
  const model: EmbeddingModel = {
    ...base,
    name: 'wordy',
    dims: 8,
    text: {
      weights: file('wordy.onnx', weights),
      tokenizer: file('wordy.json', tokenizer),
      recipe: 1,
      context: 8,
      padding: 0,
      end: 1,
      lowerCase: true,
      ids: 'int64',
      output: undefined,
    },
  };
  return {
    registry: { cutouts: [], embeddings: [model] },
    files: { 'wordy.onnx': weights, 'wordy.json': tokenizer },
  };
}
