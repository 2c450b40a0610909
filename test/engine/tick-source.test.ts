import test from 'ava';
import {createMemoryLog} from '../../core/adapters/log-memory.ts';
import {DEFAULT_POLICY} from '../../core/domain/policy.ts';
import {endOf} from '../../core/engine/log-range.ts';
import {createPartitionState} from '../../core/engine/partition-state.ts';
import {TickSource} from '../../core/engine/tick-source.ts';
import {codec} from '../../proto/codec.ts';
import {metricScorer, PARTITION} from '../support/partition.ts';

const TICK_MS = 250;

/** A source that reads one record of the inbox a tick. */
async function prepare(records: number) {
  const log = createMemoryLog();
  const state = createPartitionState(PARTITION, DEFAULT_POLICY, metricScorer().signature());
  let nowMs = 0;
  const clock = {nowMs: () => nowMs, monotonicMs: () => nowMs, sleep: async () => {}};
  const ask = (count: number) =>
    log.append(
      'inbox',
      PARTITION,
      Array.from({length: count}, (_, index) =>
        codec.encodeInbox({
          kind: 'resume',
          requestId: `r${index}`,
          atMs: nowMs,
          author: 'test',
          comment: '',
        }),
      ),
    );
  await ask(records);
  const end = await log.endOffset('inbox', PARTITION);
  const source = new TickSource(
    {partition: PARTITION, log, codec, clock, tickMs: TICK_MS, tickBytesMax: 1, time: 'clock'},
    state,
    end,
  );
  const step = async (afterMs: number): Promise<boolean> => {
    nowMs += afterMs;
    const found = await source.read(nowMs, false);
    const {timers, cut} = source.decode(nowMs, found, 0);
    state.cut = {...state.cut, inboxOffset: endOf(found.inbox, state.cut.inboxOffset)};
    return timers && cut.inboxOffset === state.cut.inboxOffset;
  };
  return {ask, step};
}

test('after a start timers wait until all results that were there have been read', async t => {
  const {step} = await prepare(3);
  const timers = [];
  for (let count = 0; count < 4; count++) timers.push(await step(TICK_MS));
  t.deepEqual(timers, [false, false, true, true]);
});

test('after a pause they wait again: results may have come meanwhile', async t => {
  const {ask, step} = await prepare(0);
  t.true(await step(TICK_MS));
  await ask(2);
  t.deepEqual([await step(30_000), await step(TICK_MS)], [false, true]);
});

test('results that come between ticks in time hold no timer', async t => {
  const {ask, step} = await prepare(0);
  await ask(2);
  t.true(await step(TICK_MS));
});
