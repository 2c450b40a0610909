/** A small model of failure, of what failing parts show of themselves, and how good it is. */
import {COMPONENTS} from '../../core/domain/components.ts';
import {directionsOf} from '../../models/failure/symptoms.ts';
import {readLedger} from '../../models/learning/event-ledger.ts';
import {type LabelledOutcome, labelRows} from '../../models/learning/labels.ts';
import {weighExamples} from '../../models/learning/weighted-examples.ts';
import {averagePrecision, logLoss} from '../../models/metrics.ts';
import {binTable} from '../../models/trees/bins.ts';
import {BOOSTING_DEFAULTS, trainForest} from '../../models/trees/boosting.ts';
import {scoreTrees, type TreeModel} from '../../models/trees/tree-model.ts';
import {
  type ActingFleetRows,
  FLEET_COMPONENTS,
  FLEET_FEATURES,
  HORIZON_SECONDS,
  SYMPTOM_CONTRACT,
} from './acting-fleet.ts';

export type LabelledFleet = ActingFleetRows & {readonly outcomes: readonly LabelledOutcome[]};

/** Of all components together. */
export type SymptomScore = {
  readonly averagePrecision: number;
  readonly logLoss: number;
  /** Share of the rows before a failure among the 2 % of rows with the highest risks. */
  readonly recall: number;
};

/** Share of the rows that people look at. */
const BUDGET = 0.02;

/** By what the event ledger says when all is over. */
export function labelFleet(fleet: ActingFleetRows): LabelledFleet {
  const ledger = readLedger(fleet.events, {asOfMs: fleet.endMs, settleMs: 0});
  return {...fleet, outcomes: labelRows(ledger, fleet.rows, [HORIZON_SECONDS]).outcomes};
}

/** Equal fleets, seed and number of trees give equal models. */
export function trainSymptoms(
  fleets: readonly LabelledFleet[],
  {seed, trees}: {seed: number; trees: number},
): TreeModel {
  const features = concatenate(fleets.map(fleet => fleet.features));
  const outcomes = fleets.flatMap(fleet => fleet.outcomes);
  const forests = FLEET_COMPONENTS.map((component, at) => {
    const monotone = directionsOf(component, SYMPTOM_CONTRACT);
    const output = COMPONENTS.indexOf(component);
    const examples = weighExamples({outcomes, horizonsSeconds: [HORIZON_SECONDS]}, output);
    const rows = new Float32Array(examples.rows.length * FLEET_FEATURES);
    // What other parts show would only teach by chance.
    for (const [cell] of rows.entries()) {
      const column = cell % FLEET_FEATURES;
      const row = examples.rows[(cell - column) / FLEET_FEATURES] as number;
      rows[cell] =
        monotone[column] === 0 ? Number.NaN : (features[row * FLEET_FEATURES + column] as number);
    }
    const all = Int32Array.from(examples.rows.keys());
    return trainForest(
      {
        table: binTable(rows, FLEET_FEATURES, all, 63),
        labels: examples.labels,
        weights: examples.weights,
        train: all,
        validation: new Int32Array(0),
      },
      {
        ...BOOSTING_DEFAULTS,
        leavesMax: 5,
        minChildHessian: 4,
        rowShare: 0.5,
        columnShare: 0.6,
        rounds: trees,
        monotone,
        seed: seed * COMPONENTS.length + at,
      },
    ).forest;
  });
  return {
    featureCount: FLEET_FEATURES,
    forests,
    slopes: new Float32Array(forests.length).fill(1),
    offsets: new Float32Array(forests.length),
  };
}

/** Rows whose outcome is unknown do not count. */
export function scoreSymptoms(model: TreeModel, tests: readonly LabelledFleet[]): SymptomScore {
  const risks: number[] = [];
  const labels: number[] = [];
  for (const {rows, features, outcomes} of tests) {
    const scored = scoreTrees(model, rows.length, features);
    for (const row of rows.keys()) {
      for (const [at, component] of FLEET_COMPONENTS.entries()) {
        const output = COMPONENTS.indexOf(component);
        const outcome = outcomes[row * COMPONENTS.length + output] as LabelledOutcome;
        if (outcome.label === 'unknown') continue;
        risks.push(scored[row * FLEET_COMPONENTS.length + at] as number);
        labels.push(Number(outcome.label === 'positive'));
      }
    }
  }
  const truth = Uint8Array.from(labels);
  return {
    averagePrecision: averagePrecision(risks, truth),
    logLoss: logLoss(risks, truth),
    recall: recallWithin(risks, truth, BUDGET),
  };
}

function recallWithin(risks: readonly number[], labels: Uint8Array, budget: number): number {
  const order = [...risks.keys()].sort((a, b) => (risks[b] as number) - (risks[a] as number));
  const looked = order.slice(0, Math.round(budget * order.length));
  const found = looked.filter(row => labels[row] === 1).length;
  return found / labels.reduce((sum, each) => sum + each, 0);
}

function concatenate(parts: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
