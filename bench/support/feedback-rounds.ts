/**
 * What becomes of a model that is trained again and again on a fleet in which it acts itself: by
 * three ways to read what it prevented.
 */
import {seededRandom} from '../../core/adapters/random-seeded.ts';
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
  runActingFleet,
  SYMPTOM_CONTRACT,
} from './acting-fleet.ts';

/** `naive`: nothing happened, so it is none; `dropped`: such rows are left out; `ours`: as both. */
export const READINGS = ['naive', 'dropped', 'ours'] as const;
export type Reading = (typeof READINGS)[number];

export type FeedbackOptions = {
  readonly seed: number;
  readonly rounds: number;
  /** Fleets of each round, and of the test. */
  readonly fleets: number;
  readonly hosts: number;
  readonly minutes: number;
  readonly rateFactor: number;
  readonly threshold: number;
  readonly trees: number;
  /** Rounds that a model is trained on, the latest; the time before it acted is one. */
  readonly remembered: number;
  /** Share of hosts that are left alone whatever their risk. */
  readonly heldBack: number;
};

/** Of all components together, on fleets in which nobody acts. */
export type FeedbackScore = {
  readonly averagePrecision: number;
  readonly logLoss: number;
  /** Share of the rows before a failure among the 2 % of rows with the highest risks. */
  readonly recall: number;
  /** Hosts that were emptied and repaired in the round whose rows it learned from. */
  readonly acts: number;
};

export type FeedbackOutcome = {
  /** Before it acted. */
  readonly first: FeedbackScore;
  /** After each round. */
  readonly rounds: Readonly<Record<Reading, readonly FeedbackScore[]>>;
};

/** Positives of a thousand rows that people look at. */
const BUDGET = 0.02;

type Taught = ActingFleetRows & {readonly outcomes: readonly LabelledOutcome[]};

export function runFeedback(options: FeedbackOptions): FeedbackOutcome {
  const {seed, fleets, rounds} = options;
  const random = seededRandom(seed);
  const fleetsOf = (name: string, model?: TreeModel) =>
    Array.from({length: fleets}, (_, fleet) =>
      label(
        runActingFleet(
          {
            ...options,
            random: random.fork(name),
            ...(model && {score: row => scoreTrees(model, 1, row), threshold: options.threshold}),
          },
          fleet,
        ),
      ),
    );
  const tests = fleetsOf('test');
  const before = fleetsOf('first');
  const firstModel = train(before, 'ours', options);
  const first = evaluate(firstModel, tests, 0);
  const scoresOf = (reading: Reading) => {
    const scores: FeedbackScore[] = [];
    const past = [before];
    let model = firstModel;
    for (let round = 1; round <= rounds; round++) {
      const taught = fleetsOf(`round/${round}`, model);
      past.push(taught);
      model = train(past.slice(-options.remembered).flat(), reading, options);
      const acts = taught.reduce((sum, each) => sum + each.acts, 0);
      scores.push(evaluate(model, tests, acts));
    }
    return scores;
  };
  return {
    first,
    rounds: {naive: scoresOf('naive'), dropped: scoresOf('dropped'), ours: scoresOf('ours')},
  };
}

function label(fleet: ActingFleetRows): Taught {
  const ledger = readLedger(fleet.events, {asOfMs: fleet.endMs, settleMs: 0});
  return {...fleet, outcomes: labelRows(ledger, fleet.rows, [HORIZON_SECONDS]).outcomes};
}

function read(outcome: LabelledOutcome, reading: Reading): LabelledOutcome {
  if (outcome.label !== 'uncertain' || reading === 'ours') return outcome;
  return {...outcome, label: reading === 'naive' ? 'negative' : 'unknown'};
}

function train(fleets: readonly Taught[], reading: Reading, options: FeedbackOptions): TreeModel {
  const features = concatenate(fleets.map(fleet => fleet.features));
  const outcomes = fleets.flatMap(fleet => fleet.outcomes).map(each => read(each, reading));
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
        rounds: options.trees,
        monotone,
        seed: options.seed * COMPONENTS.length + at,
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

function evaluate(model: TreeModel, tests: readonly Taught[], acts: number): FeedbackScore {
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
    acts,
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
