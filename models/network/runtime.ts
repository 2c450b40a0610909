import * as ort from 'onnxruntime-node';
import {ForestayError} from '../../core/domain/errors.ts';
import {type Shape, sizeOf} from './graph.ts';

/** Values of a tensor with its sizes. */
export type Floats = {readonly values: Float32Array; readonly shape: Shape};

/**
 * A graph in the ONNX runtime, on one thread. `run` blocks the thread that it is called on, though
 * it returns a promise: never end a thread in it.
 */
export type Runner = {
  /** Writes what the graph computes into the arrays given for its outputs. */
  run(
    inputs: Readonly<Record<string, Floats>>,
    outputs: Readonly<Record<string, Floats>>,
  ): Promise<void>;
  release(): Promise<void>;
};

/**
 * Loads the graph; about 100 µs a node.
 *
 * @throws {ForestayError} `MODEL_UNREADABLE` if the runtime refuses it; `run` throws
 *   `SCORER_FAILED` if it fails.
 */
export async function openRunner(bytes: Uint8Array, name: string): Promise<Runner> {
  const options: ort.InferenceSession.SessionOptions = {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    extra: {session: {intra_op: {allow_spinning: '0'}}},
  };
  const session = await ort.InferenceSession.create(bytes, options).catch((cause: unknown) => {
    throw new ForestayError(
      'MODEL_UNREADABLE',
      `cannot load network ${name} (${bytes.byteLength} bytes): the ONNX runtime refuses it; ` +
        'check its operators and opset',
      {details: {name}, cause},
    );
  });
  const compute: Runner['run'] = async (inputs, outputs) => {
    await session.run(tensorsOf(inputs), tensorsOf(outputs));
  };
  return {
    run: (inputs, outputs) =>
      compute(inputs, outputs).catch((cause: unknown) => {
        throw new ForestayError(
          'SCORER_FAILED',
          `network ${name} did not run; check the sizes of what it is given`,
          {details: {name}, cause},
        );
      }),
    release: () => session.release(),
  };
}

function tensorsOf(given: Readonly<Record<string, Floats>>): Record<string, ort.Tensor> {
  return Object.fromEntries(
    Object.entries(given).map(([name, {values, shape}]) => [
      name,
      new ort.Tensor('float32', values, shape),
    ]),
  );
}

/** Room for an output. */
export function emptyFloats(shape: Shape): Floats {
  return {values: new Float32Array(sizeOf(shape)), shape};
}
