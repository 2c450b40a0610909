/** Whether prediction helps, kept while a partition runs, and what follows if it does not. */
import test, {type ExecutionContext} from 'ava';
import type {Tick} from '../../core/domain/records.ts';
import {skillFigures} from '../../core/domain/skill/skill-figures.ts';
import {encodeState} from '../../core/engine/checkpoint.ts';
import type {PartitionRuntime} from '../../core/engine/partition-runtime.ts';
import {createRig, QUICK_BANDS, type Rig, vm} from '../support/partition.ts';
import {replayed} from './replayed.ts';

const HOSTS = ['a', 'b', 'c', 'd'];
/** What is forecast is judged; nobody is alarmed. */
const CALM = {...QUICK_BANDS, enter: 0.99, leave: 0.98};
const LEAVE_RISKS = {learning: {enabled: false}};

type Said = {risks?: Record<string, number>; boots?: Record<string, string>; usual?: number};

async function step(rig: Rig, runtime: PartitionRuntime, minutes: number, said: Said = {}) {
  rig.pass(minutes * 60_000);
  for (const host of HOSTS) {
    const bootId = said.boots?.[host] ?? 'boot-1';
    await rig.send(host, said.risks?.[host] ?? said.usual ?? 0.001, {
      bootId,
      capabilities: ['cordon-host', 'uncordon-host', 'fence-host'],
      vms: [vm(`v-${host}`, {criticality: 1})],
    });
  }
  await runtime.executor.poll();
  await runtime.step(rig.clock.nowMs());
  await runtime.settled();
}

const restraintsOf = (ticks: readonly Tick[]) => ticks.flatMap(each => each.restraints ?? []);

/** It cries wolf of two hosts at a time, which are well half an hour later. */
async function cryWolf(rig: Rig, runtime: PartitionRuntime, rounds = 5) {
  for (let round = 0; round < rounds; round++) {
    for (const pair of [
      ['a', 'b'],
      ['c', 'd'],
    ] as const) {
      const risks = Object.fromEntries(pair.map(host => [host, 0.9]));
      for (let at = 0; at < 3; at++) await step(rig, runtime, 1, {risks});
      for (let at = 0; at < 13; at++) await step(rig, runtime, 1);
    }
  }
}

/** Host a crashes every so many steps of five minutes; risks are as told, by steps until then. */
async function crash(
  rig: Rig,
  runtime: PartitionRuntime,
  times: number,
  risksOf: (stepsLeft: number) => Omit<Said, 'boots'>,
) {
  const every = 36;
  for (let at = 0; at < times * every; at++) {
    const boots = {a: `boot-${1 + Math.floor(at / every)}`};
    await step(rig, runtime, 5, {boots, ...risksOf(every - (at % every))});
  }
}

async function sameEverywhere(t: ExecutionContext, rig: Rig, runtime: PartitionRuntime) {
  const {skills, restraints} = runtime.state;
  const slow = await replayed(t, rig);
  t.deepEqual(slow.skills, skills);
  t.deepEqual(slow.restraints, restraints);
  await runtime.stop();
  const again = await rig.start();
  t.deepEqual(again.state.skills, skills);
  t.deepEqual(again.state.restraints, restraints);
  return again;
}

test('a model that cries wolf only advises; a replay and a start hold it back as well', async t => {
  const rig = createRig({policy: LEAVE_RISKS});
  rig.agents.begin(() => 'done');
  const runtime = await rig.start();
  await cryWolf(rig, runtime);
  const [held] = restraintsOf(rig.ticks);
  t.like(held, {cell: 'c1', modelHash: 'metric', restrained: true, lifted: false});
  t.regex(held?.because ?? '', /alerts came true/);
  const again = await sameEverywhere(t, rig, runtime);
  const [told, effects] = [rig.ticks.length, rig.agents.executed.length];
  await cryWolf(rig, again, 1);
  const later = rig.ticks.slice(told).flatMap(({decisions}) => decisions);
  const kept = later.filter(({action}) => action === 'cordon');
  t.true(kept.length > 0);
  for (const {outcome, blockedBy} of kept)
    t.deepEqual([outcome, blockedBy], ['would-act', 'skill']);
  t.is(rig.agents.executed.slice(effects).filter(({kind}) => kind === 'cordon-host').length, 0);
});

test('an operator lifts it, with a name and a reason, and it does not come back', async t => {
  const rig = createRig({policy: LEAVE_RISKS});
  rig.agents.begin(() => 'done');
  const runtime = await rig.start();
  await cryWolf(rig, runtime);
  await rig.command({kind: 'lift-restraint', cell: 'elsewhere', comment: ''});
  await step(rig, runtime, 1);
  t.true(runtime.state.restraints.get('c1')?.[0]?.restrained);
  await rig.command({kind: 'lift-restraint', cell: 'c1', comment: 'a drill'});
  await step(rig, runtime, 1);
  t.like(restraintsOf(rig.ticks).at(-1), {restrained: false, lifted: true});
  t.is(restraintsOf(rig.ticks).at(-1)?.because, 'lifted by operator: a drill');
  const effects = rig.agents.executed.length;
  await cryWolf(rig, runtime, 2);
  t.true(rig.agents.executed.slice(effects).some(({kind}) => kind === 'cordon-host'));
  t.is(restraintsOf(rig.ticks).length, 2);
  await sameEverywhere(t, rig, runtime);
});

test('a host that is silent is fenced while its cell is restrained', async t => {
  const rig = createRig({policy: LEAVE_RISKS});
  rig.agents.begin(() => 'done');
  const runtime = await rig.start();
  await cryWolf(rig, runtime);
  for (let second = 0; second < 60; second++) {
    rig.pass();
    for (const host of ['b', 'c', 'd']) await rig.send(host, 0.001);
    await runtime.step(rig.clock.nowMs());
  }
  t.true(rig.agents.executed.some(({kind, host}) => kind === 'fence-host' && host === 'a'));
});

test('a model that knows when a host fails helps; one that says the same always is held back', async t => {
  const sound = createRig({policy: {...LEAVE_RISKS, band: CALM}});
  const knowing = await sound.start();
  await crash(sound, knowing, 12, left => ({risks: {a: left <= 6 ? 0.6 : 0.01}, usual: 0.001}));
  const skill = knowing.state.skills.get('c1');
  t.true(skill !== undefined && (skillFigures(skill).outputs.at(-1)?.skill.low ?? 0) > 0);
  t.deepEqual(restraintsOf(sound.ticks), []);
  const dull = createRig({policy: {...LEAVE_RISKS, band: CALM}});
  const constant = await dull.start();
  await crash(dull, constant, 15, () => ({usual: 0.05}));
  t.true(constant.state.restraints.get('c1')?.[0]?.restrained);
});

test('a model that takes the ailing host for the safest one is held back', async t => {
  const rig = createRig({policy: {...LEAVE_RISKS, band: CALM}});
  const runtime = await rig.start();
  await crash(rig, runtime, 10, left => ({risks: {a: left <= 6 ? 0.0001 : 0.3}, usual: 0.3}));
  t.true(runtime.state.restraints.get('c1')?.[0]?.restrained);
});

test('a VM that had left before its host went down counts as an interruption avoided', async t => {
  const rig = createRig();
  rig.agents.begin(() => 'done');
  const runtime = await rig.start();
  const at = async (risk: number, bootId = 'boot-1') => {
    rig.pass(10_000);
    const onA = runtime.state.actors.vmContext('v1')?.host !== 'b';
    await rig.send('a', risk, {bootId, vms: onA ? [vm('v1')] : []});
    await rig.send('b', 0, {vms: onA ? [] : [vm('v1')]});
    await runtime.executor.poll();
    await runtime.step(rig.clock.nowMs());
    await runtime.settled();
  };
  for (let count = 0; count < 40; count++) await at(0.001);
  for (let count = 0; count < 20; count++) await at(0.9);
  t.is(runtime.state.actors.vmContext('v1')?.host, 'b');
  for (let count = 0; count < 60; count++) await at(0.001, 'boot-2');
  const skill = runtime.state.skills.get('c1');
  t.like(skill && skillFigures(skill).acts, {acts: 1, avoided: 1, needless: 0});
  await sameEverywhere(t, rig, runtime);
});

test('what is told late, twice or against what is known counts once, and changes no replay', async t => {
  const rig = createRig({policy: {...LEAVE_RISKS, band: CALM}});
  const runtime = await rig.start();
  for (let count = 0; count < 3; count++) await step(rig, runtime, 5);
  for (const state of ['lost', 'lost', 'returned', 'returned', 'lost'] as const) {
    if (state === 'lost') await step(rig, runtime, 5);
    await rig.command({kind: 'declare-host', host: 'a', state});
    await step(rig, runtime, 0.1, {boots: {b: `boot-${state}`}});
  }
  const result = {id: 'nobody', status: 'done', code: '', message: '', figures: {}} as const;
  await rig.command({kind: 'effect-result', result});
  for (let count = 0; count < 20; count++) await step(rig, runtime, 5);
  const skill = runtime.state.skills.get('c1');
  const life = skill?.lives[skill.hosts.get('a') ?? -1];
  t.deepEqual(
    life?.map(({kind}) => kind),
    ['taken-away', 'taken-away'],
    'an operator took it away while it ran: no failure',
  );
  await sameEverywhere(t, rig, runtime);
});

test('a host that falls silent and is heard again did not fail; nothing is said of the time between', async t => {
  const rig = createRig({policy: {...LEAVE_RISKS, band: CALM, mode: 'observe'}});
  const runtime = await rig.start();
  for (let count = 0; count < 6; count++) await step(rig, runtime, 5);
  for (let count = 0; count < 4; count++) {
    rig.pass(300_000);
    for (const host of ['b', 'c', 'd']) await rig.send(host, 0.001);
    await runtime.step(rig.clock.nowMs());
    await runtime.settled();
  }
  for (let count = 0; count < 30; count++) await step(rig, runtime, 5);
  const skill = runtime.state.skills.get('c1');
  const any = skill && skillFigures(skill).outputs.at(-1);
  t.true((any?.unverifiable ?? 0) > 0);
  t.is(skill?.failures.length, 0);
  await sameEverywhere(t, rig, runtime);
});

test('what is kept of a host takes two kilobytes of a checkpoint', async t => {
  const rig = createRig({policy: {...LEAVE_RISKS, band: CALM}});
  const runtime = await rig.start();
  for (let count = 0; count < 20; count++) await step(rig, runtime, 5);
  const {state} = runtime;
  const bytes = encodeState(state).length - encodeState({...state, skills: new Map()}).length;
  t.true(bytes < 16 * 2600, `${bytes} bytes for a cell of 16 places`);
});
