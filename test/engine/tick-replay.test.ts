import {fileURLToPath} from 'node:url';
import test from 'ava';
import {DEFAULT_POLICY} from '../../core/domain/policy.ts';
import {createTreesScorer} from '../../models/scorer-trees.ts';
import {createHarness} from '../support/fleet-harness.ts';
import {essence, ticksOf} from '../support/journal.ts';
import {hexOf, recovered, rederive, withoutCheckpoints} from '../support/replay.ts';

const modelPath = fileURLToPath(
  new URL('../../models/artefacts/component-failure', import.meta.url),
);
const scorer = await createTreesScorer(modelPath);
const model = scorer.signature();
const policy = {...DEFAULT_POLICY, mode: 'auto' as const};

/** A seed with migrations, ghosts and cordons within minutes. */
const SEED = 6;

/** A small fleet that has lived for a while, at so many ticks a second. */
async function live(seed: number, ticksPerSecond: number, seconds = 500) {
  const harness = await createHarness({
    seed,
    scorer,
    ticksPerSecond,
    world: {hosts: 10, vms: 60, durationMs: seconds * 1000},
    runtime: {tickMs: 1000 / ticksPerSecond, checkpointMs: 200_000},
  });
  await harness.seconds(seconds);
  for (const runtime of harness.runtimes.values()) await runtime.stop();
  return harness;
}

test('two runs of a seed give the same journal, byte for byte', async t => {
  const [one, two] = [await live(SEED, 1), await live(SEED, 1)];
  for (const kind of ['cordon-host', 'start-migration', 'arm-ghost']) {
    t.true(one.ticks.some(({effects}) => effects.some(effect => effect.kind === kind)));
  }
  for (const partition of one.runtimes.keys()) {
    const [left, right] = [await ticksOf(one.log, partition), await ticksOf(two.log, partition)];
    t.true(left.length > 450);
    t.is(left.map(hexOf).join(), right.map(hexOf).join());
  }
});

for (const ticksPerSecond of [1, 4]) {
  test(`recorded cuts and risks give the same ticks again, at ${ticksPerSecond} a second`, async t => {
    const {log, runtimes} = await live(SEED, ticksPerSecond);
    for (const [partition, runtime] of runtimes) {
      const lived = await ticksOf(log, partition);
      const {ticks, state, loud} = await rederive({log, partition, policy, model});
      t.true(lived.length > 450);
      t.is(loud, 0);
      const different = ticks.findIndex(
        (tick, index) => hexOf(tick) !== hexOf(lived[index] as typeof tick),
      );
      t.is(different, -1, `tick ${different} differs`);
      t.deepEqual(essence(state), essence(runtime.state));
    }
  });

  test(`a recovered state is the one that was lived, at ${ticksPerSecond} a second`, async t => {
    const {log, runtimes} = await live(SEED, ticksPerSecond);
    for (const [partition, runtime] of runtimes) {
      const input = {partition, policy, model};
      const fast = await recovered({log, ...input});
      const slow = await recovered({log: withoutCheckpoints(log), ...input});
      t.is(fast.ticks, 0, 'the last checkpoint is the end');
      t.true(slow.ticks > 450);
      t.deepEqual(essence(fast.state), essence(runtime.state));
      t.deepEqual(essence(slow.state), essence(runtime.state));
      t.is(fast.state.tickNumber, runtime.state.tickNumber);
    }
  });
}

test('ticks that changed nothing travel with the next one, within a second', async t => {
  const {log, runtimes} = await live(SEED, 4, 60);
  for (const partition of runtimes.keys()) {
    const ticks = await ticksOf(log, partition);
    t.true(ticks.some(({quiet = []}) => quiet.length > 0));
    for (const [index, {quiet = [], timeMs}] of ticks.entries()) {
      const before = ticks[index - 1];
      if (before === undefined) continue;
      for (const cut of quiet) t.true(cut.timeMs > before.timeMs && cut.timeMs <= timeMs);
      t.true(timeMs - (quiet[0]?.timeMs ?? timeMs) <= 1000);
    }
  }
});
