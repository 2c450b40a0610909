/** What a partition's cells learn while it runs, and what a restart and a replay make of it. */
import test from 'ava';
import type {DEFAULT_POLICY} from '../../core/domain/policy.ts';
import type {PartitionRuntime} from '../../core/engine/partition-runtime.ts';
import {recover} from '../../core/engine/recovery.ts';
import {codec} from '../../proto/codec.ts';
import {createRig, PARTITION, QUICK_BANDS, type Rig} from '../support/partition.ts';
import {replayed} from './replayed.ts';

const HOSTS = ['a', 'b', 'c', 'd'];
/** Said of every host at all times, although nearly none fails. */
const SAID = 0.5;

const CALM = {...QUICK_BANDS, enter: 0.99, leave: 0.98};

/** A minute: samples of all hosts, and a tick. */
async function minute(rig: Rig, runtime: PartitionRuntime, boots: Record<string, string> = {}) {
  rig.pass(60_000);
  for (const host of HOSTS) await rig.send(host, SAID, {bootId: boots[host] ?? 'boot-1'});
  await runtime.step(rig.clock.nowMs());
  await runtime.settled();
}

/** Hours in which the model always says {@link SAID}, and one host reboots ten times, out of the blue. */
async function run(policy: Partial<typeof DEFAULT_POLICY> = {}) {
  const rig = createRig({policy: {band: CALM, ...policy}});
  const runtime = await rig.start();
  for (let at = 0; at < 20; at++) await minute(rig, runtime);
  for (let boot = 2; boot <= 11; boot++) await minute(rig, runtime, {a: `boot-${boot}`});
  const boots = {a: 'boot-11'};
  for (let at = 0; at < 240; at++) await minute(rig, runtime, boots);
  return {rig, runtime, boots};
}

function riskOf({state}: PartitionRuntime, host: string): number {
  const {table = '', row = -1} = state.hosts.get(host) ?? {};
  return state.tables.get(table)?.bands.risk[row] as number;
}

test('a cell in which a model cries wolf is served lower risks, with the shift in the journal', async t => {
  const {rig, runtime} = await run();
  const {version = 0, outages} = runtime.state.layers.get('c1') ?? {};
  t.is(outages, 10);
  t.true(version > 0);
  t.true(riskOf(runtime, 'b') < SAID * 0.7, `${riskOf(runtime, 'b')}`);
  const moved = rig.ticks.flatMap(({risks}) => risks).filter(({learned}) => learned !== undefined);
  t.true(moved.length > 0);
  for (const {risks, learned = 0} of moved) {
    const odds = (risks[0] as number) / (1 - (risks[0] as number));
    t.true(Math.abs(Math.log(odds) - Math.log(SAID / (1 - SAID)) - learned) < 1e-5);
  }
});

test('switched off it learns the same and moves nothing', async t => {
  const {rig, runtime} = await run({learning: {enabled: false}});
  t.true((runtime.state.layers.get('c1')?.version ?? 0) > 0);
  t.is(riskOf(runtime, 'b'), Math.fround(SAID));
  t.true(rig.ticks.every(({risks}) => risks.every(({learned}) => learned === undefined)));
});

test('a start and a replay have learned the same, to the byte', async t => {
  const {rig, runtime, boots} = await run();
  const {log, policy, scorer} = rig;
  const input = {log, codec, partition: PARTITION, policy, model: scorer.signature()};
  const fromJournal = (await recover(input)).state;
  t.deepEqual(fromJournal.layers, runtime.state.layers);
  await runtime.stop();
  const again = await rig.start();
  t.deepEqual(again.state.layers, runtime.state.layers);
  for (let at = 0; at < 30; at++) await minute(rig, again, boots);
  t.deepEqual((await recover(input)).state.layers, again.state.layers);
  const slow = await replayed(t, rig);
  t.deepEqual(slow.layers, again.state.layers);
});

test('a decision says what the cell had learned, and how often', async t => {
  const {rig, runtime, boots} = await run({
    band: {...QUICK_BANDS, enter: 0.1, leave: 0.05},
    mode: 'advise',
  });
  for (let at = 0; at < 6; at++) await minute(rig, runtime, boots);
  const decisions = rig.ticks.flatMap(each => each.decisions);
  t.true(decisions.length > 0);
  t.is(decisions[0]?.learned, undefined);
  const {version = 0, logOdds = 0} = decisions.at(-1)?.learned ?? {};
  t.true(version > 0);
  t.true(logOdds < 0);
});
