/**
 * What becomes of a model that is trained again and again on a fleet in which it acts itself: by
 * three ways to read what it prevented.
 */
import {seededRandom} from '../../core/adapters/random-seeded.ts';
import {scoreTrees, type TreeModel} from '../../models/trees/tree-model.ts';
import {runActingFleet} from './acting-fleet.ts';
import {
  type LabelledFleet,
  labelFleet,
  type SymptomScore,
  scoreSymptoms,
  trainSymptoms,
} from './symptom-model.ts';

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

/** On fleets in which nobody acts. */
export type FeedbackScore = SymptomScore & {
  /** Hosts that were emptied and repaired in the round whose rows it learned from. */
  readonly acts: number;
};

export type FeedbackOutcome = {
  /** Before it acted. */
  readonly first: FeedbackScore;
  /** After each round. */
  readonly rounds: Readonly<Record<Reading, readonly FeedbackScore[]>>;
};

export function runFeedback(options: FeedbackOptions): FeedbackOutcome {
  const {seed, fleets, rounds} = options;
  const random = seededRandom(seed);
  const fleetsOf = (name: string, model?: TreeModel) =>
    Array.from({length: fleets}, (_, fleet) =>
      labelFleet(
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
  const firstModel = trainSymptoms(before, options);
  const first = {...scoreSymptoms(firstModel, tests), acts: 0};
  const scoresOf = (reading: Reading) => {
    const scores: FeedbackScore[] = [];
    const past = [before];
    let model = firstModel;
    for (let round = 1; round <= rounds; round++) {
      const taught = fleetsOf(`round/${round}`, model);
      past.push(taught);
      const known = past.slice(-options.remembered).flat();
      model = trainSymptoms(
        known.map(each => readAs(reading, each)),
        options,
      );
      const acts = taught.reduce((sum, each) => sum + each.acts, 0);
      scores.push({...scoreSymptoms(model, tests), acts});
    }
    return scores;
  };
  return {
    first,
    rounds: {naive: scoresOf('naive'), dropped: scoresOf('dropped'), ours: scoresOf('ours')},
  };
}

function readAs(reading: Reading, fleet: LabelledFleet): LabelledFleet {
  if (reading === 'ours') return fleet;
  const label = reading === 'naive' ? 'negative' : 'unknown';
  return {
    ...fleet,
    outcomes: fleet.outcomes.map(each => (each.label === 'uncertain' ? {...each, label} : each)),
  };
}
