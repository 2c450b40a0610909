import * as ort from 'onnxruntime-node';
import {ForestayError} from '../core/domain/errors.ts';
import {INTENT_GOLDEN_TOLERANCE} from '../core/domain/intent-fit.ts';
import {EXPLANATION, type IntentManifest, PREDICTION} from '../core/domain/intent-manifest.ts';
import {type IntentArtefact, readIntentArtefact} from './intent-artefact.ts';

/** What the metrics add to a risk over the steps that were looked at. */
export type IntentParts = {
  /** Of each input; they add up to risk − usual − residual. */
  readonly parts: Float32Array;
  readonly risk: number;
  /** Of a host on which everything is as usual. */
  readonly usual: number;
  readonly residual: number;
};

/**
 * The reboot-intent model in the ONNX runtime, on the thread that it was opened on. Every call
 * blocks that thread, though it returns a promise: never end a thread in it.
 */
export type IntentModel = {
  readonly manifest: IntentManifest;
  /** Values of a state; all zero for a host that begins. */
  readonly stateLength: number;
  /** The risks after a row of inputs, valid until the next call; moves `state` on in place. */
  next(row: Float32Array, state: Float32Array): Promise<Float32Array>;
  /** @param samples The last explainSteps rows; @param output Column of the manifest's outputs. */
  explain(samples: Float32Array, output: number): Promise<IntentParts>;
  release(): Promise<void>;
};

/**
 * Loads the model of a folder and verifies that the runtime gives its golden risks. What explains is
 * loaded when it is first asked for: hosts that are well never pay for it.
 *
 * @throws {ForestayError} Those of {@link readIntentArtefact}; `MODEL_UNREADABLE` if the runtime
 *   refuses a graph; `MODEL_SIGNATURE_MISMATCH` if it is another than the manifest says;
 *   `SCORER_FAILED` if it computes something else.
 */
export async function openIntentModel(folder: string): Promise<IntentModel> {
  const artefact = await readIntentArtefact(folder);
  const {manifest} = artefact;
  const columns = manifest.inputs.length;
  const stateLength = 2 * manifest.hidden;
  const session = await createSession(artefact, 'model.onnx', artefact.model);
  const row = new Float32Array(columns);
  const state = new Float32Array(stateLength);
  const risks = new Float32Array(manifest.outputs.length);
  const nextState = new Float32Array(stateLength);
  const matrix = (values: Float32Array) => new ort.Tensor('float32', values, [1, values.length]);
  const inputs = {[PREDICTION.features]: matrix(row), [PREDICTION.state]: matrix(state)};
  const outputs = {[PREDICTION.risks]: matrix(risks), [PREDICTION.nextState]: matrix(nextState)};
  const explainer = openExplainer(artefact);
  const model: IntentModel = {
    manifest,
    stateLength,
    async next(ofRow, ofState) {
      row.set(ofRow);
      state.set(ofState);
      await session.run(inputs, outputs).catch((cause: unknown) => {
        throw unlike(artefact, 'model.onnx', cause);
      });
      ofState.set(nextState);
      return risks;
    },
    explain: explainer.explain,
    async release() {
      await session.release();
      await explainer.release();
    },
  };
  await verifyGolden(artefact, model);
  return model;
}

/** Loaded by the first explanation, which takes so much longer. */
function openExplainer(artefact: IntentArtefact): Pick<IntentModel, 'explain' | 'release'> {
  const {manifest, explain: bytes} = artefact;
  const columns = manifest.inputs.length;
  let opening: Promise<ort.InferenceSession> | undefined;
  const room = (length: number) => new ort.Tensor('float32', new Float32Array(length), [length]);
  // By the names of EXPLANATION.
  const outputs = {parts: room(columns), risk: room(1), usual: room(1), residual: room(1)};
  return {
    async explain(samples, output) {
      opening ??= createSession(artefact, 'explain.onnx', bytes);
      const session = await opening;
      const picked = Float32Array.from(manifest.outputs, (_, at) => Number(at === output));
      const shape = [manifest.explainSteps, columns];
      const inputs = {
        [EXPLANATION.samples]: new ort.Tensor('float32', samples, shape),
        [EXPLANATION.picked]: new ort.Tensor('float32', picked, [picked.length, 1]),
      };
      await session.run(inputs, outputs).catch((cause: unknown) => {
        throw unlike(artefact, 'explain.onnx', cause);
      });
      return {
        parts: outputs.parts.data.slice(),
        risk: outputs.risk.data[0] as number,
        usual: outputs.usual.data[0] as number,
        residual: outputs.residual.data[0] as number,
      };
    },
    async release() {
      await opening?.then(
        session => session.release(),
        () => {},
      );
    },
  };
}

function createSession(
  {folder}: IntentArtefact,
  name: string,
  bytes: Uint8Array,
): Promise<ort.InferenceSession> {
  const options: ort.InferenceSession.SessionOptions = {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    // Explanations are seldom: what they needed is given back, 20 MiB and more.
    enableCpuMemArena: name === 'model.onnx',
    enableMemPattern: name === 'model.onnx',
    executionMode: 'sequential',
    extra: {session: {intra_op: {allow_spinning: '0'}}},
  };
  return ort.InferenceSession.create(bytes, options).catch((cause: unknown) => {
    throw new ForestayError(
      'MODEL_UNREADABLE',
      `cannot load ${name} of ${folder} (${bytes.byteLength} bytes): the ONNX runtime refuses it; ` +
        'check its operators and opset',
      {details: {folder, name}, cause},
    );
  });
}

/** The manifest's sizes and the graph's are checked by nothing but a run. */
function unlike({folder}: IntentArtefact, name: string, cause: unknown): ForestayError {
  return new ForestayError(
    'MODEL_SIGNATURE_MISMATCH',
    `cannot use ${name} of ${folder}: it does not take and give what its manifest says; take the ` +
      'model of this version, train it again, or use --intent-model off',
    {details: {folder, name}, cause},
  );
}

async function verifyGolden({folder, golden}: IntentArtefact, model: IntentModel): Promise<void> {
  const state = new Float32Array(model.stateLength);
  for (const [at, row] of golden.rows.entries()) {
    const values = Float32Array.from(row, value => value ?? Number.NaN);
    const risks = await model.next(values, state);
    for (const [output, wanted] of (golden.risks[at] ?? []).entries()) {
      const risk = risks[output] as number;
      if (Math.abs(risk - wanted) <= INTENT_GOLDEN_TOLERANCE) continue;
      throw new ForestayError(
        'SCORER_FAILED',
        `cannot trust the reboot-intent model in ${folder}: golden row ${at} gives ${risk}, not ` +
          `${wanted} (tolerance ${INTENT_GOLDEN_TOLERANCE}); its folder or the ONNX runtime of this ` +
          'machine is damaged',
        {details: {folder, risk, wanted}},
      );
    }
  }
}
