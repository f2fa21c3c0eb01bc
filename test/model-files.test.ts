import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { ModelError } from '../lib/models/errors.ts';
import { refuseOtherFiles, resizeInput } from '../lib/models/onnx.ts';
import { CUTOUT_MODELS, EMBEDDING_MODELS, REGISTRY } from '../lib/models/registry.ts';
import type { ModelFile } from '../lib/models/registry.ts';
import { baselineMask, baselineVector } from './baseline.ts';
import { Network } from './onnx.ts';

const hashOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

describe('the baseline models', () => {
  for (const [model, made] of [
    [CUTOUT_MODELS.find(({ name }) => name === 'baseline'), baselineMask()],
    [EMBEDDING_MODELS.find(({ name }) => name === 'baseline'), baselineVector()],
  ] as const) {
    it(`are what their script writes: ${model?.weights.name}`, async () => {
      assert.ok(model);
      const { name, bytes, sha256 } = model.weights;
      const file = await readFile(new URL(`../lib/models/baseline/${name}`, import.meta.url));
      assert.ok(file.equals(made), 'Write them anew: npm run baseline');
      assert.deepEqual({ bytes, sha256 }, { bytes: file.length, sha256: hashOf(file) });
    });
  }
});

describe('the registry', () => {
  const models = [...REGISTRY.cutouts, ...REGISTRY.embeddings];
  const files: ModelFile[] = models.flatMap((model) => [
    model.weights,
    ...('text' in model && model.text ? [model.text.weights, model.text.tokenizer] : []),
  ]);

  it('pins every file by size and hash, at an address that never changes', () => {
    for (const { name, url, bytes, sha256 } of files) {
      assert.match(sha256, /^[0-9a-f]{64}$/, name);
      assert.ok(bytes > 1000, name);
      if (url !== undefined)
        assert.match(
          url,
          /^https:\/\/(?:huggingface\.co\/[\w./-]+\/resolve\/[0-9a-f]{40}\/|github\.com\/[\w.-]+\/[\w.-]+\/releases\/download\/)/,
        );
    }
    const byName = new Map(files.map(({ name, sha256 }) => [name, sha256]));
    for (const { name, sha256 } of files)
      assert.equal(sha256, byName.get(name), `two files are called ${name}`);
    for (const { licence } of models) assert.notEqual(licence, '');
    for (const { dims } of REGISTRY.embeddings) assert.equal(dims % 8, 0);
  });
});

describe('a network made for another size', () => {
  /** As networks of this kind are: layers that shrink, and a layer scaled back to sizes that stand in the file. */
  function network(size: number, more: Parameters<Network['file']>[2] = {}): Buffer {
    const net = new Network();
    const small = net.op('MaxPool', ['input'], { kernel_shape: [2, 2], strides: [2, 2] });
    const gray = net.op('ReduceMean', [small], { axes: [1], keepdims: 1 });
    const shape = net.op('Shape', [gray]);
    const front = net.op('Slice', [shape, net.integers([0]), net.integers([2]), net.integers([0])]);
    const sizes = net.op('Concat', [front, net.integers([size, size])], { axis: 0 });
    const back = net.op('Resize', [gray, '', '', sizes], { mode: 'linear' });
    const output = net.op('Sigmoid', [back]);
    return net.file(
      { name: 'input', dims: [1, 3, size, size] },
      [
        { name: output, dims: [1, 1, size, size] },
        { name: gray, dims: [1, 1, size / 2, size / 2] },
      ],
      more,
    );
  }

  it('is in every byte what it would be, made for this one', async () => {
    const { InferenceSession, Tensor } = await import('onnxruntime-node');
    const file = network(1024);
    resizeInput(file, 1024, 512);
    const session = await InferenceSession.create(file);
    assert.equal(session.outputNames.length, 1);
    const values = Float32Array.from({ length: 3 * 512 * 512 }, (_, at) => Math.sin(at / 900));
    const input = { input: new Tensor('float32', values, [1, 3, 512, 512]) };
    const [name = ''] = session.outputNames;
    const changed = (await session.run(input))[name];
    const right = (await (await InferenceSession.create(network(512))).run(input))[name];
    assert.deepEqual(changed?.dims, [1, 1, 512, 512]);
    assert.deepEqual(changed?.data, right?.data);
  });

  it('is refused where the sizes in it do not go into the new one', () => {
    assert.throws(() => resizeInput(network(1024), 1024, 20_000), ModelError);
    for (const file of [
      Buffer.alloc(0),
      Buffer.from('no protocol buffer at all'),
      network(64).subarray(0, 300),
    ])
      assert.throws(() => resizeInput(file, 64, 32), ModelError);
  });

  it('is refused where its weights lie in another file', () => {
    refuseOtherFiles(network(64));
    const net = new Network();
    const file = net.file({ name: 'input', dims: [1] }, [{ name: 'input', dims: [1] }], {
      initializer: [
        {
          name: 'w',
          dims: [1],
          dataType: 1,
          externalData: [{ key: 'location', value: '/etc/passwd' }],
        },
      ],
    });
    assert.throws(() => refuseOtherFiles(file), /keeps its weights in another file/);
  });
});
