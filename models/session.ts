import * as ort from 'onnxruntime-node';
import {ForestayError} from '../core/domain/errors.ts';
import {type LoadedModel, loadModel, type ModelGraph} from './load-model.ts';
import {flattenRows} from './manifest.ts';

/** A golden risk may differ by this much from one machine to another. */
const GOLDEN_TOLERANCE = 1e-5;

/**
 * One thread's session of a model. `run` blocks the thread it is called on, though it returns a
 * promise: never call it on a thread that has anything else to do, and never end a thread in it.
 */
export type ScoringSession = {
  readonly model: LoadedModel;
  /** Reads rows × featureCount of `features`, writes rows × components to `risks`. */
  run(rows: number, features: Float32Array, risks: Float32Array): Promise<void>;
  release(): Promise<void>;
};

/**
 * Loads a model into the ONNX runtime on one thread without spinning, and verifies that the
 * runtime gives the golden risks.
 *
 * @throws {ForestayError} Those of {@link loadModel}; `MODEL_UNREADABLE` if the runtime refuses
 *   the graph; `MODEL_SIGNATURE_MISMATCH` if it cannot take as many rows as there are;
 *   `SCORER_FAILED` if it computes something else.
 */
export async function openSession(modelPath: string): Promise<ScoringSession> {
  const model = await loadModel(modelPath);
  const {signature, graph} = model;
  const session = await createSession(model, modelPath);
  const {length: components} = signature.components;
  const whole = graph.width === components && graph.columns.every((column, at) => column === at);
  /** Of the graph, where not all of its columns are wanted. */
  let outputs = new Float32Array(0);
  const opened: ScoringSession = {
    model,
    async run(rows, features, risks) {
      if (!whole && outputs.length < rows * graph.width) {
        outputs = new Float32Array(rows * graph.width);
      }
      const given = whole ? risks : outputs.subarray(0, rows * graph.width);
      const input = new ort.Tensor('float32', features, [rows, signature.featureCount]);
      const output = new ort.Tensor('float32', given, [rows, graph.width]);
      await session.run({[graph.input]: input}, {[graph.output]: output});
      if (!whole) pickColumns(given, graph, rows, risks);
    },
    release: () => session.release(),
  };
  await tryRows(opened, modelPath);
  await verifyGolden(opened);
  return opened;
}

/** What a graph declares is not what it takes: the number of rows may be fixed, inputs be more. */
async function tryRows({model, run}: ScoringSession, path: string): Promise<void> {
  const {featureCount, components} = model.signature;
  for (const rows of [1, 3]) {
    const features = new Float32Array(rows * featureCount);
    const risks = new Float32Array(rows * components.length);
    await run(rows, features, risks).catch((cause: unknown) => {
      const {input, output} = model.graph;
      throw new ForestayError(
        'MODEL_SIGNATURE_MISMATCH',
        `cannot use model ${path}: it must take any number of rows of "${input}", nothing else, ` +
          `and give as many of "${output}"; with ${rows} it fails`,
        {details: {path, rows}, cause},
      );
    });
  }
}

function pickColumns(
  from: Float32Array,
  {width, columns}: ModelGraph,
  rows: number,
  to: Float32Array,
): void {
  let at = 0;
  for (let row = 0; row < rows; row++) {
    for (const column of columns) to[at++] = from[row * width + column] as number;
  }
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
