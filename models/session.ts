import * as ort from 'onnxruntime-node';
import {ForestayError} from '../core/domain/errors.ts';
import {FEATURE_COUNT} from '../core/domain/features.ts';
import {type LoadedModel, loadModel} from './load-model.ts';
import {flattenRows} from './manifest.ts';
import {INPUT, OUTPUT} from './onnx.ts';

/** A golden risk may differ by this much from one machine to another. */
const GOLDEN_TOLERANCE = 1e-5;

/**
 * One thread's session of a model. `run` blocks the thread it is called on, though it returns a
 * promise: never call it on a thread that has anything else to do, and never end a thread in it.
 */
export type ScoringSession = {
  readonly model: LoadedModel;
  /** Reads rows × FEATURE_COUNT of `features`, writes rows × components to `risks`. */
  run(rows: number, features: Float32Array, risks: Float32Array): Promise<void>;
  release(): Promise<void>;
};

/**
 * Loads a model into the ONNX runtime on one thread without spinning, and verifies that the
 * runtime gives the golden risks.
 *
 * @throws {ForestayError} Those of {@link loadModel}; `MODEL_UNREADABLE` if the runtime refuses
 *   the graph; `SCORER_FAILED` if it computes something else.
 */
export async function openSession(modelPath: string): Promise<ScoringSession> {
  const model = await loadModel(modelPath);
  const {signature} = model;
  const session = await createSession(model, modelPath);
  const opened: ScoringSession = {
    model,
    async run(rows, features, risks) {
      const input = new ort.Tensor('float32', features, [rows, FEATURE_COUNT]);
      const output = new ort.Tensor('float32', risks, [rows, signature.components.length]);
      await session.run({[INPUT]: input}, {[OUTPUT]: output});
    },
    release: () => session.release(),
  };
  await verifyGolden(opened);
  return opened;
}

function createSession(model: LoadedModel, path: string): Promise<ort.InferenceSession> {
  const options: ort.InferenceSession.SessionOptions = {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    extra: {session: {intra_op: {allow_spinning: '0'}}},
  };
  return ort.InferenceSession.create(model.bytes, options).catch((cause: unknown) => {
    throw new ForestayError(
      'MODEL_UNREADABLE',
      `cannot load model ${path} (${model.bytes.byteLength} bytes): the ONNX runtime refuses it; ` +
        'check its operators and opset',
      {details: {path}, cause},
    );
  });
}

async function verifyGolden(session: ScoringSession): Promise<void> {
  const {golden, signature} = session.model;
  if (golden === undefined || golden.features.length === 0) return;
  const rows = golden.features.length;
  const expected = golden.risks.flat();
  const risks = new Float32Array(rows * signature.components.length);
  await session.run(rows, flattenRows(golden.features), risks);
  for (const [index, risk] of risks.entries()) {
    const wanted = expected[index] ?? Number.NaN;
    if (Math.abs(risk - wanted) <= GOLDEN_TOLERANCE) continue;
    throw new ForestayError(
      'SCORER_FAILED',
      `cannot trust model ${signature.name}: golden row ${Math.floor(index / signature.components.length)} ` +
        `gives ${risk}, not ${wanted} (tolerance ${GOLDEN_TOLERANCE}); the model's folder or the ` +
        'ONNX runtime of this machine is damaged',
      {details: {model: signature.name, risk, wanted}},
    );
  }
}
