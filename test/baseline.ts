import { Network } from './onnx.ts';

/** Of the models: see lib/models/registry.ts. */
const MASK = 256;
const VECTOR = 128;

/**
 * A mask by the colour's distance from the border. Each row has a background of its own, which runs from its left end to
 * its right end: so walls and floors have any colour and light they like. A pixel that is that colour made darker or a
 * little lighter is background too: that is what shadows do.
 * @param least distance that is no longer background; of each colour, 0 to 1
 */
export function baselineMask(least = 0.05): Buffer {
  const net = new Network();
  const mean = (x: string, axes: readonly number[]): string =>
    net.op('ReduceMean', [x], { axes, keepdims: 1 });
  const sum = (x: string, axes: readonly number[]): string =>
    net.op('ReduceSum', [x, net.integers(axes)], { keepdims: 1 });
  const columns = (from: number, to: number): string =>
    net.op('Slice', [image, net.integers([from]), net.integers([to]), net.integers([3])]);
  const smooth = (x: string): string =>
    net.op('AveragePool', [x], { kernel_shape: [5, 1], pads: [2, 0, 2, 0] });

  const image = net.op('AveragePool', ['image'], { kernel_shape: [3, 3], pads: [1, 1, 1, 1] });
  const ramp = Array.from({ length: MASK }, (_, x) => x / (MASK - 1));
  const left = net.op('Mul', [
    smooth(mean(columns(1, 7), [3])),
    net.constant(
      [1, 1, 1, MASK],
      ramp.map((t) => 1 - t),
    ),
  ]);
  const right = net.op('Mul', [
    smooth(mean(columns(MASK - 7, MASK - 1), [3])),
    net.constant([1, 1, 1, MASK], ramp),
  ]);
  const ground = net.op('Add', [left, right]);

  const light = net.op('Div', [
    sum(net.op('Mul', [image, ground]), [1]),
    net.op('Add', [sum(net.op('Mul', [ground, ground]), [1]), net.constant([], [1e-4])]),
  ]);
  const shade = net.op('Clip', [light, net.constant([], [0.54]), net.constant([], [1.08])]);
  const rest = net.op('Sub', [image, net.op('Mul', [ground, shade])]);
  const distance = net.op('Sqrt', [
    net.op('Add', [sum(net.op('Mul', [rest, rest]), [1]), net.constant([], [1e-8])]),
  ]);
  const sharp = net.op('Mul', [
    net.op('Sub', [distance, net.constant([], [least])]),
    net.constant([], [120]),
  ]);
  const rough = net.op('Sigmoid', [sharp]);

  // Small holes are filled, then small specks go.
  const grow = (x: string, size: number): string =>
    net.op('MaxPool', [x], { kernel_shape: [size, size], pads: new Array<number>(4).fill(size >> 1) });
  const shrink = (x: string, size: number): string => net.op('Neg', [grow(net.op('Neg', [x]), size)]);
  const filled = shrink(grow(rough, 7), 7);
  const clean = grow(shrink(filled, 3), 3);
  return net.file({ name: 'image', dims: [1, 3, MASK, MASK] }, [{ name: clean, dims: [1, 1, MASK, MASK] }]);
}

/** Centres of soft bins, and how wide they are. */
const BINS = 8;

/**
 * 512 numbers for edges of 8 directions in 8 × 8 fields, and 120 for colours: of the whole piece, its top, middle and
 * bottom, and its core, each by two opponent colours and light. The picture and its mirror image come to the same;
 * brightness is taken out; white, which a cutout stands on, is no colour.
 */
export function baselineVector(): Buffer {
  const net = new Network();
  const number = (value: number): string => net.constant([], [value]);
  const sum = (x: string, axes: readonly number[]): string =>
    net.op('ReduceSum', [x, net.integers(axes)], { keepdims: 1 });
  const channel = (x: string, at: number): string =>
    net.op('Slice', [x, net.integers([at]), net.integers([at + 1]), net.integers([1])]);

  const mirrored = net.op('Slice', [
    'image',
    net.integers([-1]),
    net.integers([-(2 ** 31)]),
    net.integers([3]),
    net.integers([-1]),
  ]);
  const both = net.op('Concat', ['image', mirrored], { axis: 0 });
  const least = net.op('ReduceMin', [both], { axes: [1], keepdims: 1 });
  const piece = net.op('Clip', [
    net.op('Mul', [net.op('Sub', [number(0.985), least]), number(80)]),
    number(0),
    number(1),
  ]);
  const area = net.op('Add', [sum(piece, [2, 3]), number(1)]);
  const gray = net.op('ReduceMean', [both], { axes: [1], keepdims: 1 });
  const meanOf = (x: string): string => net.op('Div', [sum(net.op('Mul', [x, piece]), [2, 3]), area]);
  const level = net.op('Add', [meanOf(gray), number(0.02)]);

  // The brightness is evened out first, so that a brighter copy has the same edges: eight directions, rises only.
  const even = net.op('Clip', [net.op('Div', [gray, level]), number(0), number(2.5)]);
  const kernels = Array.from({ length: 8 }, (_, k) => {
    const [cos, sin] = [Math.cos((k * Math.PI) / 4), Math.sin((k * Math.PI) / 4)];
    const [gx, gy] = [
      [-1, 0, 1, -2, 0, 2, -1, 0, 1],
      [-1, -2, -1, 0, 0, 0, 1, 2, 1],
    ];
    return gx?.map((x, at) => (cos * x + sin * (gy?.[at] ?? 0)) / 8) ?? [];
  }).flat();
  const slopes = net.op('Relu', [
    net.op('Conv', [even, net.constant([8, 1, 3, 3], kernels)], { kernel_shape: [3, 3], pads: [1, 1, 1, 1] }),
  ]);
  const fields = net.op('AveragePool', [slopes], {
    kernel_shape: [32, 32],
    strides: [16, 16],
    pads: [8, 8, 8, 8],
  });
  const edges = net.op('Reshape', [
    net.op('ReduceSum', [fields, net.integers([0])], { keepdims: 1 }),
    net.integers([1, 512]),
  ]);

  // Colours that brightness does not change, and light against the piece's own.
  const total = net.op('Add', [net.op('Mul', [gray, number(3)]), number(0.06)]);
  const [red, green, blue] = [0, 1, 2].map((at) => channel(both, at)) as [string, string, string];
  const redGreen = net.op('Div', [net.op('Sub', [red, green]), total]);
  const yellowBlue = net.op('Div', [
    net.op('Sub', [net.op('Add', [red, green]), net.op('Mul', [blue, number(2)])]),
    total,
  ]);
  const bins = (x: string, low: number, high: number): string => {
    const step = (high - low) / (BINS - 1);
    const centres = Array.from({ length: BINS }, (_, at) => low + at * step);
    const off = net.op('Div', [net.op('Sub', [x, net.constant([1, BINS, 1, 1], centres)]), number(step)]);
    return net.op('Mul', [net.op('Exp', [net.op('Neg', [net.op('Mul', [off, off])])]), piece]);
  };
  const light = net.op('Div', [gray, level]);
  const colours = net.op(
    'Concat',
    [bins(redGreen, -0.1, 0.35), bins(yellowBlue, -0.3, 0.8), bins(light, 0.3, 1.8)],
    { axis: 1 },
  );
  const part = (from: readonly [number, number], to: readonly [number, number]): string => {
    const ends = [net.integers([...from]), net.integers([...to]), net.integers([2, 3])];
    return net.op('ReduceSum', [net.op('Slice', [colours, ...ends]), net.integers([0, 2, 3])], {
      keepdims: 0,
    });
  };
  const parts = [
    part([0, 0], [128, 128]),
    part([0, 0], [48, 128]),
    part([40, 0], [88, 128]),
    part([80, 0], [128, 128]),
    part([32, 32], [96, 96]),
  ].map((histogram) => {
    const whole = net.op('Add', [
      net.op('ReduceSum', [histogram, net.integers([0])], { keepdims: 1 }),
      number(1),
    ]);
    return net.op('Div', [histogram, whole]);
  });
  const histograms = net.op('Reshape', [net.op('Concat', parts, { axis: 0 }), net.integers([1, 120])]);

  // The root weighs small values up; around their mean, so that half of them are below 0; each block of length 1.
  const block = (x: string, weight: number): string => {
    const root = net.op('Sqrt', [net.op('Add', [x, number(1e-9)])]);
    const centred = net.op('Sub', [root, net.op('ReduceMean', [root], { axes: [1], keepdims: 1 })]);
    const length = net.op('Sqrt', [
      net.op('Add', [sum(net.op('Mul', [centred, centred]), [1]), number(1e-9)]),
    ]);
    return net.op('Mul', [net.op('Div', [centred, length]), number(weight)]);
  };
  const vector = net.op('Concat', [block(edges, 1), block(histograms, 0.8)], { axis: 1 });
  return net.file({ name: 'image', dims: [1, 3, VECTOR, VECTOR] }, [{ name: vector, dims: [1, 632] }]);
}
