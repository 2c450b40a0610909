import {ForestayError} from '../../core/domain/errors.ts';
import type {OnTopOutcome} from '../manifest.ts';
import {sigmoid} from '../trees/forest.ts';
import {stackForests} from '../trees/stack.ts';
import type {TreeModel} from '../trees/tree-model.ts';
import {isGain, ON_TOP_SETTINGS, type OnTopFit, type OnTopRows} from './on-top.ts';

/** Fewer failures teach an output nothing that could be told from chance. */
export const FAILURES_MIN = 8;
/** Nodes of all trees, times those of the first model of a line. */
const GROWTH_MAX = 3;
/** Share of the trees below that may be added at once: a model that takes twice the time is refused. */
const ADDED_SHARE = 0.8;
/** With fewer trees there is nothing to be learned; a small model may have as many, however small. */
const ADDED_MIN = 10;
const NODES_A_TREE = 2 * ON_TOP_SETTINGS.leavesMax - 1;

export function nodesOf({forests}: TreeModel): number {
  return forests.reduce((sum, {feature}) => sum + feature.length, 0);
}

/**
 * Trees that each of some outputs may get.
 *
 * @param firstNodes Of the first model of the line.
 * @throws {ForestayError} `INVALID_ARGUMENT` if the line has grown as far as it may.
 */
export function roomFor(under: TreeModel, firstNodes: number, outputs: number): number {
  const nodes = nodesOf(under);
  const most = GROWTH_MAX * firstNodes;
  const trees = under.forests.reduce((sum, {roots}) => sum + roots.length, 0);
  const left = Math.floor((most - nodes) / NODES_A_TREE / outputs);
  if (left < ADDED_MIN) {
    throw new ForestayError(
      'INVALID_ARGUMENT',
      `cannot train on top of this model: its trees have ${nodes} nodes, and no more than ${most} are ` +
        `allowed, ${GROWTH_MAX} times those of the first of its line; train one anew, without ` +
        '--parent, or give an earlier one of the line',
      {details: {nodes, most, firstNodes}},
    );
  }
  return Math.min(left, Math.max(ADDED_MIN, Math.floor((ADDED_SHARE * trees) / outputs)));
}

/**
 * The model below with what was learned; an output that gained nothing is as it was.
 *
 * @param fits By output; undefined: not trained.
 */
export function assembleOnTop(
  under: TreeModel,
  fits: readonly (OnTopFit | undefined)[],
): TreeModel {
  const slopes = under.slopes.slice();
  const offsets = under.offsets.slice();
  const forests = under.forests.map((forest, output) => {
    const fit = fits[output];
    if (fit === undefined || !isGain(fit)) return forest;
    const slope = slopes[output] as number;
    const offset = offsets[output] as number;
    slopes[output] = 1;
    offsets[output] = 0;
    return stackForests(forest, {slope, offset}, fit.forest);
  });
  return {featureCount: under.featureCount, forests, slopes, offsets};
}

/** Risks of every row, rows × outputs, by trees that have not seen its host. */
export function heldRisks(
  {rows, outputs, start}: OnTopRows,
  fits: readonly (OnTopFit | undefined)[],
): Float32Array {
  const changed = fits.map(fit => (fit !== undefined && isGain(fit) ? fit.held : undefined));
  return Float32Array.from({length: rows * outputs}, (_, at) => {
    const held = changed[at % outputs]?.[Math.floor(at / outputs)];
    return sigmoid(held ?? (start[at] as number));
  });
}

export function describeOutcome(
  output: string,
  failures: number,
  fit: OnTopFit | undefined,
): OnTopOutcome {
  if (fit === undefined) {
    return {output, failures, trees: 0, before: null, after: null, gainAtLeast: null};
  }
  const {forest, losses, gain} = fit;
  const [before = Number.NaN] = losses;
  if (!isGain(fit)) return {output, failures, trees: 0, before, after: before, gainAtLeast: 0};
  const trees = forest.roots.length;
  return {output, failures, trees, before, after: losses[trees] as number, gainAtLeast: gain.lower};
}
