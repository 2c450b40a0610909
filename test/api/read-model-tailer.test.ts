import test, {type ExecutionContext} from 'ava';
import {systemClock} from '../../core/adapters/clock-system.ts';
import {createMemoryLog} from '../../core/adapters/log-memory.ts';
import {seededRandom} from '../../core/adapters/random-seeded.ts';
import {ForestayError} from '../../core/domain/errors.ts';
import {encodeTickRecords} from '../../core/engine/journal-reader.ts';
import {createReadModel} from '../../core/engine/read-model.ts';
import {applyEpoch, applyTick, type PartitionImage} from '../../core/engine/read-model-fold.ts';
import {createReadModelTailer, type TailerDeps} from '../../core/engine/read-model-tailer.ts';
import {listen} from '../../core/events.ts';
import type {Clock, Log} from '../../core/ports.ts';
import {codec} from '../../proto/codec.ts';
import {aHost, aMove, aScore, aTick, aVm, START_MS} from './records.ts';

/** Time passes a hundred times as fast. */
const hurriedClock: Clock = {
  ...systemClock,
  monotonicMs: () => 100 * systemClock.monotonicMs(),
  sleep: (ms, signal) => systemClock.sleep(ms / 100, signal),
};

function startTailer(t: ExecutionContext, log: Log, more: Partial<TailerDeps> = {}) {
  const model = createReadModel();
  const tailer = createReadModelTailer({
    log,
    codec,
    clock: hurriedClock,
    random: seededRandom(1),
    model,
    partitions: [0, 9],
    ...more,
  });
  const stop = new AbortController();
  const running = tailer.run(stop.signal);
  t.teardown(async () => {
    stop.abort();
    await running;
  });
  const until = async (what: () => boolean) => {
    for (let turn = 0; turn < 500 && !what(); turn++) await systemClock.sleep(10);
    t.true(what());
  };
  return {model, tailer, running, stop, until};
}

const epochRecord = (epoch: number) =>
  codec.encodeJournal({kind: 'epoch', epoch: {epoch, owner: 'core-a', address: ''}});

test('a tailer reads what is there, then what comes, journals and scores alike', async t => {
  const log = createMemoryLog();
  const first = aTick(1, {inventory: [aHost('h1', [aVm('v1')])]});
  await log.append('journal', 9, [epochRecord(1), ...encodeTickRecords(codec, first)]);
  const {model, tailer, until} = startTailer(t, log);
  t.false(tailer.caughtUp());
  await until(() => tailer.caughtUp());
  t.is(model.vms.get('vms/v1')?.host, 'h1');
  t.like(model.partitions.get(9), {epoch: 1, tickNumber: 1});
  await log.append('scores', 9, [codec.encodeScores(aScore(START_MS + 9000, ['h1'], [0.5]))]);
  const second = aTick(2, {inventory: [aHost('h2')]});
  await log.append('journal', 9, encodeTickRecords(codec, second, 64));
  await until(() => model.hosts.has('hosts/h2') && model.hosts.get('hosts/h1')?.risk === 0.5);
});

test('ticks of an owner that was superseded do not count', async t => {
  const log = createMemoryLog();
  const late = aTick(2, {inventory: [aHost('zombie')]});
  await log.append('journal', 0, [
    epochRecord(1),
    ...encodeTickRecords(codec, aTick(1, {inventory: [aHost('h1')]})),
    epochRecord(2),
    ...encodeTickRecords(codec, late),
    ...encodeTickRecords(codec, aTick(1, {epoch: 2, inventory: [aHost('h2')]})),
  ]);
  const {model, tailer, until} = startTailer(t, log);
  await until(() => tailer.caughtUp());
  t.deepEqual([...model.hosts.keys()], ['hosts/h1', 'hosts/h2']);
});

test('a record that cannot be read is counted and the next ones are read', async t => {
  const log = createMemoryLog();
  const quarantined: {topic: string; offset: number}[] = [];
  t.teardown(listen('record.quarantined', fields => void quarantined.push(fields)));
  const tick = aTick(1, {inventory: [aHost('h1')]});
  await log.append('journal', 0, [Buffer.from([0xff]), ...encodeTickRecords(codec, tick)]);
  await log.append('scores', 0, [Buffer.from([0xff])]);
  const {model, tailer, until} = startTailer(t, log);
  await until(() => tailer.caughtUp());
  t.true(model.hosts.has('hosts/h1'));
  t.deepEqual(
    quarantined.map(({topic, offset}) => [topic, offset]),
    [
      ['journal', 0],
      ['scores', 0],
    ],
  );
});

test.serial('a tick with an unreadable context is set aside, the next is read', async t => {
  const codes: string[] = [];
  t.teardown(
    listen('record.quarantined', ({offset, code}) => void codes.push(`${offset} ${code}`)),
  );
  const log = createMemoryLog();
  const move = aMove('hosts/h1', 1, 'normal', 'at-risk.watching');
  const ticks = ['{"host"', 'null', '{}'].map((context, index) =>
    aTick(index + 1, {transitions: [{...move, context}]}),
  );
  await log.append(
    'journal',
    0,
    ticks.flatMap(tick => encodeTickRecords(codec, tick)),
  );
  const {model, tailer, until} = startTailer(t, log);
  await until(() => tailer.caughtUp());
  t.is(model.hosts.get('hosts/h1')?.actor?.state, 'at-risk.watching');
  t.deepEqual(codes, ['0 RECORD_MALFORMED', '1 RECORD_MALFORMED']);
});

test('a read that fails is tried again; a closed log ends the tailer', async t => {
  const memory = createMemoryLog();
  let failures = 3;
  const log: Log = {
    ...memory,
    append: (...args) => memory.append(...args),
    endOffset: (...args) => memory.endOffset(...args),
    startOffset: (...args) => memory.startOffset(...args),
    async read(...args) {
      if (failures-- > 0) throw new ForestayError('LOG_CORRUPT', 'no', {retryable: true});
      if (failures < -200) throw new ForestayError('LOG_CLOSED', 'closed');
      return memory.read(...args);
    },
  };
  const tick = aTick(1, {inventory: [aHost('h1')]});
  await log.append('journal', 0, encodeTickRecords(codec, tick));
  const {model, running, until} = startTailer(t, log);
  await until(() => model.hosts.has('hosts/h1'));
  failures = -200;
  await running;
  t.pass();
});

test('a partition that is owned here is not read; once it is not, it is read on from there', async t => {
  const log = createMemoryLog();
  const tickOf = (number: number, host: string) =>
    aTick(number, {inventory: [aHost(host)], transitions: [aMove('hosts/h1', number, 'a', 'b')]});
  const first = tickOf(1, 'h1');
  await log.append('journal', 0, [epochRecord(1), ...encodeTickRecords(codec, first)]);
  const owned = new Set([0, 9]);
  const {model, tailer, until} = startTailer(t, log, {isOwned: partition => owned.has(partition)});
  applyEpoch(model, 0, {epoch: 1, owner: 'here', address: ''}, 1);
  applyTick(model, 0, first, 2);
  await until(() => tailer.caughtUp());
  t.is(model.partitions.get(0)?.nextOffset, 2);
  owned.delete(0);
  await log.append('journal', 0, encodeTickRecords(codec, tickOf(2, 'h2'), 64));
  await until(() => model.hosts.has('hosts/h2'));
  await log.append('journal', 0, [
    epochRecord(9),
    ...encodeTickRecords(codec, tickOf(3, 'zombie')),
    ...encodeTickRecords(codec, {...tickOf(3, 'h3'), epoch: 9}),
  ]);
  await until(() => model.hosts.has('hosts/h3'));
  t.false(model.hosts.has('hosts/zombie'));
  t.like(model.partitions.get(0), {epoch: 9, owner: 'core-a', tickNumber: 3});
  t.deepEqual(
    model.hosts.get('hosts/h1')?.actor?.history.map(({seq}) => seq),
    [1, 2, 3],
  );
});

test('what two sources give is applied once', t => {
  const model = createReadModel();
  const tick = aTick(1, {
    inventory: [aHost('h1')],
    transitions: [aMove('hosts/h1', 1, 'normal', 'at-risk.watching')],
  });
  applyTick(model, 0, tick, 7);
  applyTick(model, 0, tick, 7);
  applyEpoch(model, 0, {epoch: 0, owner: 'late', address: ''}, 3);
  t.is(model.hosts.get('hosts/h1')?.actor?.history.length, 1);
  t.like(model.partitions.get(0), {nextOffset: 7, epoch: 1, owner: ''});
});

test('an unknown partition begins at its newest checkpoint, then the journal goes on', async t => {
  const log = createMemoryLog();
  const before = encodeTickRecords(codec, aTick(1, {inventory: [aHost('gone')]}));
  const after = encodeTickRecords(codec, aTick(2, {inventory: [aHost('h2')]}));
  await log.append('journal', 0, [epochRecord(1), ...before, ...after]);
  const image: PartitionImage = {
    nextOffset: 2,
    inboxOffset: 0,
    epoch: 1,
    owner: '',
    address: '',
    tickNumber: 1,
    timeMs: START_MS,
    timeBase: undefined,
    control: undefined,
    modelHash: 'feed',
    models: undefined,
    inventory: [aHost('h1')],
    workloads: [],
    actors: [],
  };
  const imageOf = async (partition: number) => (partition === 0 ? image : undefined);
  const {model, tailer, until} = startTailer(t, log, {imageOf});
  await until(() => tailer.caughtUp());
  t.deepEqual([...model.hosts.keys()], ['hosts/h1', 'hosts/h2']);
  t.like(model.partitions.get(0), {nextOffset: 3, tickNumber: 2});
});

test('an idle round reads each partition and topic once', async t => {
  const memory = createMemoryLog();
  let reads = 0;
  const log: Log = {
    ...memory,
    read: (...args) => {
      reads++;
      return memory.read(...args);
    },
  };
  const pauses: number[] = [];
  const clock: Clock = {
    ...hurriedClock,
    sleep: (ms, signal) => {
      pauses.push(ms);
      return hurriedClock.sleep(ms, signal);
    },
  };
  const {tailer, until} = startTailer(t, log, {clock});
  await until(() => tailer.caughtUp() && pauses.length > 12);
  const idle = pauses.filter(ms => ms > 0).length;
  t.true(idle >= 10);
  t.true(reads <= 4 * (idle + 2), `${reads} reads of 4 cursors in ${idle} rounds`);
});
