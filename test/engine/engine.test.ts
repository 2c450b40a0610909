import test, {type ExecutionContext} from 'ava';
import {systemClock} from '../../core/adapters/clock-system.ts';
import {createMemoryLog} from '../../core/adapters/log-memory.ts';
import {seededRandom} from '../../core/adapters/random-seeded.ts';
import {ForestayError} from '../../core/domain/errors.ts';
import {type Engine, startEngine} from '../../core/engine/engine.ts';
import {listen} from '../../core/events.ts';
import type {Clock, Log, OwnershipHandler} from '../../core/ports.ts';
import {codec} from '../../proto/codec.ts';
import {faultyLog} from '../support/faulty-log.ts';
import {createRig, hostBatch, PARTITION, type Rig, START_MS} from '../support/partition.ts';

/** Sleeps are short: what is retried in a second is retried at once. */
const hurriedClock: Clock = {
  ...systemClock,
  sleep: (ms, signal) => systemClock.sleep(Math.min(ms, 2), signal),
};

/** An engine on a log whose owner a test plays. */
async function prepare(t: ExecutionContext, inner?: Log) {
  const faulty = faultyLog(inner);
  const rig = createRig({log: faulty.log});
  const problems: string[] = [];
  let handler: OwnershipHandler | undefined;
  const own: Log['own'] = async given => {
    handler = given;
    return {leave: async () => handler?.revoking(PARTITION, 0)};
  };
  const pauses: number[] = [];
  const long: {ms: number; end(): void}[] = [];
  const sleep: Clock['sleep'] = (ms, signal) => {
    pauses.push(ms);
    // What waits for longer than a retry waits for the test.
    if (ms < 15_000) return hurriedClock.sleep(ms, signal);
    const {promise, resolve} = Promise.withResolvers<void>();
    long.push({ms, end: resolve});
    signal?.addEventListener('abort', () => resolve());
    return promise;
  };
  const engine = await startEngine({
    log: {...faulty.log, own},
    codec,
    clock: {...hurriedClock, sleep},
    random: seededRandom(5),
    scorer: rig.scorer,
    actuators: {hypervisor: rig.agents.actuator, balancer: rig.agents.actuator},
    policy: rig.policy,
    owner: {owner: 'test', address: ''},
    scoring: {intervalMs: 0, waitMs: 100},
    checkpointMs: 3_600_000,
    tickBytesMax: 4 << 20,
    time: 'clock',
    tickMs: 1,
    pollMs: 1,
    onProblem: (partition, problem) => problems.push(`${partition} ${problem}`),
  });
  t.teardown(() => engine.stop());
  return {
    faulty,
    rig,
    engine,
    problems,
    pauses,
    long,
    handler: handler as unknown as OwnershipHandler,
  };
}

async function until(what: string, holds: () => boolean): Promise<void> {
  for (let count = 0; count < 2000; count++) {
    if (holds()) return;
    await systemClock.sleep(1);
  }
  throw new Error(`it never happened: ${what}`);
}

const hostsOf = (engine: Engine) => engine.runtimes()[0]?.state.hosts.size ?? 0;
const send = (rig: Rig, host: string) => rig.send(host);

test('what is assigned is stepped, and what is revoked leaves a checkpoint', async t => {
  const {engine, rig, handler, faulty} = await prepare(t);
  await send(rig, 'a');
  await handler.assigned(PARTITION);
  t.true(engine.ready());
  engine.run();
  await until('a tick', () => hostsOf(engine) === 1);
  await handler.revoking(PARTITION, 0);
  t.deepEqual(engine.runtimes(), []);
  t.is(await faulty.inner.endOffset('checkpoints', PARTITION), 2);
  await handler.assigned(PARTITION);
  t.is(hostsOf(engine), 1, 'recovered');
  await engine.stop();
  t.is(await faulty.inner.endOffset('checkpoints', PARTITION), 4);
});

test('a partition that waits for its log keeps no other from being stepped', async t => {
  const [slow, held] = [PARTITION + 1, Promise.withResolvers<number>()];
  const memory = createMemoryLog();
  let isSlow = false;
  let waits = false;
  const append: Log['append'] = (topic, partition, values) => {
    if (!isSlow || partition !== slow || topic !== 'journal') {
      return memory.append(topic, partition, values);
    }
    waits = true;
    return held.promise;
  };
  const {engine, rig, handler} = await prepare(t, {...memory, append});
  t.teardown(() => held.reject(new ForestayError('LOG_APPEND_FAILED', 'the test is over')));
  await handler.assigned(PARTITION);
  await handler.assigned(slow);
  const batch = hostBatch('s', 1, [{atMs: START_MS}]);
  await memory.append('telemetry', slow, [codec.encodeTelemetry({kind: 'batch', batch})]);
  isSlow = true;
  engine.run();
  await until('a partition that waits', () => waits);
  for (const [index, host] of ['a', 'b', 'c'].entries()) {
    await send(rig, host);
    await until(`a tick that has ${host}`, () => hostsOf(engine) === index + 1);
  }
  t.is(hostsOf(engine), 3);
});

test('what is lost is dropped at once, and nothing is written', async t => {
  const {engine, rig, handler, faulty} = await prepare(t);
  await send(rig, 'a');
  await handler.assigned(PARTITION);
  await engine.stepAll(START_MS);
  handler.lost(PARTITION);
  t.deepEqual(engine.runtimes(), []);
  t.is(await faulty.inner.endOffset('checkpoints', PARTITION), 0);
});

test('a partition that cannot be recovered holds up no other, and is tried again until it can', async t => {
  const {engine, handler, faulty, problems} = await prepare(t);
  faulty.plan('journal', 'before', 'before', 'before');
  t.is(engine.lagMs(PARTITION), 0);
  const assigned = handler.assigned(PARTITION);
  t.false(engine.ready());
  t.true(engine.lagMs(PARTITION) >= 0);
  await assigned;
  t.is(problems.length, 1, 'the hand-over is over');
  await until('the partition', () => engine.ready());
  t.is(problems.length, 3);
  t.regex(problems[0] ?? '', /LOG_APPEND_FAILED/);
  t.true(engine.ready());
  t.is(engine.runtimes().length, 1);
});

test('a runtime that fails is recovered from the log, and goes on', async t => {
  const {engine, rig, handler, faulty, problems} = await prepare(t);
  await send(rig, 'a');
  await handler.assigned(PARTITION);
  const [failing] = engine.runtimes();
  faulty.plan('journal', 'forbidden');
  engine.run();
  await until('another runtime', () => {
    const [runtime] = engine.runtimes();
    return runtime !== undefined && runtime !== failing && runtime.state.hosts.size === 1;
  });
  t.is(problems.length, 1);
  await send(rig, 'b');
  await until('a second host', () => hostsOf(engine) === 2);
});

test('a runtime that was superseded is dropped, and not fought for', async t => {
  const {engine, rig, handler, problems} = await prepare(t);
  const seen: number[] = [];
  t.teardown(listen('epoch.superseded', ({partition}) => seen.push(partition)));
  await send(rig, 'a');
  await handler.assigned(PARTITION);
  const rival = await rig.start();
  engine.run();
  await until('the end of the first', () => engine.runtimes().length === 0);
  await systemClock.sleep(20);
  t.deepEqual(engine.runtimes(), []);
  t.true(seen.includes(PARTITION));
  t.regex(problems.join(), /EPOCH_SUPERSEDED/);
  await rival.step(START_MS + 1000);
  t.is(rival.state.hosts.size, 1);
});

for (const isTaken of [true, false]) {
  const what = isTaken
    ? 'the log says that it went to another, it stays dropped'
    : 'nobody says that it went to another, it is claimed again after a while';
  test(`a partition was superseded: if ${what}`, async t => {
    const {engine, rig, handler, long} = await prepare(t);
    await send(rig, 'a');
    await handler.assigned(PARTITION);
    await rig.start();
    engine.run();
    await until('the end of the first', () => engine.runtimes().length === 0);
    t.false(engine.owns(PARTITION));
    if (isTaken) handler.lost(PARTITION);
    const [pause] = long;
    t.true(pause !== undefined && pause.ms >= 15_000);
    pause?.end();
    await systemClock.sleep(5);
    if (!isTaken) await until('another runtime', () => engine.runtimes().length === 1);
    t.is(engine.owns(PARTITION), !isTaken);
  });
}

test('a hand-over that was overtaken by another leaves one runtime, that of the last', async t => {
  const {engine, rig, handler, faulty} = await prepare(t);
  await send(rig, 'a');
  let release = () => {};
  const held = new Promise<void>(resolve => {
    release = resolve;
  });
  faulty.intrude(async () => {
    faulty.intrude(undefined);
    await held;
  });
  const first = handler.assigned(PARTITION);
  handler.lost(PARTITION);
  await handler.assigned(PARTITION);
  const [runtime] = engine.runtimes();
  release();
  await first;
  t.is(engine.runtimes()[0], runtime);
  t.true(engine.ready());
});

test('a checkpoint that fails while a partition is handed back fails nothing else', async t => {
  const {engine, rig, handler, faulty, problems} = await prepare(t);
  await send(rig, 'a');
  await handler.assigned(PARTITION);
  await engine.stepAll(START_MS);
  faulty.plan('journal', 'forbidden');
  await handler.revoking(PARTITION, 0);
  t.is(problems.length, 1);
  await handler.revoking(PARTITION, 0);
});

test('what is not an operating error is not hidden', async t => {
  const {handler} = await prepare(t, {
    ...faultyLog().log,
    endOffset: async () => {
      throw new TypeError('a defect');
    },
  });
  await t.throwsAsync(handler.assigned(PARTITION), {instanceOf: TypeError});
  t.false(new TypeError() instanceof ForestayError);
});

test('lag is that of the partition, and none of those that others own', async t => {
  const {engine, rig, handler} = await prepare(t);
  await send(rig, 'a');
  await handler.assigned(PARTITION);
  await engine.stepAll(START_MS);
  await systemClock.sleep(5);
  t.true(engine.lagMs(PARTITION) > 0);
  t.is(engine.lagMs(PARTITION + 1), 0);
});

test('tries of a partition that does not start are spread, and further apart each time', async t => {
  const {engine, pauses, problems, handler, faulty} = await prepare(t);
  faulty.plan('journal', ...Array.from({length: 6}, () => 'forbidden' as const));
  await handler.assigned(PARTITION);
  await until('the partition', () => engine.ready());
  t.is(problems.length, 6);
  const ceilings = [500, 1000, 2000, 4000, 8000, 16_000];
  t.is(pauses.length, 6);
  pauses.forEach((ms, index) => {
    t.true(ms >= 0 && ms < (ceilings[index] as number));
    t.not(ms % 500, 0, 'others that failed with it come at other times');
  });
});
