/** A demo run without a network, for tests and for trying policies over many seeds. */
import {Story} from '../../cli/demo-story.ts';
import type {Policy} from '../../core/domain/policy.ts';
import type {Scorer} from '../../core/ports.ts';
import {runReactive} from '../../core/simulation/reactive.ts';
import {createHarness, START_MS} from './fleet-harness.ts';

export async function runStory(options: {
  seed: number;
  scorer: Scorer;
  seconds?: number;
  policy?: Partial<Policy>;
  tell?: (line: string) => void;
}) {
  const {seed, scorer, seconds = 3600, policy = {}, tell = () => {}} = options;
  const story = new Story({
    tell: line => tell(`${(line.atMs - START_MS) / 1000} ${line.subject} ${line.text}`),
  });
  const harness = await createHarness({
    seed,
    scorer,
    policy,
    runtime: {
      onTick: tick => story.tick(tick),
      onScores: (_partition, scores) => story.scores(scores),
    },
  });
  await harness.seconds(seconds);
  const twin = await createHarness({seed, scorer});
  const untilMs = START_MS + seconds * 1000;
  return {
    acts: story.acts,
    forestay: harness.world.ledger.summary(untilMs),
    details: harness.world.ledger.details(untilMs),
    reactive: runReactive(twin.world, {untilMs}),
  };
}
