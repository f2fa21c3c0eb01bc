import proto from 'onnx-proto';

const { onnx } = proto;
const FLOAT = onnx.TensorProto.DataType.FLOAT;
const INT64 = onnx.TensorProto.DataType.INT64;

type Attribute = number | readonly number[] | string;

/** Writes small networks: each call adds a node and names what comes out of it. */
export class Network {
  readonly #nodes: InstanceType<typeof onnx.NodeProto>[] = [];
  readonly #constants: InstanceType<typeof onnx.TensorProto>[] = [];

  constant(dims: readonly number[], values: readonly number[]): string {
    const data = Buffer.alloc(values.length * 4);
    values.forEach((value, at) => data.writeFloatLE(value, at * 4));
    return this.#tensor(dims, FLOAT, data);
  }

  integers(values: readonly number[], dims: readonly number[] = [values.length]): string {
    const data = Buffer.alloc(values.length * 8);
    values.forEach((value, at) => data.writeBigInt64LE(BigInt(value), at * 8));
    return this.#tensor(dims, INT64, data);
  }

  /** @param attributes whole numbers are INT, others FLOAT, lists INTS */
  op(type: string, inputs: readonly string[], attributes: Readonly<Record<string, Attribute>> = {}): string {
    const name = `${type.toLowerCase()}_${this.#nodes.length}`;
    const attribute = Object.entries(attributes).map(([key, value]) => attributeOf(key, value));
    this.#nodes.push(new onnx.NodeProto({ opType: type, input: [...inputs], output: [name], attribute }));
    return name;
  }

  /** @param extra added to the graph as it is */
  file(
    input: { readonly name: string; readonly dims: readonly number[]; readonly int64?: boolean },
    outputs: readonly { readonly name: string; readonly dims: readonly number[] }[],
    extra: Partial<ConstructorParameters<typeof onnx.GraphProto>[0]> = {},
  ): Buffer {
    const graph = new onnx.GraphProto({
      name: 'network',
      node: this.#nodes,
      initializer: this.#constants,
      input: [valueInfo(input.name, input.dims, input.int64 ? INT64 : FLOAT)],
      output: outputs.map(({ name, dims }) => valueInfo(name, dims, FLOAT)),
      ...extra,
    });
    const opsetImport = [new onnx.OperatorSetIdProto({ domain: '', version: 13 })];
    const model = new onnx.ModelProto({ irVersion: 7, producerName: 'sync-data', opsetImport, graph });
    return Buffer.from(onnx.ModelProto.encode(model).finish());
  }

  #tensor(dims: readonly number[], dataType: number, rawData: Buffer): string {
    const name = `constant_${this.#constants.length}`;
    this.#constants.push(new onnx.TensorProto({ name, dims: [...dims], dataType, rawData }));
    return name;
  }
}

export function valueInfo(name: string, dims: readonly number[], elemType: number = FLOAT) {
  const shape = new onnx.TensorShapeProto({
    dim: dims.map((dimValue) => new onnx.TensorShapeProto.Dimension({ dimValue })),
  });
  const tensorType = new onnx.TypeProto.Tensor({ elemType, shape });
  return new onnx.ValueInfoProto({ name, type: new onnx.TypeProto({ tensorType }) });
}

function attributeOf(name: string, value: Attribute): InstanceType<typeof onnx.AttributeProto> {
  const { INT, INTS, FLOAT: REAL, STRING } = onnx.AttributeProto.AttributeType;
  if (typeof value === 'string')
    return new onnx.AttributeProto({ name, type: STRING, s: Buffer.from(value) });
  if (typeof value !== 'number') return new onnx.AttributeProto({ name, type: INTS, ints: [...value] });
  return Number.isInteger(value)
    ? new onnx.AttributeProto({ name, type: INT, i: value })
    : new onnx.AttributeProto({ name, type: REAL, f: value });
}
