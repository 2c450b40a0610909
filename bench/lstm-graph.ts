import {create, type MessageInitShape, toBinary} from '@bufbuild/protobuf';
import type {Random} from '../core/ports.ts';
import {FLOAT, INPUT, OUTPUT} from '../models/trees/tree-onnx.ts';
import {
  AttributeProto_AttributeType as AttributeType,
  ModelProtoSchema,
  type NodeProtoSchema,
  type TensorProtoSchema,
  type ValueInfoProtoSchema,
} from '../proto/gen/onnx/v1/onnx_pb.ts';

const INT64 = 7;

export type LstmShape = {
  /** steps × inputs values a row. */
  steps: number;
  inputs: number;
  hidden: number;
  components: readonly string[];
  featureHash: number;
};

type Node = MessageInitShape<typeof NodeProtoSchema>;
type Tensor = MessageInitShape<typeof TensorProtoSchema>;

/**
 * An LSTM with drawn weights as an ONNX file that the scorer loads: rows of steps × inputs, one
 * layer, a linear head, a sigmoid a component. It predicts nothing; it costs what an LSTM costs.
 */
export function encodeLstm(shape: LstmShape, random: Random): Uint8Array {
  const {steps, inputs, hidden, components, featureHash} = shape;
  const outputs = components.length;
  const draw = (name: string, ...dims: number[]) => weights(name, dims, random.fork(name));
  const nodes: Node[] = [
    {opType: 'Reshape', input: [INPUT, 'shape'], output: ['sequences']},
    {
      opType: 'Transpose',
      input: ['sequences'],
      output: ['steps'],
      attribute: [{name: 'perm', type: AttributeType.INTS, ints: [1n, 0n, 2n]}],
    },
    {
      opType: 'LSTM',
      input: ['steps', 'w', 'r', 'b'],
      output: ['', 'last'],
      attribute: [{name: 'hidden_size', type: AttributeType.INT, i: BigInt(hidden)}],
    },
    {opType: 'Squeeze', input: ['last', 'direction'], output: ['state']},
    {opType: 'Gemm', input: ['state', 'head', 'bias'], output: ['margins']},
    {opType: 'Sigmoid', input: ['margins'], output: [OUTPUT]},
  ];
  const file = create(ModelProtoSchema, {
    irVersion: 8n,
    producerName: 'forestay',
    opsetImport: [{domain: '', version: 17n}],
    metadataProps: [
      {key: 'name', value: `lstm-${steps}x${inputs}-${hidden}`},
      {key: 'featureHash', value: String(featureHash)},
      {key: 'components', value: components.join(',')},
    ],
    graph: {
      name: 'lstm',
      node: nodes,
      initializer: [
        integers('shape', [-1, steps, inputs]),
        integers('direction', [0]),
        draw('w', 1, 4 * hidden, inputs),
        draw('r', 1, 4 * hidden, hidden),
        draw('b', 1, 8 * hidden),
        draw('head', hidden, outputs),
        draw('bias', outputs),
      ],
      input: [matrix(INPUT, steps * inputs)],
      output: [matrix(OUTPUT, outputs)],
    },
  });
  return toBinary(ModelProtoSchema, file);
}

function weights(name: string, dims: readonly number[], random: Random): Tensor {
  const count = dims.reduce((product, dim) => product * dim, 1);
  const values = Float32Array.from({length: count}, () => (random.next() - 0.5) / 4);
  return {name, dims: dims.map(BigInt), dataType: FLOAT, rawData: new Uint8Array(values.buffer)};
}

function integers(name: string, values: readonly number[]): Tensor {
  const rawData = new Uint8Array(BigInt64Array.from(values, BigInt).buffer);
  return {name, dims: [BigInt(values.length)], dataType: INT64, rawData};
}

function matrix(name: string, columns: number): MessageInitShape<typeof ValueInfoProtoSchema> {
  const dim = [
    {value: {case: 'dimParam' as const, value: 'rows'}},
    {value: {case: 'dimValue' as const, value: BigInt(columns)}},
  ];
  return {name, type: {value: {case: 'tensorType', value: {elemType: FLOAT, shape: {dim}}}}};
}
