import test from 'ava';
import {ForestayError} from '../../../core/domain/errors.ts';
import type {KeeperOptions} from '../../../models/keeper/keeper-parts.ts';
import {DEFAULT_KEEPER_LIMITS} from '../../../models/keeper/keeper-parts.ts';
import {OutcomeBook} from '../../../models/keeper/outcome-book.ts';
import {Rivals} from '../../../models/keeper/rivals.ts';
import {bestOfTurns} from '../../../models/keeper/serving-cost.ts';
import {createTreesScorer} from '../../../models/scorer-trees.ts';
import {makeRegistry, models} from './kept.ts';
import {createWorld} from './world.ts';

const pause = async () => {};

test('what two models cost is measured once there are rows to measure it by', async t => {
  const {registry, hash} = await makeRegistry(t, 'old', 'fresh');
  const options = {
    registry,
    open: async (each: string) => createTreesScorer(registry.folderOf(each)),
    clock: {nowMs: () => 0, sleep: () => new Promise<void>(() => {})},
  };
  const outcomes = new OutcomeBook(DEFAULT_KEEPER_LIMITS);
  const rivals = new Rivals(options as unknown as KeeperOptions, DEFAULT_KEEPER_LIMITS, outcomes);
  const [champion, challenger] = [hash('old'), hash('fresh')];
  const step = {kind: 'judge', champion, challenger, look: 1, doubt: 0.05, why: ''} as const;
  const sizes = async () => {
    const {evaluation} = await rivals.judge(step, pause);
    return evaluation.checks.find(({name}) => name === 'size')?.says;
  };
  t.regex((await sizes()) ?? '', /^0 → 0 bytes/);
  const {rows} = createWorld(5, 4).step(models.old, champion);
  outcomes.watch(rows);
  await rivals.score(rows, [0, 1, 2, 3], pause);
  t.regex((await sizes()) ?? '', /^\d{4,} → \d{4,} bytes/);
  await rivals.close();
});

test('a model that is too slow is measured again before it is said to be', async t => {
  const noisy = (least: number, noiseRuns: number) => {
    let run = 0;
    return async () => (run++ < noiseRuns ? 3 * least : least);
  };
  t.deepEqual(await bestOfTurns([noisy(2, 0), noisy(3.6, 60)], pause), [2, 3.6]);
  t.deepEqual(await bestOfTurns([noisy(2, 0), noisy(4.4, 0)], pause), [2, 4.4]);
});

test('what took too long is left alone until the next look', async t => {
  const {registry, hash} = await makeRegistry(t, 'old', 'fresh');
  let asked = 0;
  const options = {
    registry,
    open: async () => {
      asked++;
      throw new ForestayError('TIMED_OUT', 'too late', {retryable: true});
    },
    clock: {nowMs: () => 0, sleep: () => new Promise<void>(() => {})},
  };
  const outcomes = new OutcomeBook(DEFAULT_KEEPER_LIMITS);
  const rivals = new Rivals(options as unknown as KeeperOptions, DEFAULT_KEEPER_LIMITS, outcomes);
  await rivals.follow({champion: hash('old'), challenger: hash('fresh')});
  const {rows} = createWorld(5, 4).step(models.old, hash('old'));
  await t.throwsAsync(rivals.score(rows, [0], pause));
  // Those of the other partitions.
  for (let partition = 0; partition < 3; partition++) await rivals.score(rows, [0], pause);
  t.is(asked, 1);
  const atMs = rows.atMs + DEFAULT_KEEPER_LIMITS.lookEveryMs;
  await t.throwsAsync(rivals.score({...rows, atMs}, [0], pause));
  t.is(asked, 2);
  await rivals.close();
});
