import {ForestayError} from '../../core/domain/errors.ts';
import {fitPlatt, type Platt} from '../platt.ts';
import {type BinnedTable, binTable} from '../trees/bins.ts';
import {BOOSTING_DEFAULTS, trainForest} from '../trees/boosting.ts';
import {type Forest, marginOf} from '../trees/forest.ts';
import type {TreeModel} from '../trees/tree-model.ts';
import {type FailureData, featureCountOf, labelsOf, sliceData, UNKNOWN} from './data.ts';
import type {FailureOutput} from './family.ts';
import type {FailureSettings} from './settings.ts';
import {directionsOf} from './symptoms.ts';

/** Bins a feature: finer ones gave no better trees. */
const BINS_MAX = 63;
/** A fold of the search judges, the others teach. */
export const FOLDS = 3;
/** Between the seeds of two turns. */
const TURN_SEEDS = 7919;

/** One output's forest with its calibration, and how it was learned. */
export type FittedOutput = {
  readonly forest: Forest;
  readonly platt: Platt;
  readonly trainLoss: readonly number[];
  readonly validationLoss: readonly number[];
};

/** Data with all its rows coded once, for as many trainings as are wanted. */
export type FailureTrainer = {
  /**
   * Loss of an output on one fold of hosts, learned from a share of the hosts of the others. Trees
   * stop by the fold that judges them: equally flattering to all that are compared.
   */
  evaluate(output: number, settings: FailureSettings, fold: number, share: number): number;
  /**
   * Learns from the first hosts, stops by the next, calibrates by the last.
   *
   * @param turn Other hosts for each, and other draws: how much the outcome owes to chance.
   */
  fit(output: number, settings: FailureSettings, turn?: number): FittedOutput;
};

/**
 * Equal data, settings and seed give equal forests, whatever was asked before.
 *
 * @throws {ForestayError} `TRAINING_DATA_INVALID`.
 */
export function createFailureTrainer(data: FailureData, seed: number): FailureTrainer {
  const slices = sliceData(data);
  const width = featureCountOf(data);
  let coded: BinnedTable | undefined;
  const tableOf = () => {
    coded ??= binTable(data.features, width, slices.train, BINS_MAX);
    return coded;
  };
  const optionsOf = ({monotone, ...settings}: FailureSettings, output: number, turn = 0) => {
    const {component} = data.outputs[output] as FailureOutput;
    return {
      ...BOOSTING_DEFAULTS,
      ...settings,
      ...(monotone === 0 ? {} : {monotone: directionsOf(component, data.contract)}),
      seed: (seed + turn * TURN_SEEDS) * data.outputs.length + output,
    };
  };
  const rankOf = ranksOfGroups(data.group);
  return {
    evaluate(output, settings, fold, share) {
      const labels = labelsOf(data, output);
      const groups = rankOf.size;
      const every = Math.round(1 / share);
      const [train, validation] = [false, true].map(judges =>
        rowsWhere(data, row => {
          if (labels[row] === UNKNOWN) return false;
          const rank = rankOf.get(data.group[row] as number) as number;
          const judged = Math.floor((rank * FOLDS) / groups) === fold;
          return judged === judges && (judges || rank % every === 0);
        }),
      ) as [Int32Array, Int32Array];
      if (train.length === 0) return Number.NaN;
      const input = {table: tableOf(), labels, train, validation};
      const {validationLoss} = trainForest(input, optionsOf(settings, output));
      return Math.min(...validationLoss);
    },
    fit(output, settings, turn = 0) {
      const labels = labelsOf(data, output);
      const known = (rows: Int32Array) => rows.filter(row => labels[row] !== UNKNOWN);
      const turned = turn === 0 ? slices : sliceData(data, turn);
      const [train, validation, calibration] = [
        known(turned.train),
        known(turned.validation),
        known(turned.calibration),
      ];
      requireRows((data.outputs[output] as FailureOutput).name, train.length);
      const input = {table: tableOf(), labels, train, validation};
      const {forest, trainLoss, validationLoss} = trainForest(
        input,
        optionsOf(settings, output, turn),
      );
      const margins = Float64Array.from(calibration, row =>
        marginOf(forest, data.features, row * width),
      );
      const outcomes = Uint8Array.from(calibration, row => labels[row] as number);
      return {forest, platt: fitPlatt(margins, outcomes), trainLoss, validationLoss};
    },
  };
}

/** The outputs as one model. */
export function assembleModel(featureCount: number, fitted: readonly FittedOutput[]): TreeModel {
  return {
    featureCount,
    forests: fitted.map(({forest}) => forest),
    slopes: Float32Array.from(fitted, ({platt}) => platt.slope),
    offsets: Float32Array.from(fitted, ({platt}) => platt.offset),
  };
}

function ranksOfGroups(group: Int32Array): Map<number, number> {
  return new Map([...new Set(group)].sort((a, b) => a - b).map((each, rank) => [each, rank]));
}

function rowsWhere({rows}: FailureData, wanted: (row: number) => boolean): Int32Array {
  return Int32Array.from({length: rows}, (_, row) => row).filter(wanted);
}

function requireRows(output: string, rows: number): void {
  if (rows > 0) return;
  throw new ForestayError(
    'TRAINING_DATA_INVALID',
    `cannot train ${output}: the outcome of none of the rows is known; give more fleets or longer ones`,
    {details: {output}},
  );
}
