/** Integrated gradients of a network as one ONNX file: raw samples in, the parts of a risk out. */
import {EXPLANATION} from '../../core/domain/intent-manifest.ts';
import {gradients} from './gradients.ts';
import {createGraph, type Graph, type Value} from './graph.ts';
import {headOf, parameterCount, splitParameters, unrollLstm} from './lstm.ts';
import type {Network} from './network.ts';
import type {ServedHead} from './network-onnx.ts';
import {inputsOf, type Normalisation} from './normalisation.ts';
import {
  add,
  concat,
  div,
  exp,
  expand,
  gemm,
  logSoftmax,
  mul,
  reduceSum,
  reshape,
  scalar,
  slice,
  sub,
  zeros,
} from './operations.ts';
import {identityCalibration} from './temperature.ts';

const FLOAT_CAST = 1;
const POINTS = 64;
/** Steps come first. */
const STEPS_AXIS = 0;

type ExplanationOptions = {
  /** Samples that are explained together; of a stream the last ones, its state before them is zero. */
  readonly steps: number;
  /** Of the way from a usual host to this one. */
  readonly points?: number;
};

/**
 * What openExplainer (attributions.ts) computes, with normalisation, way and mean in the graph, so
 * that it runs where only the ONNX runtime is.
 *
 * Inputs: `samples` steps × columns, raw, oldest first, NaN is missing; `picked` outputs × 1, how
 * much of each of the head's outputs is in the risk. Outputs: `parts` of the columns, summed over
 * the steps, a twin's with its feature; `risk`, `usual` and `residual` of one value each, which is
 * what the parts miss of risk − usual. A feature that is missing from the first of the samples on is
 * missing on the usual host too, and has no part; one that goes missing later has.
 */
export function encodeExplanation(
  network: Network,
  head: ServedHead,
  {steps, points = POINTS}: ExplanationOptions,
): Uint8Array {
  const {lstm, normalisation, theta} = network;
  const columns = normalisation.centre.length;
  const width = inputsOf(normalisation);
  const graph = createGraph();
  const samples = graph.input(EXPLANATION.samples, [steps, columns]);
  const picked = graph.input(EXPLANATION.picked, [head.outputs.length, 1]);
  const {ours, usual: start} = normalised(graph, samples, normalisation);
  const away = sub(graph, ours, start);
  // The middles of equal pieces of the way, then both of its ends: midpoint rule.
  const rows = points + 2;
  const shares = Float32Array.from({length: rows}, (_, row) =>
    row < points ? (row + 0.5) / points : row - points,
  );
  const moved = mul(
    graph,
    reshape(graph, away, [steps, 1, width]),
    graph.constant(shares, [1, rows, 1]),
  );
  const onWay = add(graph, reshape(graph, start, [steps, 1, width]), moved);
  const inputs = reshape(graph, onWay, [steps * rows, width]);
  const parameters = splitParameters(graph, graph.constant(theta, [parameterCount(lstm)]), lstm);
  const zero = zeros(graph, [rows, lstm.hidden]);
  const {state} = unrollLstm(graph, parameters, inputs, {hidden: zero, cell: zero});
  const risks = servedRisks(graph, headOf(graph, parameters, state.hidden), head, picked);
  // Rows do not touch each other, so the gradient of their sum is that of each.
  const [slopes] = gradients(graph, reduceSum(graph, risks), [inputs]);
  const walked = slice(graph, reshape(graph, slopes as Value, [steps, rows, width]), 0, points, 1);
  const mean = div(graph, reduceSum(graph, walked, [1]), scalar(graph, points));
  const ofInputs = reduceSum(graph, mul(graph, mean, away), [0]);
  const folded = gemm(graph, reshape(graph, ofInputs, [1, width]), folding(graph, normalisation));
  const parts = reshape(graph, folded, [columns]);
  const usual = reshape(graph, slice(graph, risks, points, points + 1, 0), [1]);
  const risk = reshape(graph, slice(graph, risks, points + 1, rows, 0), [1]);
  const sum = reshape(graph, reduceSum(graph, parts), [1]);
  graph.output(EXPLANATION.parts, parts);
  graph.output(EXPLANATION.risk, risk);
  graph.output(EXPLANATION.usual, usual);
  graph.output(EXPLANATION.residual, sub(graph, sub(graph, risk, usual), sum));
  return graph.encode('explain');
}

/** As normaliseRows and usualInputs (attributions.ts) have them. No gradient goes through them. */
function normalised(
  graph: Graph,
  samples: Value,
  normalisation: Normalisation,
): {ours: Value; usual: Value} {
  const {centre, scale, lowest, highest, twins} = normalisation;
  const [steps, columns] = samples.shape as [number, number];
  const apply = (opType: string, inputs: Value[], attributes = {}, shape = samples.shape): Value =>
    graph.apply({opType, inputs, shapes: [shape], attributes})[0] as Value;
  const ofColumns = (values: Float32Array) => graph.constant(values, [columns]);
  const missing = apply('IsNaN', [samples]);
  const scaled = div(graph, sub(graph, samples, ofColumns(centre)), ofColumns(scale));
  const filled = apply('Where', [missing, scalar(graph, 0), scaled]);
  const raised = apply('Max', [filled, ofColumns(lowest)]);
  const clipped = apply('Min', [raised, ofColumns(highest)]);
  const plain = zeros(graph, samples.shape);
  if (twins.length === 0) return {ours: clipped, usual: plain};
  const own = [steps, twins.length];
  const missingTwins = apply('Gather', [missing, graph.integers(twins)], {axis: 1}, own);
  const twinInputs = apply('Cast', [missingTwins], {to: FLOAT_CAST}, own);
  const one = scalar(graph, 1);
  const axis = graph.integers([STEPS_AXIS]);
  const seen = apply('CumSum', [sub(graph, one, twinInputs), axis], {}, own);
  const neverSeen = sub(graph, one, apply('Min', [seen, one], {}, own));
  return {
    ours: concat(graph, [clipped, twinInputs], 1),
    usual: concat(graph, [plain, neverSeen], 1),
  };
}

/** rows × 1: the picked outputs of the calibrated head. */
function servedRisks(
  graph: Graph,
  logits: Value,
  {outputs, sums, calibration}: ServedHead,
  picked: Value,
): Value {
  const [rows, classes] = logits.shape as [number, number];
  const {scale, offset} = calibration ?? identityCalibration(classes);
  const scaled = mul(graph, logits, graph.constant(scale, [classes]));
  const moved = add(
    graph,
    scaled,
    expand(graph, graph.constant(offset, [classes]), [rows, classes]),
  );
  const weights =
    sums === undefined
      ? picked
      : gemm(graph, graph.constant(sums.flat(), [classes, outputs.length]), picked);
  return gemm(graph, exp(graph, logSoftmax(graph, moved)), weights);
}

/** inputs × columns: each feature's own part and its twin's. */
function folding(graph: Graph, normalisation: Normalisation): Value {
  const columns = normalisation.centre.length;
  const width = inputsOf(normalisation);
  const ones = new Float32Array(width * columns);
  for (let input = 0; input < width; input++) {
    const column = input < columns ? input : (normalisation.twins[input - columns] as number);
    ones[input * columns + column] = 1;
  }
  return graph.constant(ones, [width, columns]);
}
