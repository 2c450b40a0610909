/** What must hold over a whole simulated hour, whatever the seed. */
import {fileURLToPath} from 'node:url';
import test from 'ava';
import type {EffectResult, IssuedEffect} from '../../core/domain/effects.ts';
import {DEFAULT_POLICY} from '../../core/domain/policy.ts';
import type {Tick} from '../../core/domain/records.ts';
import {createConstantScorer, createTreesScorer} from '../../models/scorer-trees.ts';
import {codec} from '../../proto/codec.ts';
import {createHarness, type Harness, START_MS} from '../support/fleet-harness.ts';
import {ticksOf} from '../support/journal.ts';

const modelPath = fileURLToPath(
  new URL('../../models/artefacts/component-failure', import.meta.url),
);
const trees = await createTreesScorer(modelPath);
const HOUR = 3600;
const fleet = (seconds: number) => ({hosts: 10, vms: 60, durationMs: seconds * 1000});
const after = (seconds: number) => START_MS + seconds * 1000;

const effectsOf = ({ticks}: Harness): IssuedEffect[] => ticks.flatMap(tick => [...tick.effects]);

/** Ids of the results in a partition's inbox, in order, repeats included. */
async function resultsOf({log}: Harness, partition: number): Promise<EffectResult[]> {
  const records = await log.read('inbox', partition, 0, 1 << 30);
  return records.flatMap(({value}) => {
    const record = codec.decodeInbox(value);
    return record.kind === 'effect-result' ? [record.result] : [];
  });
}

/** Walks the journal: after each tick, the moves and ghosts that are under way. */
async function* underWay(harness: Harness, partition: number) {
  const inbox = await harness.log.read('inbox', partition, 0, 1 << 30);
  const running = new Map<string, IssuedEffect>();
  let taken = 0;
  for (const tick of await ticksOf(harness.log, partition)) {
    for (; taken < tick.cut.inboxOffset; taken++) {
      const record = codec.decodeInbox(inbox[taken]?.value ?? new Uint8Array());
      if (record.kind === 'effect-result') running.delete(record.result.id);
    }
    for (const effect of tick.effects) {
      if (effect.kind === 'start-migration' || effect.kind === 'arm-ghost') {
        running.set(effect.id, effect);
      }
    }
    yield {tick, moves: [...running.values()]};
  }
}

const isProactive = ({effects}: Tick) =>
  effects.some(({kind}) => ['cordon-host', 'start-migration', 'arm-ghost'].includes(kind));

for (const [seed, seconds] of [
  [1, HOUR],
  [2, 1200],
] as const) {
  test(`budgets hold, no VM runs twice and every effect has one result, at seed ${seed}`, async t => {
    const budgets = {...DEFAULT_POLICY.budgets, movesPerHourPerCell: 12, concurrentPerCell: 3};
    const harness = await createHarness({
      seed,
      scorer: trees,
      world: fleet(seconds),
      policy: {budgets},
    });
    await harness.seconds(seconds);
    t.deepEqual(harness.world.ledger.details(after(seconds)).violations, []);
    for (const [partition, {state}] of harness.runtimes) {
      let most = 0;
      const started: string[] = [];
      for await (const {tick, moves} of underWay(harness, partition)) {
        most = Math.max(most, moves.length);
        const perHost = new Map<string, number>();
        for (const {host, targetHost} of moves) {
          for (const name of [host, targetHost]) perHost.set(name, (perHost.get(name) ?? 0) + 1);
        }
        t.true(Math.max(0, ...perHost.values()) <= budgets.concurrentPerHost);
        const begun = tick.effects.filter(({kind}) => kind === 'start-migration');
        started.push(...begun.map(({id}) => id));
      }
      t.true(most <= budgets.concurrentPerCell, `${most} at once`);
      const outcomes = await resultsOf(harness, partition);
      const results = outcomes.map(({id}) => id);
      // The hourly budget rests on what really happened: a move that failed is none.
      const failed = new Set(outcomes.filter(({status}) => status !== 'done').map(({id}) => id));
      const moved = started.filter(id => !failed.has(id));
      t.true(moved.length <= budgets.movesPerHourPerCell, `${moved.length} in the hour`);
      t.is(new Set(results).size, results.length, 'no result twice');
      const ids = (await ticksOf(harness.log, partition)).flatMap(({effects}) =>
        effects.map(({id}) => id),
      );
      const open = ids.filter(id => !results.includes(id));
      t.deepEqual(
        open.filter(id => !state.running.has(id)),
        [],
      );
      t.deepEqual(
        results.filter(id => !ids.includes(id)),
        [],
      );
    }
    t.true(effectsOf(harness).some(({kind}) => kind === 'start-migration'));
  });
}

for (const mode of ['observe', 'advise'] as const) {
  test(`in mode ${mode} nothing is ever done, however high the risk`, async t => {
    for (const seed of [1, 2]) {
      const harness = await createHarness({
        seed,
        scorer: createConstantScorer(0.9),
        world: fleet(300),
        policy: {mode},
      });
      await harness.seconds(300);
      t.deepEqual(effectsOf(harness), []);
      t.true(
        harness.ticks.some(tick => tick.decisions.length > 0),
        'it says what it would do',
      );
      t.true(harness.ticks.every(tick => tick.decisions.every(({outcome}) => outcome !== 'acted')));
    }
  });
}

test('when all hosts look bad at once the breaker blocks harm, and healing goes on', async t => {
  const harness = await createHarness({
    seed: 1,
    scorer: createConstantScorer(0.9),
    world: fleet(300),
  });
  await harness.seconds(60);
  t.false(harness.ticks.some(isProactive));
  t.true(harness.ticks.some(tick => tick.decisions.some(({blockedBy}) => blockedBy === 'breaker')));
  const [partition, runtime] = [...harness.runtimes][0] ?? t.fail();
  const host = [...runtime.state.hosts.keys()].sort()[0] ?? '';
  const record = {kind: 'declare-host', host, state: 'lost'} as const;
  const bytes = codec.encodeInbox({requestId: 'lost', atMs: 0, author: 'operator', ...record});
  await harness.log.append('inbox', partition, [bytes]);
  await harness.seconds(30);
  t.true(effectsOf(harness).some(({kind}) => kind === 'restart-vm'));
});

test('the prediction does the work: with a constant one nothing is foreseen and more is down', async t => {
  const run = async (scorer: typeof trees) => {
    const world = {hosts: 12, vms: 80, durationMs: 2_400_000};
    const harness = await createHarness({seed: 2, scorer, world});
    await harness.seconds(2400);
    return {harness, summary: harness.world.ledger.summary(after(2400))};
  };
  const blind = await run(createConstantScorer(0.001));
  const seeing = await run(trees);
  t.false(blind.harness.ticks.some(isProactive));
  t.is(blind.summary.migrations, 0);
  t.true(seeing.harness.ticks.some(isProactive));
  t.true(seeing.summary.migrations > 0);
  const [more, less] = [blind.summary.vmDowntimeSeconds, seeing.summary.vmDowntimeSeconds];
  t.true(more > less, `${more} s of downtime without, ${less} s with`);
});
