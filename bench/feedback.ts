/** What a model loses that is trained again and again on a fleet in which it acts itself. */

import {numberOf, resultOf} from './result.ts';
import {type FeedbackOutcome, READINGS, runFeedback} from './support/feedback-rounds.ts';
import type {BenchArgs, BenchResult, BenchVerb} from './verb.ts';

export const feedback: BenchVerb = {
  name: 'feedback',
  summary: 'what retraining on failures that were prevented costs a model, by how they are read',
  options: [
    {flags: '--seeds <n>', description: 'pairs of worlds, each for all readings', default: '8'},
    {flags: '--first-seed <n>', description: 'the seeds follow it', default: '1000'},
    {flags: '--rounds <n>', description: 'trainings one after the other', default: '4'},
    {flags: '--fleets <n>', description: 'fleets of 24 hosts and an hour a round', default: '10'},
    {flags: '--remembered <n>', description: 'rounds that are trained on', default: '2'},
    {flags: '--held-back <ratio>', description: 'hosts left alone by chance', default: '0.1'},
    {flags: '--threshold <risk>', description: 'acts from there on', default: '0.25'},
  ],
  run: measureFeedback,
};

async function measureFeedback({options}: BenchArgs): Promise<BenchResult> {
  const seeds = numberOf(options.seeds, 'seeds', 1);
  const firstSeed = numberOf(options.firstSeed, 'first-seed');
  const outcomes = Array.from({length: seeds}, (_, at) =>
    runFeedback({
      seed: firstSeed + at,
      rounds: numberOf(options.rounds, 'rounds', 1),
      fleets: numberOf(options.fleets, 'fleets', 1),
      hosts: 24,
      minutes: 60,
      rateFactor: 2,
      threshold: numberOf(options.threshold, 'threshold'),
      trees: 40,
      remembered: numberOf(options.remembered, 'remembered', 1),
      heldBack: numberOf(options.heldBack, 'held-back'),
    }),
  );
  return resultOf({
    runs: {
      'first.averagePrecision': outcomes.map(({first}) => first.averagePrecision),
      'first.logLoss': outcomes.map(({first}) => first.logLoss),
      'first.recall': outcomes.map(({first}) => first.recall),
      ...Object.assign({}, ...READINGS.map(reading => lostBy(reading, outcomes))),
    },
    notes: ['of fleets in which nobody acts; "lost" is against the first model of the same seed'],
  });
}

/** Means over the rounds, each against the first model of its seed; acts of all rounds. */
function lostBy(
  reading: (typeof READINGS)[number],
  outcomes: readonly FeedbackOutcome[],
): Record<string, number[]> {
  const meanOf = (figure: 'averagePrecision' | 'logLoss' | 'recall', sign: 1 | -1) =>
    outcomes.map(({first, rounds}) => {
      const scores = rounds[reading];
      const mean = scores.reduce((sum, score) => sum + score[figure], 0) / scores.length;
      return sign * (mean - first[figure]);
    });
  return {
    [`${reading}.averagePrecisionLost`]: meanOf('averagePrecision', -1),
    [`${reading}.logLossLost`]: meanOf('logLoss', 1),
    [`${reading}.recallLost`]: meanOf('recall', -1),
    [`${reading}.acts`]: outcomes.map(({rounds}) =>
      rounds[reading].reduce((sum, {acts}) => sum + acts, 0),
    ),
  };
}
