import {fromBinary} from '@bufbuild/protobuf';
import {ForestayError} from '../../core/domain/errors.ts';
import {ModelProtoSchema} from '../../proto/gen/onnx/v1/onnx_pb.ts';
import type {NetworkForm} from './network.ts';
import {ENDS} from './network-onnx.ts';
import {openRunner} from './runtime.ts';

/** What the file says of itself. */
export type NetworkSignature = {
  readonly form: NetworkForm;
  /** Samples of a window; of a stream each call takes one. */
  readonly steps: number;
  /** Features of a sample. */
  readonly columns: number;
  readonly hidden: number;
  readonly outputs: readonly string[];
};

/** One thread's session of a network. `run` blocks the thread: never end a thread in it. */
export type NetworkSession = {
  readonly signature: NetworkSignature;
  /**
   * Writes rows × outputs to `risks`. Of a window `features` is rows × (steps · columns), oldest
   * sample first; of a stream rows × columns, and `state` rows × 2 · hidden is moved on in place.
   */
  run(
    rows: number,
    features: Float32Array,
    risks: Float32Array,
    state?: Float32Array,
  ): Promise<void>;
  release(): Promise<void>;
};

/**
 * Opens a file that {@link import('./network-onnx.ts').encodeNetwork} wrote.
 *
 * @throws {ForestayError} `MODEL_UNREADABLE` for another file; `run` throws `INVALID_ARGUMENT` for
 *   a stream without state, and `SCORER_FAILED`.
 */
export async function openNetwork(bytes: Uint8Array): Promise<NetworkSession> {
  const signature = readSignature(bytes);
  const {form, steps, columns, hidden, outputs} = signature;
  const runner = await openRunner(bytes, `lstm-${form}`);
  let next = new Float32Array(0);
  return {
    signature,
    async run(rows, features, risks, state) {
      const told = {[ENDS.risks]: {values: risks, shape: [rows, outputs.length]}};
      if (form === 'window') {
        const windows = {values: features, shape: [rows, steps * columns]};
        return runner.run({[ENDS.features]: windows}, told);
      }
      if (state === undefined) throw noState(hidden);
      if (next.length !== state.length) next = new Float32Array(state.length);
      const shape = [rows, 2 * hidden];
      await runner.run(
        {
          [ENDS.features]: {values: features, shape: [rows, columns]},
          [ENDS.state]: {values: state, shape},
        },
        {...told, [ENDS.nextState]: {values: next, shape}},
      );
      state.set(next);
    },
    release: () => runner.release(),
  };
}

function readSignature(bytes: Uint8Array): NetworkSignature {
  let metadata: ReadonlyMap<string, string>;
  try {
    const {metadataProps} = fromBinary(ModelProtoSchema, bytes);
    metadata = new Map(metadataProps.map(({key, value}) => [key, value]));
  } catch (cause) {
    throw notANetwork(bytes, 'it is not an ONNX file', cause);
  }
  const form = metadata.get('form');
  const [steps, columns, hidden] = ['steps', 'columns', 'hidden'].map(key => {
    const value = Number(metadata.get(key));
    if (Number.isInteger(value) && value > 0) return value;
    throw notANetwork(bytes, `its property ${key} is ${metadata.get(key) ?? 'not there'}`);
  }) as [number, number, number];
  if (form !== 'window' && form !== 'stream') {
    throw notANetwork(bytes, `its property form is ${form ?? 'not there'}`);
  }
  return {form, steps, columns, hidden, outputs: metadata.get('outputs')?.split(',') ?? []};
}

function notANetwork(bytes: Uint8Array, reason: string, cause?: unknown): ForestayError {
  return new ForestayError(
    'MODEL_UNREADABLE',
    `cannot open a network of ${bytes.byteLength} bytes: ${reason}; give a file that was trained here`,
    {cause},
  );
}

function noState(hidden: number): ForestayError {
  return new ForestayError(
    'INVALID_ARGUMENT',
    `a stream needs a state of ${2 * hidden} values a row; give zeros for one that begins`,
  );
}
