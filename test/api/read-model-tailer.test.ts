import test, {type ExecutionContext} from 'ava';
import {systemClock} from '../../core/adapters/clock-system.ts';
import {createMemoryLog} from '../../core/adapters/log-memory.ts';
import {ForestayError} from '../../core/domain/errors.ts';
import {encodeTickRecords} from '../../core/engine/journal-reader.ts';
import {createReadModel} from '../../core/engine/read-model.ts';
import {createReadModelTailer} from '../../core/engine/read-model-tailer.ts';
import {listen} from '../../core/events.ts';
import type {Log} from '../../core/ports.ts';
import {codec} from '../../proto/codec.ts';
import {aHost, aScore, aTick, aVm, START_MS} from './records.ts';

function startTailer(t: ExecutionContext, log: Log) {
  const model = createReadModel();
  const tailer = createReadModelTailer({log, codec, clock: systemClock, model, partitions: [0, 9]});
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
