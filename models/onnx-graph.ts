/** Parts of an ONNX file (IR 8, ai.onnx 17), as every writer of this folder needs them. */
import {create, type MessageInitShape, toBinary} from '@bufbuild/protobuf';
import {
  type AttributeProtoSchema,
  AttributeProto_AttributeType as AttributeType,
  ModelProtoSchema,
  type NodeProtoSchema,
  type TensorProtoSchema,
  type ValueInfoProtoSchema,
} from '../proto/gen/onnx/v1/onnx_pb.ts';

/** Element types, as ONNX numbers them. */
export const FLOAT = 1;
const INT64 = 7;

export type Attribute = MessageInitShape<typeof AttributeProtoSchema>;
export type Node = MessageInitShape<typeof NodeProtoSchema>;
export type Tensor = MessageInitShape<typeof TensorProtoSchema>;
export type ValueInfo = MessageInitShape<typeof ValueInfoProtoSchema>;

export function int(name: string, value: number): Attribute {
  return {name, type: AttributeType.INT, i: BigInt(value)};
}

export function ints(name: string, values: Iterable<number>): Attribute {
  return {name, type: AttributeType.INTS, ints: Array.from(values, BigInt)};
}

export function floats(name: string, values: Iterable<number>): Attribute {
  return {name, type: AttributeType.FLOATS, floats: [...values]};
}

export function text(name: string, value: string): Attribute {
  return {name, type: AttributeType.STRING, s: utf8(value)};
}

export function texts(name: string, values: readonly string[]): Attribute {
  return {name, type: AttributeType.STRINGS, strings: values.map(utf8)};
}

/** A constant of floats; without `dims` a vector. */
export function floatTensor(
  name: string,
  values: ArrayLike<number>,
  dims: readonly number[] = [values.length],
): Tensor {
  const rawData = new Uint8Array(4 * values.length);
  const view = new DataView(rawData.buffer);
  for (let at = 0; at < values.length; at++) view.setFloat32(4 * at, values[at] as number, true);
  return {name, dims: dims.map(BigInt), dataType: FLOAT, rawData};
}

/** A vector of 64-bit integers: a shape, axes, sizes. */
export function integerTensor(name: string, values: readonly number[]): Tensor {
  const rawData = new Uint8Array(8 * values.length);
  const view = new DataView(rawData.buffer);
  for (const [at, value] of values.entries()) view.setBigInt64(8 * at, BigInt(value), true);
  return {name, dims: [BigInt(values.length)], dataType: INT64, rawData};
}

/** An end of a graph: floats of this shape; a name stands for a size that each run chooses. */
export function floatInfo(name: string, dims: readonly (number | string)[]): ValueInfo {
  const dim = dims.map(size =>
    typeof size === 'string'
      ? {value: {case: 'dimParam' as const, value: size}}
      : {value: {case: 'dimValue' as const, value: BigInt(size)}},
  );
  return {name, type: {value: {case: 'tensorType', value: {elemType: FLOAT, shape: {dim}}}}};
}

/** An end of a graph: rows × columns floats. */
export function matrixInfo(name: string, columns: number): ValueInfo {
  return floatInfo(name, ['rows', columns]);
}

export type GraphParts = {
  readonly name: string;
  readonly nodes: readonly Node[];
  readonly constants: readonly Tensor[];
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
  /** Becomes ONNX metadata properties; lists are joined by commas. */
  readonly metadata?: Readonly<Record<string, string | number | readonly string[]>>;
  /** Whether operators of ai.onnx.ml 3 are among the nodes. */
  readonly trees?: boolean;
};

/** The bytes of the file; equal parts give equal bytes. */
export function encodeGraph(parts: GraphParts): Uint8Array {
  const file = create(ModelProtoSchema, {
    irVersion: 8n,
    producerName: 'forestay',
    opsetImport: [
      {domain: '', version: 17n},
      ...(parts.trees === true ? [{domain: 'ai.onnx.ml', version: 3n}] : []),
    ],
    metadataProps: Object.entries(parts.metadata ?? {}).map(([key, value]) => ({
      key,
      value: typeof value === 'object' ? value.join(',') : String(value),
    })),
    graph: {
      name: parts.name,
      node: [...parts.nodes],
      initializer: [...parts.constants],
      input: [...parts.inputs],
      output: [...parts.outputs],
    },
  });
  return toBinary(ModelProtoSchema, file);
}

function utf8(value: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(value);
}
