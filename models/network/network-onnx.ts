/** A trained network as an ONNX file that takes raw features and gives calibrated risks. */
import {
  encodeGraph,
  floatTensor,
  int,
  integerTensor,
  ints,
  matrixInfo,
  type Node,
  type Tensor,
} from '../onnx-graph.ts';
import {sizeOf} from './graph.ts';
import {parameterShapes} from './lstm.ts';
import {type Network, outputsOf} from './network.ts';
import {type Calibration, identityCalibration} from './temperature.ts';

/** Names of the graph's ends; the states are only those of a stream. */
export const ENDS = {
  features: 'features',
  risks: 'risks',
  state: 'state',
  nextState: 'nextState',
} as const;

export type ServedHead = {
  /** Of the columns of `risks`. */
  readonly outputs: readonly string[];
  /** classes × outputs: each output is a sum of probabilities; without it they are the classes. */
  readonly sums?: readonly (readonly number[])[];
  readonly calibration?: Calibration;
};

const FLOAT_CAST = 1;

/**
 * The network as an ONNX file (IR 8, ai.onnx 17); equal networks give equal bytes.
 *
 * Of a window: `features` rows × (steps · columns), oldest sample first. Of a stream: `features`
 * rows × columns and `state` rows × 2 · hidden, zeros for a host that begins; `nextState` is to be
 * given with its next sample. `risks` is rows × outputs. NaN is missing. Metadata properties:
 * `form`, `steps`, `columns`, `hidden`, `outputs`, and those given.
 */
export function encodeNetwork(
  network: Network,
  head: ServedHead,
  metadata: Readonly<Record<string, string | number | readonly string[]>> = {},
): Uint8Array {
  const {form, steps, lstm, normalisation} = network;
  const columns = normalisation.centre.length;
  const isStream = form === 'stream';
  const {nodes, constants} = isStream ? streamLayer(network) : windowLayer(network);
  const served = headNodes(network, head);
  const stateEnd = (name: string) => (isStream ? [matrixInfo(name, 2 * lstm.hidden)] : []);
  return encodeGraph({
    name: `lstm-${form}`,
    nodes: [...nodes, ...served.nodes],
    constants: [...weightsOf(network), ...constants, ...served.constants],
    inputs: [
      matrixInfo(ENDS.features, isStream ? columns : steps * columns),
      ...stateEnd(ENDS.state),
    ],
    outputs: [matrixInfo(ENDS.risks, head.outputs.length), ...stateEnd(ENDS.nextState)],
    metadata: {
      form,
      steps,
      columns,
      hidden: lstm.hidden,
      outputs: head.outputs,
      ...metadata,
    },
  });
}

type Parts = {nodes: Node[]; constants: Tensor[]};

/** `samples` of steps × rows × columns into `inputs`, as normaliseRows has it. */
function inputNodes({normalisation}: Network): Parts {
  const {centre, scale, lowest, highest, twins} = normalisation;
  const hasTwins = twins.length > 0;
  const twinNodes: Node[] = [
    {
      opType: 'Gather',
      input: ['missing', 'twins'],
      output: ['missingTwins'],
      attribute: [int('axis', 2)],
    },
    {
      opType: 'Cast',
      input: ['missingTwins'],
      output: ['twinInputs'],
      attribute: [int('to', FLOAT_CAST)],
    },
    {
      opType: 'Concat',
      input: ['clipped', 'twinInputs'],
      output: ['inputs'],
      attribute: [int('axis', 2)],
    },
  ];
  return {
    nodes: [
      {opType: 'IsNaN', input: ['samples'], output: ['missing']},
      {opType: 'Sub', input: ['samples', 'centre'], output: ['moved']},
      {opType: 'Div', input: ['moved', 'scale'], output: ['scaled']},
      {opType: 'Where', input: ['missing', 'zero', 'scaled'], output: ['filled']},
      {opType: 'Max', input: ['filled', 'lowest'], output: ['raised']},
      {
        opType: 'Min',
        input: ['raised', 'highest'],
        output: [hasTwins ? 'clipped' : 'inputs'],
      },
      ...(hasTwins ? twinNodes : []),
    ],
    constants: [
      floatTensor('centre', centre),
      floatTensor('scale', scale),
      floatTensor('zero', [0], []),
      floatTensor('lowest', lowest),
      floatTensor('highest', highest),
      ...(hasTwins ? [integerTensor('twins', twins)] : []),
    ],
  };
}

function windowLayer(network: Network): Parts {
  const {steps, normalisation, lstm} = network;
  const read = inputNodes(network);
  return {
    nodes: [
      {opType: 'Reshape', input: [ENDS.features, 'windowShape'], output: ['windows']},
      {
        opType: 'Transpose',
        input: ['windows'],
        output: ['samples'],
        attribute: [ints('perm', [1, 0, 2])],
      },
      ...read.nodes,
      {
        opType: 'LSTM',
        input: ['inputs', 'w', 'r', 'b'],
        output: ['', 'lastHidden'],
        attribute: [int('hidden_size', lstm.hidden)],
      },
      {opType: 'Squeeze', input: ['lastHidden', 'first'], output: ['hidden']},
    ],
    constants: [
      ...read.constants,
      integerTensor('windowShape', [-1, steps, normalisation.centre.length]),
      integerTensor('first', [0]),
    ],
  };
}

function streamLayer(network: Network): Parts {
  const {hidden} = network.lstm;
  const read = inputNodes(network);
  const lift = (from: string, to: string): Node => ({
    opType: 'Unsqueeze',
    input: [from, 'first'],
    output: [to],
  });
  const drop = (from: string, to: string): Node => ({
    opType: 'Squeeze',
    input: [from, 'first'],
    output: [to],
  });
  return {
    nodes: [
      lift(ENDS.features, 'samples'),
      ...read.nodes,
      lift(ENDS.state, 'states'),
      {
        opType: 'Split',
        input: ['states', 'halves'],
        output: ['oldHidden', 'oldCell'],
        attribute: [int('axis', 2)],
      },
      {
        opType: 'LSTM',
        input: ['inputs', 'w', 'r', 'b', '', 'oldHidden', 'oldCell'],
        output: ['', 'lastHidden', 'lastCell'],
        attribute: [int('hidden_size', hidden)],
      },
      drop('lastHidden', 'hidden'),
      drop('lastCell', 'cell'),
      {
        opType: 'Concat',
        input: ['hidden', 'cell'],
        output: [ENDS.nextState],
        attribute: [int('axis', 1)],
      },
    ],
    constants: [
      ...read.constants,
      integerTensor('first', [0]),
      integerTensor('halves', [hidden, hidden]),
    ],
  };
}

function headNodes({task}: Network, {sums, calibration}: ServedHead): Parts {
  const logits: Node = {
    opType: 'Gemm',
    input: ['hidden', 'head', 'headBias'],
    output: [task.kind === 'classes' ? 'logits' : ENDS.risks],
  };
  if (task.kind !== 'classes') return {nodes: [logits], constants: []};
  const {scale, offset} = calibration ?? identityCalibration(task.classes);
  const isSummed = sums !== undefined;
  return {
    nodes: [
      logits,
      {opType: 'Mul', input: ['logits', 'calibrationScale'], output: ['scaledLogits']},
      {opType: 'Add', input: ['scaledLogits', 'calibrationOffset'], output: ['calibrated']},
      {
        opType: 'Softmax',
        input: ['calibrated'],
        output: [isSummed ? 'classes' : ENDS.risks],
        attribute: [int('axis', 1)],
      },
      ...(isSummed ? [{opType: 'MatMul', input: ['classes', 'sums'], output: [ENDS.risks]}] : []),
    ],
    constants: [
      floatTensor('calibrationScale', scale),
      floatTensor('calibrationOffset', offset),
      ...(isSummed ? [floatTensor('sums', sums.flat(), [task.classes, sums[0]?.length ?? 0])] : []),
    ],
  };
}

/** The parts of theta as the LSTM operator wants them: turned, with a second bias of zeros. */
function weightsOf({lstm, theta, task}: Network): Tensor[] {
  const {inputs, hidden} = lstm;
  const shapes = parameterShapes(lstm);
  let from = 0;
  const [input, recurrent, bias, head, headBias] = Object.values(shapes).map(shape => {
    const part = theta.subarray(from, from + sizeOf(shape));
    from += part.length;
    return part;
  }) as [Float32Array, Float32Array, Float32Array, Float32Array, Float32Array];
  const gates = 4 * hidden;
  return [
    floatTensor('w', turned(input, inputs, gates), [1, gates, inputs]),
    floatTensor('r', turned(recurrent, hidden, gates), [1, gates, hidden]),
    floatTensor('b', [...bias, ...new Float32Array(gates)], [1, 2 * gates]),
    floatTensor('head', head, [hidden, outputsOf(task)]),
    floatTensor('headBias', headBias),
  ];
}

function turned(values: Float32Array, rows: number, columns: number): Float32Array {
  return Float32Array.from(values, (_, at) => {
    return values[(at % rows) * columns + Math.floor(at / rows)] as number;
  });
}
