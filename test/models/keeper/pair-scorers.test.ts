import test from 'ava';
import {systemClock} from '../../../core/adapters/clock-system.ts';
import {COMPONENTS} from '../../../core/domain/components.ts';
import {ForestayError, isForestayError} from '../../../core/domain/errors.ts';
import {FEATURE_COUNT, FEATURE_HASH} from '../../../core/domain/features.ts';
import type {ObservedRows} from '../../../core/domain/observed.ts';
import type {Scorer} from '../../../core/ports.ts';
import {PairScorers} from '../../../models/keeper/pair-scorers.ts';
import {createConstantScorer} from '../../../models/scorer-trees.ts';

/** Hosts that a model each has scored; a host's first feature is its number. */
function rowsOf(scoredBy: readonly string[]): ObservedRows {
  const features = new Float32Array(scoredBy.length * FEATURE_COUNT);
  for (const host of scoredBy.keys()) features[host * FEATURE_COUNT] = host;
  const outputs = ['reboot', ...COMPONENTS];
  return {
    ...{partition: 1, atMs: 5, featureHash: FEATURE_HASH, featureCount: FEATURE_COUNT, features},
    hosts: scoredBy.map((modelHash, at) => ({
      ...{name: `h${at}`, cell: 'c', hardware: 'm', bootAtMs: 0},
      modelHash,
    })),
    outputs,
    risks: Float32Array.from({length: scoredBy.length * outputs.length}, (_, at) => at / 1000),
  };
}

test('each model is asked for the rows that it has not scored, and both speak of the same ones', async t => {
  const asked: string[] = [];
  let opened = 0;
  const open = async (hash: string): Promise<Scorer> => {
    opened++;
    const scorer = createConstantScorer(0.5);
    return {
      ...scorer,
      signature: () => ({...scorer.signature(), hash}),
      async score(_, rows, features) {
        const hosts = Array.from({length: rows}, (_each, row) => features[row * FEATURE_COUNT]);
        asked.push(`${hash} ${hosts.join()}`);
        return new Float32Array(rows * COMPONENTS.length).fill(hash === 'old' ? 0.25 : 0.75);
      },
    };
  };
  const pair = {champion: 'old', challenger: 'new'};
  const scorers = new PairScorers(pair, {open, clock: systemClock, callMsMax: 1000});
  const rows = rowsOf(['old', 'old', 'new', 'other', 'old']);
  const told = await scorers.score(rows, [0, 2, 3, 4]);
  t.deepEqual(asked, ['old 2,3', 'new 0,3,4']);
  t.deepEqual(
    told?.rows.map(({host}) => host),
    ['h0', 'h2', 'h3', 'h4'],
  );
  const firstOf = (risks: Float32Array | undefined) =>
    [0, 1, 2, 3].map(row => Number((risks?.[row * COMPONENTS.length] ?? 0).toFixed(3)));
  // Of a row that it has scored: what it said of its first part, the second output.
  t.deepEqual(firstOf(told?.champion), [0.001, 0.25, 0.25, 0.025]);
  t.deepEqual(firstOf(told?.challenger), [0.75, 0.013, 0.75, 0.75]);
  t.is(await scorers.score({...rows, featureHash: 1}, [0]), undefined);
  t.is(opened, 2);
  await scorers.close();
});

test('a model that opens late is opened once, and closed even if it comes after everything is over', async t => {
  const pair = {champion: 'old', challenger: 'new'};
  let opened = 0;
  let closed = 0;
  const late = Promise.withResolvers<Scorer>();
  const open = () => {
    opened++;
    return late.promise;
  };
  const scorers = new PairScorers(pair, {open, clock: systemClock, callMsMax: 5});
  for (let step = 0; step < 3; step++) {
    const error = await t.throwsAsync(scorers.score(rowsOf(['old']), [0]));
    t.true(isForestayError(error, 'TIMED_OUT'));
  }
  t.is(opened, 1);
  await scorers.close();
  t.is(closed, 0);
  const close = async () => void closed++;
  late.resolve({...createConstantScorer(0.5), close});
  await new Promise(resolve => setImmediate(resolve));
  t.is(closed, 1);
});

test('a model that could not be opened is opened again the next time', async t => {
  let opened = 0;
  const open = async (): Promise<Scorer> => {
    if (opened++ === 0) {
      throw new ForestayError('DEPENDENCY_UNREACHABLE', 'no disk', {retryable: true});
    }
    return createConstantScorer(0.5);
  };
  const pair = {champion: 'old', challenger: 'new'};
  const scorers = new PairScorers(pair, {open, clock: systemClock, callMsMax: 1000});
  await t.throwsAsync(scorers.score(rowsOf(['old']), [0]));
  t.is((await scorers.score(rowsOf(['old']), [0]))?.rows.length, 1);
  await scorers.close();
});
