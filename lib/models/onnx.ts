import { ModelError } from './errors.ts';

// As much of an ONNX file as has to be looked at or changed before it is loaded. The file is read in place, at 178 MB
// without a copy: what changes keeps its length.

/** A field of a protocol buffer: where its content is in the file. */
interface Field {
  readonly number: number;
  readonly wire: number;
  readonly tagAt: number;
  readonly start: number;
  readonly end: number;
}

interface Node {
  readonly op: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: readonly Field[];
}

const GRAPH = { node: 1, initializer: 5, input: 11, output: 12, valueInfo: 13 };
/** A number that GraphProto does not use: what has it is skipped by everybody. */
const UNUSED_TAG = (9 << 3) | 2;

/**
 * A network made for pictures of `from` pixels, changed to take `to`: its input and first output get the new size, the
 * sizes that its layers are scaled to are changed with it, and what it says of the shapes in between is left out.
 *
 * @param file changed in place
 * @throws ModelError where it is built in another way than networks of this kind are
 */
export function resizeInput(file: Uint8Array, from: number, to: number): void {
  const graph = graphOf(file);
  const fields = [...fieldsOf(file, graph.start, graph.end)];
  const [input, output] = [GRAPH.input, GRAPH.output].map((number) =>
    fields.find((one) => one.number === number),
  );
  if (!input || !output) throw new ModelError('The model has no input or no output.', HINT);
  for (const shape of [input, output]) resizeShape(file, shape, from, to);
  for (const field of fields) {
    const isSurplus = field.number === GRAPH.output && field !== output;
    if (isSurplus || field.number === GRAPH.valueInfo) file[field.tagAt] = UNUSED_TAG;
  }

  const nodes = fields.filter(({ number }) => number === GRAPH.node).map((field) => nodeOf(file, field));
  const makers = new Map(nodes.flatMap((node) => node.outputs.map((name) => [name, node] as const)));
  const initializers = new Map(
    fields
      .filter(({ number }) => number === GRAPH.initializer)
      .map((field) => [textOf(file, field, 8), field] as const),
  );
  const tensorOf = (name: string): Field | undefined => {
    const maker = makers.get(name);
    return initializers.get(name) ?? (maker?.op === 'Constant' ? constantOf(file, maker) : undefined);
  };
  /** Where the known numbers of a list are in the file, counted from its end. */
  const placesOf = (name: string): readonly number[] => {
    const tensor = tensorOf(name);
    if (tensor) return placesIn(file, tensor);
    const maker = makers.get(name);
    if (maker?.op !== 'Concat') return [];
    const known = maker.inputs.findLastIndex((input) => !tensorOf(input));
    return maker.inputs.slice(known + 1).flatMap(placesOf);
  };
  // Height and width are the last two of the sizes; two layers may share them.
  const sizes = nodes.flatMap(({ op, inputs }) =>
    op === 'Resize' && inputs[3] ? placesOf(inputs[3]).slice(-2) : [],
  );
  for (const place of new Set(sizes)) resizeNumber(file, place, from, to);
}

/** A model must contain its own weights: one that names other files could read anything. @throws ModelError */
export function refuseOtherFiles(file: Uint8Array): void {
  const graph = graphOf(file);
  for (const field of fieldsOf(file, graph.start, graph.end)) {
    if (field.number !== GRAPH.initializer) continue;
    for (const part of fieldsOf(file, field.start, field.end)) {
      if (part.number === 13 || (part.number === 14 && varint(file, part.start).value !== 0))
        throw new ModelError('The model keeps its weights in another file.', HINT);
    }
  }
}

const HINT = 'Use the file that sync-data fetches by itself, or another model.';

function graphOf(file: Uint8Array): Field {
  for (const field of fieldsOf(file, 0, file.length))
    if (field.number === 7 && field.wire === 2) return field;
  throw new ModelError('The file is no ONNX model.', HINT);
}

function nodeOf(file: Uint8Array, { start, end }: Field): Node {
  const fields = [...fieldsOf(file, start, end)];
  const texts = (number: number): string[] =>
    fields.filter((field) => field.number === number).map((field) => text(file, field));
  return {
    op: texts(4)[0] ?? '',
    inputs: texts(1),
    outputs: texts(2),
    attributes: fields.filter(({ number }) => number === 5),
  };
}

/** The tensor of a node that is a constant. */
function constantOf(file: Uint8Array, node: Node): Field | undefined {
  for (const attribute of node.attributes) {
    for (const field of fieldsOf(file, attribute.start, attribute.end)) if (field.number === 5) return field;
  }
  return undefined;
}

/** In ValueInfoProto: type, tensor type, shape, dimensions, value. */
function resizeShape(file: Uint8Array, info: Field, from: number, to: number): void {
  const inside = (field: Field, number: number): Field[] =>
    [...fieldsOf(file, field.start, field.end)].filter((one) => one.number === number);
  const dims = inside(info, 2)
    .flatMap((type) => inside(type, 1))
    .flatMap((tensor) => inside(tensor, 2))
    .flatMap((shape) => inside(shape, 1));
  for (const value of dims.slice(-2).flatMap((dim) => inside(dim, 1))) {
    const { value: size, length } = varint(file, value.start);
    if (size === from) writeVarint(file, value.start, length, to);
  }
}

/** Where each number of a tensor of int64 is. */
function placesIn(file: Uint8Array, tensor: Field): number[] {
  const fields = [...fieldsOf(file, tensor.start, tensor.end)];
  const isInt64 = fields.some(({ number, start }) => number === 2 && varint(file, start).value === 7);
  const raw = fields.find(({ number }) => number === 9);
  if (!isInt64 || !raw) throw new ModelError('The sizes inside the model cannot be changed.', HINT);
  return Array.from({ length: (raw.end - raw.start) / 8 }, (_, index) => raw.start + index * 8);
}

function resizeNumber(file: Uint8Array, place: number, from: number, to: number): void {
  const view = new DataView(file.buffer, file.byteOffset + place, 8);
  const size = (Number(view.getBigInt64(0, true)) * to) / from;
  if (!Number.isInteger(size)) throw new ModelError(`The model cannot be used at ${to} pixels.`, HINT);
  view.setBigInt64(0, BigInt(size), true);
}

function* fieldsOf(file: Uint8Array, start: number, end: number): Generator<Field> {
  for (let at = start; at < end;) {
    const tag = varint(file, at);
    const [number, wire] = [Math.floor(tag.value / 8), tag.value & 7];
    const body = at + tag.length;
    let [from, to] = [body, body];
    if (wire === 0) to = body + varint(file, body).length;
    else if (wire === 1) to = body + 8;
    else if (wire === 5) to = body + 4;
    else if (wire === 2) {
      const size = varint(file, body);
      from = body + size.length;
      to = from + size.value;
    } else throw new ModelError('The file is no ONNX model, or it is damaged.', HINT);
    if (to > end || number === 0) throw new ModelError('The file is no ONNX model, or it is damaged.', HINT);
    yield { number, wire, tagAt: at, start: from, end: to };
    at = to;
  }
}

function textOf(file: Uint8Array, field: Field, number: number): string {
  for (const one of fieldsOf(file, field.start, field.end)) if (one.number === number) return text(file, one);
  return '';
}

function text(file: Uint8Array, { start, end }: Field): string {
  return Buffer.from(file.buffer, file.byteOffset + start, end - start).toString();
}

function varint(file: Uint8Array, at: number): { readonly value: number; readonly length: number } {
  let value = 0;
  for (let length = 1; length <= 10; length += 1) {
    const byte = file[at + length - 1];
    if (byte === undefined) break;
    value += (byte & 0x7f) * 2 ** (7 * (length - 1));
    if (byte < 0x80) return { value, length };
  }
  throw new ModelError('The file is no ONNX model, or it is damaged.', HINT);
}

/** In as many bytes as there were: the rest of the file stays where it is. */
function writeVarint(file: Uint8Array, at: number, length: number, value: number): void {
  if (value >= 2 ** (7 * length)) throw new ModelError(`The model cannot be used at ${value} pixels.`, HINT);
  for (let place = 0; place < length; place += 1) {
    const isLast = place === length - 1;
    file[at + place] = (Math.floor(value / 2 ** (7 * place)) & 0x7f) | (isLast ? 0 : 0x80);
  }
}
