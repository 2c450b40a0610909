import {crc32} from 'node:zlib';
import test from 'ava';
import {createMemoryLog} from '../../core/adapters/log-memory.ts';
import {ForestayError, isForestayError} from '../../core/domain/errors.ts';
import {decodeState, encodeState, writeCheckpoint} from '../../core/engine/checkpoint.ts';
import {recover} from '../../core/engine/recovery.ts';
import {listen} from '../../core/events.ts';
import {codec} from '../../proto/codec.ts';
import {essence} from '../support/journal.ts';
import {createRig, metricScorer, PARTITION, type Rig, second, vm} from '../support/partition.ts';

const RISKY = {a: {risk: 0.9, vms: [vm('v1')]}, b: {}, c: {}};

async function lived(rig: Rig, seconds = 25) {
  rig.agents.begin(({kind}) => (kind === 'start-migration' ? 'running' : 'done'));
  const runtime = await rig.start({checkpointMs: 5000});
  for (let i = 0; i < seconds; i++) await second(rig, runtime, RISKY);
  return runtime;
}

const recovered = ({log, policy, scorer}: Rig) =>
  recover({log, codec, partition: PARTITION, policy, model: scorer.signature()});

/** Appends to the checkpoints topic what a crash or a disk would leave there. */
const damage: Record<string, (rig: Rig, last: {chunk: number; trailer: number}) => Promise<void>> =
  {
    'chunks without a trailer': async ({log}) => {
      await log.append('checkpoints', PARTITION, [Buffer.alloc(1000, 1), Buffer.alloc(1000, 2)]);
    },
    'a trailer whose pointer was never written': async ({log}, {chunk, trailer}) => {
      const end = await log.endOffset('journal', PARTITION);
      const lost = {journalOffset: end, firstOffset: chunk, previous: trailer};
      await log.append('checkpoints', PARTITION, [Buffer.from(JSON.stringify(lost))]);
    },
    'something that looks like a trailer': async ({log}) => {
      await log.append('checkpoints', PARTITION, [Buffer.from('{"journalOffset":"x"}')]);
    },
  };

for (const [what, cause] of Object.entries(damage)) {
  test(`a checkpoint topic that ends in ${what} leads to the checkpoint before`, async t => {
    const rig = createRig();
    const runtime = await lived(rig);
    const trailer = (await rig.log.endOffset('checkpoints', PARTITION)) - 1;
    await cause(rig, {chunk: trailer - 1, trailer});
    const {state, ticks} = await recovered(rig);
    t.true(ticks < 10, 'not the whole journal');
    t.deepEqual(essence(state), essence(runtime.state));
  });
}

test('a damaged checkpoint leads to the one before it, and all damaged ones to the start', async t => {
  const rig = createRig();
  const runtime = await lived(rig);
  let damaged = 1;
  const log = {
    ...rig.log,
    read: async (...args: Parameters<typeof rig.log.read>) => {
      const records = await rig.log.read(...args);
      if (args[0] !== 'checkpoints') return records;
      const end = await rig.log.endOffset('checkpoints', PARTITION);
      return records.map(record => {
        if (record.value.byteLength < 200 || record.offset < end - 2 * damaged) return record;
        const value = Uint8Array.from(record.value);
        value[100] = (value[100] as number) ^ 1;
        return {...record, value};
      });
    },
  };
  const counts: number[] = [];
  for (damaged = 0; damaged <= 3; damaged++) {
    const {state, ticks} = await recovered({...rig, log});
    t.deepEqual(essence(state), essence(runtime.state));
    counts.push(ticks);
  }
  t.deepEqual(
    counts,
    [...counts].sort((a, b) => a - b),
  );
  t.is(counts.at(-1), runtime.state.tickNumber, 'everything');
});

test('checkpoints that retention has taken are not looked for', async t => {
  const log = createMemoryLog();
  const rig = createRig({log});
  const runtime = await lived(rig, 20);
  log.dropBefore('checkpoints', PARTITION, await log.endOffset('checkpoints', PARTITION));
  const {state} = await recovered(rig);
  t.deepEqual(essence(state), essence(runtime.state));
});

test('an owner that was away longer than telemetry is kept takes what is left', async t => {
  const gapped: string[] = [];
  t.teardown(listen('batch.gapped', ({cell}) => void gapped.push(cell)));
  const log = createMemoryLog();
  const rig = createRig({log});
  const former = await rig.start();
  await second(rig, former, {a: {}});
  await former.stop();
  for (let i = 0; i < 9; i++) await rig.send('a');
  log.dropBefore('telemetry', PARTITION, 6);
  await rig.send('b');
  const heir = await rig.start();
  await second(rig, heir, {a: {vms: [vm('late')]}});
  t.true(heir.state.vms.has('late'), 'the edge is heard again');
  t.deepEqual(
    heir.state.marks.entries().map(({edge, seq}) => `${edge} ${seq}`),
    ['a 11', 'b 1'],
  );
  t.deepEqual(essence((await recovered(rig)).state), essence(heir.state));
  // What retention takes after the tick and before the replay is lost to the replay alone.
  log.dropBefore('checkpoints', PARTITION, await log.endOffset('checkpoints', PARTITION));
  log.dropBefore('telemetry', PARTITION, await log.endOffset('telemetry', PARTITION));
  const third = await rig.start();
  await rig.send('a');
  await second(rig, third, {a: {vms: [vm('later')]}});
  t.true(third.state.vms.has('later'));
  t.deepEqual(gapped, []);
});

for (const topic of ['journal', 'checkpoints', 'telemetry', 'inbox'] as const) {
  test(`a log that gives nothing of its ${topic} has not ended: the start is tried later`, async t => {
    const rig = createRig();
    const runtime = await lived(rig);
    await second(rig, runtime, RISKY);
    let silent = true;
    const read: typeof rig.log.read = async (...args) =>
      args[0] === topic && silent ? [] : await rig.log.read(...args);
    const log = {...rig.log, read};
    if (topic === 'telemetry' || topic === 'inbox') {
      // Without checkpoints every input is read again.
      log.endOffset = async (...args) =>
        args[0] === 'checkpoints' ? 0 : await rig.log.endOffset(...args);
    }
    const error = await t.throwsAsync(recovered({...rig, log}));
    t.true(isForestayError(error, 'DEPENDENCY_UNREACHABLE') && error.retryable);
    silent = false;
    t.deepEqual(essence((await recovered({...rig, log})).state), essence(runtime.state));
  });
}

test('a restart continues the journal: numbers go on, nothing is decided or executed twice', async t => {
  const rig = createRig();
  const former = await lived(rig);
  await former.stop();
  const executed = rig.agents.executed.length;
  const decisions = rig.ticks.flatMap(tick => tick.decisions).length;
  t.true(executed > 0);
  const heir = await rig.start();
  t.is(heir.state.tickNumber, former.state.tickNumber);
  await second(rig, heir, RISKY);
  await second(rig, heir, RISKY);
  t.is(heir.state.tickNumber, former.state.tickNumber + 2);
  t.is(rig.agents.executed.length, executed);
  t.is(rig.ticks.flatMap(tick => tick.decisions).length, decisions);
  t.is(rig.ticks.at(-1)?.epoch, heir.state.epoch);
});

test('what inputs did within one tick is recovered in their order', async t => {
  const rig = createRig();
  const runtime = await rig.start();
  await second(rig, runtime, {a: {vms: [vm('v1')]}, b: {}});
  // v1 turns up on b; then a, which it has left, names it no more, twice: it was not deleted.
  await rig.send('b', 0, {vms: [vm('v1')]});
  await rig.send('a');
  await second(rig, runtime, {a: {}});
  t.true(runtime.state.vms.has('v1'));
  t.deepEqual(essence((await recovered(rig)).state), essence(runtime.state));
  await rig.command({kind: 'declare-host', host: 'a', state: 'lost'});
  await second(rig, runtime, {a: {bootId: 'boot-2'}, b: {vms: [vm('v1')]}});
  t.false(runtime.state.actors.hostContext('a')?.lost);
  t.deepEqual(essence((await recovered(rig)).state), essence(runtime.state));
});

test('a tick in parts is recovered like any other, and its torn repeat is not', async t => {
  const rig = createRig();
  const runtime = await rig.start();
  const vms = Array.from({length: 5000}, (_, index) =>
    vm(`v${index}`, {antiAffinityGroup: 'g'.repeat(100)}),
  );
  await second(rig, runtime, {a: {vms}});
  const records = await rig.log.read('journal', PARTITION, 0, 1 << 30);
  t.true(records.length > 2, 'it has parts');
  await second(rig, runtime, {a: {}});
  const first = records[1]?.value ?? new Uint8Array();
  await rig.log.append('journal', PARTITION, [first]);
  const {state} = await recovered(rig);
  t.is(state.vms.size, 5000);
  t.deepEqual(essence(state), essence(runtime.state));
});

test('a checkpoint is refused when it is no state, or one of another layout', async t => {
  const rig = createRig();
  const {state} = await lived(rig, 2);
  const {policy} = rig;
  const model = metricScorer().signature();
  const again = decodeState(encodeState(state), policy, model);
  t.deepEqual(essence(again), essence(state));
  const refused = {code: 'CHECKPOINT_INVALID'};
  const bytes = encodeState(state);
  const other = Uint8Array.from(bytes, (byte, at) => (at === 0 ? byte ^ 1 : byte));
  for (const wrong of [Buffer.from('no state'), new Uint8Array(0), other, bytes.slice(0, 20)]) {
    const error = t.throws(() => decodeState(wrong, policy, model), {instanceOf: ForestayError});
    t.like(error, refused);
  }
});

test('a checkpoint of another layout is passed over, for the journal tells all', async t => {
  const rig = createRig();
  const runtime = await lived(rig, 3);
  const end = await rig.log.endOffset('journal', PARTITION);
  const {pointer} = await writeCheckpoint(rig.log, runtime.state, end, -1);
  const bytes = Uint8Array.from(encodeState(runtime.state), (byte, at) => (at < 4 ? 0 : byte));
  const firstOffset = await rig.log.append('checkpoints', PARTITION, [bytes]);
  const trailer = {journalOffset: end, firstOffset, previous: -1};
  await rig.log.append('checkpoints', PARTITION, [Buffer.from(JSON.stringify(trailer))]);
  const other = {...pointer, firstOffset, chunks: 1, crc32: crc32(bytes)};
  const record = codec.encodeJournal({kind: 'checkpoint', pointer: other});
  await rig.log.append('journal', PARTITION, [record]);
  const {state, ticks} = await recovered(rig);
  t.is(ticks, runtime.state.tickNumber);
  t.deepEqual(essence(state), essence(runtime.state));
});

test('a checkpoint that a superseded owner wrote after the claim of the next is not believed', async t => {
  const rig = createRig();
  const {state: real} = await lived(rig, 3);
  const journalOffset = await rig.log.endOffset('journal', PARTITION);
  const claim = {epoch: real.epoch + 1, owner: 'heir', address: 'heir:1'};
  await rig.log.append('journal', PARTITION, [codec.encodeJournal({kind: 'epoch', epoch: claim})]);
  const astray = decodeState(encodeState(real), rig.policy, metricScorer().signature());
  astray.hosts.delete('a');
  const {pointer} = await writeCheckpoint(rig.log, astray, journalOffset, -1);
  const record = codec.encodeJournal({kind: 'checkpoint', pointer});
  await rig.log.append('journal', PARTITION, [record]);
  const {state} = await recovered(rig);
  t.true(state.hosts.has('a'));
});

test('a chunk that is gone makes a checkpoint useless, not fatal', async t => {
  const log = createMemoryLog();
  const rig = createRig({log});
  const runtime = await lived(rig);
  const trailer = (await log.endOffset('checkpoints', PARTITION)) - 1;
  log.dropBefore('checkpoints', PARTITION, trailer);
  const {state} = await recovered(rig);
  t.deepEqual(essence(state), essence(runtime.state));
});
