import test from 'ava';
import {createMemoryFiles} from '../../core/adapters/files-memory.ts';
import {createActuator} from '../../edge/actuator/actuator.ts';
import type {Driver} from '../../edge/actuator/driver.ts';
import {openEffectTable} from '../../edge/actuator/effect-table.ts';
import {issue, type StepDriver, stepDriver} from '../support/step-driver.ts';
import {manualClock} from './manual-clock.ts';

const fence = {partition: 3, epoch: 7};

function setUp(files = createMemoryFiles(), driver: StepDriver = stepDriver()) {
  const clock = manualClock();
  const table = openEffectTable({files, path: '/effects/h1'});
  const actuator = createActuator({agent: 'h1', driver, table, clock});
  return {files, driver, clock, actuator};
}

test('the same effect asked for many times at once is begun once', async t => {
  const {actuator, driver} = setUp();
  const effect = issue();
  const reports = await Promise.all(
    Array.from({length: 20}, () => actuator.execute(effect, fence)),
  );
  t.deepEqual(new Set(reports.map(({status}) => status)), new Set(['running']));
  t.is(driver.begun(effect.id), 1);
});

test('the id of one effect is not taken for another one, also by an agent that starts anew', async t => {
  const {actuator, files, driver} = setUp();
  const effect = issue();
  await actuator.execute(effect, fence);
  driver.finish();
  files.crash();
  const {actuator: again} = setUp(files, driver);
  const other = {...effect, vm: 'another'};
  await t.throwsAsync(again.execute(other, fence), {message: /another.* knows this id as/s});
  t.is((await again.execute(effect, fence)).status, 'done');
  t.is(driver.begun(effect.id), 1);
});

test('a share of traffic is a part of what an effect is', async t => {
  const driver = {...stepDriver(), capabilities: () => ['shift-traffic'] as const};
  const {actuator} = setUp(createMemoryFiles(), driver);
  const effect = issue({kind: 'shift-traffic', weightPercent: 0});
  await actuator.execute(effect, fence);
  const all = {...effect, weightPercent: 100};
  await t.throwsAsync(actuator.execute(all, fence), {message: /100 %.* knows this id as .* 0 %/s});
});

test('an agent that starts anew answers with what it did before', async t => {
  const {actuator, files, driver} = setUp();
  const effect = issue();
  await actuator.execute(effect, fence);
  driver.finish();
  const [report] = await actuator.query([effect.id]);
  files.crash();
  const {actuator: again} = setUp(files, driver);
  t.deepEqual(await again.query([effect.id]), [report]);
  t.deepEqual(await again.execute(effect, fence), report);
  t.is(driver.begun(effect.id), 1);
});

test('an effect that ran when driver and agent died has failed with its outcome lost', async t => {
  const {actuator, files, driver} = setUp();
  const effect = issue();
  await actuator.execute(effect, fence);
  files.crash();
  driver.forget();
  const {actuator: again} = setUp(files, driver);
  const [report] = await again.query([effect.id]);
  t.is(report?.status, 'failed');
  t.is(report?.code, 'OUTCOME_LOST');
  t.deepEqual(await again.execute(effect, fence), report);
  t.is(driver.begun(effect.id), 1);
});

test('an effect that was cancelled before it came is refused across restarts', async t => {
  const {actuator, files, driver} = setUp();
  const effect = issue();
  const report = await actuator.cancel(effect.id, fence);
  t.is(report.code, 'NEVER_BEGUN');
  for (let restart = 0; restart < 2; restart++) {
    files.crash();
    const {actuator: again} = setUp(files, driver);
    t.deepEqual(await again.execute(effect, fence), report);
  }
  t.is(driver.begun(effect.id), 0);
});

test('a fence holds across a restart', async t => {
  const {actuator, files} = setUp();
  t.is(await actuator.announce({partition: 3, epoch: 8}), 8);
  files.crash();
  const {actuator: again} = setUp(files);
  await t.throwsAsync(() => again.execute(issue(), fence), {code: 'STALE_EPOCH'});
});

test('a driver that throws has failed that effect and no other', async t => {
  const {actuator} = setUp();
  const report = await actuator.execute(issue({vm: 'cursed'}), fence);
  t.is(report.status, 'failed');
  t.is(report.code, 'DRIVER_FAILED');
  t.is(report.message, 'the socket is gone');
  t.is((await actuator.execute(issue(), fence)).status, 'running');
});

test('a result stays what it was first said to be', async t => {
  const {actuator, driver} = setUp();
  const effect = issue();
  await actuator.execute(effect, fence);
  driver.finish('failed');
  const [report] = await actuator.query([effect.id]);
  t.is(report?.status, 'failed');
  t.is((await actuator.cancel(effect.id, fence)).status, 'failed');
});

test('calls beyond the bound are turned away and may come again', async t => {
  const {actuator} = setUp();
  const calls = Array.from({length: 300}, () => actuator.query(['3/7/0/0']));
  const outcomes = await Promise.allSettled(calls);
  const refused = outcomes.filter(({status}) => status === 'rejected');
  t.is(refused.length, 300 - 256);
  for (const outcome of refused) {
    const {reason} = outcome as PromiseRejectedResult;
    t.is(reason.code, 'AGENT_UNREACHABLE');
    t.true(reason.retryable);
  }
  t.is((await actuator.query(['3/7/0/0']))[0]?.status, 'unknown');
});

test('an agent whose lease is renewed keeps its VMs running', async t => {
  const {actuator, clock, driver} = setUp();
  for (let renewal = 0; renewal < 5; renewal++) {
    await actuator.renewLease(fence, 10_000);
    await clock.advance(7_000);
  }
  t.deepEqual(driver.stopped, []);
  await actuator.close();
});

test('an agent whose lease runs out stops its VMs before the end of it, once', async t => {
  const {actuator, clock, driver} = setUp();
  await actuator.renewLease(fence, 10_000);
  await clock.advance(7_900);
  t.deepEqual(driver.stopped, []);
  await clock.advance(2_000);
  t.deepEqual(driver.stopped, ['h1']);
  await clock.advance(60_000);
  t.deepEqual(driver.stopped, ['h1']);
  await actuator.renewLease(fence, 10_000);
  await clock.advance(9_000);
  t.deepEqual(driver.stopped, ['h1', 'h1']);
  await actuator.close();
});

test('a lease of an older owner does not count', async t => {
  const {actuator, clock, driver} = setUp();
  await actuator.renewLease({partition: 3, epoch: 8}, 10_000);
  await clock.advance(5_000);
  await t.throwsAsync(() => actuator.renewLease(fence, 10_000), {code: 'STALE_EPOCH'});
  await clock.advance(5_000);
  t.deepEqual(driver.stopped, ['h1']);
  await actuator.close();
});

test('a driver that cannot stop the VMs is asked until it can', async t => {
  let asked = 0;
  const failing: Driver = {
    ...stepDriver(),
    async stopVms() {
      asked++;
      if (asked < 3) throw new Error('busy');
    },
  };
  const {actuator, clock} = setUp(createMemoryFiles(), failing as StepDriver);
  await actuator.renewLease(fence, 10_000);
  await clock.advance(60_000);
  t.is(asked, 3);
  await actuator.close();
});

test('a closed agent stops nothing', async t => {
  const {actuator, clock, driver} = setUp();
  await actuator.renewLease(fence, 10_000);
  await actuator.close();
  await clock.advance(60_000);
  t.deepEqual(driver.stopped, []);
});
