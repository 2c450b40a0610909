import {gradients} from './gradients.ts';
import {createGraph, type Value} from './graph.ts';
import {headOf, parameterCount, splitParameters, unrollLstm} from './lstm.ts';
import type {Network} from './network.ts';
import {inputsOf, type Normalisation, normaliseRows} from './normalisation.ts';
import {add, exp, gemm, logSoftmax, mul, reduceSum, zeros} from './operations.ts';
import {emptyFloats, openRunner} from './runtime.ts';
import {type Calibration, identityCalibration} from './temperature.ts';

/** Why a risk is what it is. */
export type Attribution = {
  /**
   * steps × columns: what each feature at each step adds to the risk. A feature's missing-twin
   * counts with it.
   */
  readonly parts: Float32Array;
  /**
   * The risk, and that of a host on which everything is as usual, and missing where this one has
   * never had it: see {@link openExplainer}.
   */
  readonly risk: number;
  readonly usual: number;
  /**
   * What the parts miss of risk − usual, as the path is walked in so many points: where it is
   * not small beside them, ask with more points.
   */
  readonly residual: number;
};

export type Explainer = {
  /**
   * @param samples steps × columns, raw, oldest first: a window, or the last samples of a stream,
   *   whose state before them is taken as zero.
   * @param classes Weights of the classes in the risk that is explained: 1 for those that it is
   *   the sum of, as a column of RISK_SUMS has them.
   */
  explain(samples: Float32Array, classes: readonly number[]): Promise<Attribution>;
  release(): Promise<void>;
};

const POINTS = 64;

/**
 * Integrated gradients of a network of classes: the gradient by every input, averaged along the
 * straight way from a host where everything is as usual to this one, times how far the input is from
 * usual. The parts add up to the difference of the two risks, but for the residual.
 *
 * A sensor that a host does not have is no reason for anything: the usual host lacks it as well. What
 * was there and has gone missing may be one: see {@link usualInputs}.
 * One run of the batch `points`: about 8 ms for 64 points × 60 steps × 16 inputs.
 *
 * @see M. Sundararajan, A. Taly, Q. Yan, "Axiomatic attribution for deep networks", ICML 2017.
 */
export async function openExplainer(
  network: Network,
  calibration: Calibration = identityCalibration(network.lstm.outputs),
  points = POINTS,
): Promise<Explainer> {
  const {lstm, normalisation, steps} = network;
  const {inputs: width, outputs} = lstm;
  const columns = normalisation.centre.length;
  // Both ends and the middles of equal pieces between them: midpoint rule.
  const rows = points + 2;
  const shares = Float32Array.from({length: rows}, (_, row) =>
    row < points ? (row + 0.5) / points : row - points,
  );
  const runner = await openRunner(encodeExplanation(network, calibration, rows), 'explain');
  const inputs = emptyFloats([steps * rows, width]);
  const risks = emptyFloats([rows, 1]);
  const slopes = emptyFloats(inputs.shape);
  return {
    async explain(samples, classes) {
      const ours = normaliseRows(samples, normalisation);
      const start = usualInputs(ours, normalisation);
      const away = ours.map((input, at) => input - (start[at] as number));
      for (let step = 0; step < steps; step++) {
        for (const [row, share] of shares.entries()) {
          for (let at = 0; at < width; at++) {
            const from = step * width + at;
            inputs.values[(step * rows + row) * width + at] =
              (start[from] as number) + share * (away[from] as number);
          }
        }
      }
      const theta = {values: network.theta, shape: [network.theta.length]};
      const picked = {values: Float32Array.from(classes), shape: [outputs, 1]};
      await runner.run({inputs, theta, picked}, {risks, slopes});
      const parts = new Float32Array(steps * columns);
      let explained = 0;
      for (let step = 0; step < steps; step++) {
        for (let at = 0; at < width; at++) {
          let slope = 0;
          for (let row = 0; row < points; row++) {
            slope += slopes.values[(step * rows + row) * width + at] as number;
          }
          const part = (slope / points) * (away[step * width + at] as number);
          const column = at < columns ? at : (normalisation.twins[at - columns] as number);
          const to = step * columns + column;
          parts[to] = (parts[to] as number) + part;
          explained += part;
        }
      }
      const [usual, risk] = risks.values.subarray(points) as unknown as [number, number];
      return {parts, risk, usual, residual: risk - usual - explained};
    },
    release: () => runner.release(),
  };
}

/**
 * Inputs of the usual host beside these: 0, and 1 for the missing-twin of every feature that was
 * missing at this step and at all before it.
 */
function usualInputs(ours: Float32Array, normalisation: Normalisation): Float32Array {
  const columns = normalisation.centre.length;
  const width = inputsOf(normalisation);
  const usual = new Float32Array(ours.length);
  for (const [at, input] of ours.entries()) {
    const isTwin = at % width >= columns;
    const wasThere = at >= width && usual[at - width] === 0;
    usual[at] = isTwin && !wasThere ? input : 0;
  }
  return usual;
}

function encodeExplanation(
  {lstm, steps}: Network,
  {scale, offset}: Calibration,
  rows: number,
): Uint8Array {
  const {hidden, inputs: width, outputs} = lstm;
  const graph = createGraph();
  const theta = graph.input('theta', [parameterCount(lstm)]);
  const inputs = graph.input('inputs', [steps * rows, width]);
  const picked = graph.input('picked', [outputs, 1]);
  const parameters = splitParameters(graph, theta, lstm);
  const zero = zeros(graph, [rows, hidden]);
  const {state} = unrollLstm(graph, parameters, inputs, {hidden: zero, cell: zero});
  const logits = headOf(graph, parameters, state.hidden);
  const scaled = mul(graph, logits, graph.constant(scale, [outputs]));
  const calibrated = add(graph, scaled, graph.constant(offset, [outputs]));
  const risks = gemm(graph, exp(graph, logSoftmax(graph, calibrated)), picked);
  // Rows do not touch each other, so the gradient of their sum is that of each.
  const [slopes] = gradients(graph, reduceSum(graph, risks), [inputs]);
  graph.output('risks', risks);
  graph.output('slopes', slopes as Value);
  return graph.encode('explain');
}
