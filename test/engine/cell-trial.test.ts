/** A small share of VMs is left where it is by lot: who, what is told of it, and what comes of it. */
import test, {type ExecutionContext} from 'ava';
import type {Decision} from '../../core/domain/decision.ts';
import {trialFigures} from '../../core/domain/skill/trial-book.ts';
import {createRig, type Rig, vm} from '../support/partition.ts';
import {replayed} from './replayed.ts';

const NAMES = Array.from({length: 12}, (_, at) => `v${String(at).padStart(2, '0')}`);
const SHARE = {holdBack: {share: 0.5, criticalityMax: 0.3}};

/** Host a has twelve small VMs and a large one; b and c have room. */
async function startTrial(t: ExecutionContext, rig: Rig) {
  rig.agents.begin(() => 'done');
  let runtime = await rig.start();
  t.teardown(() => runtime.stop());
  const isOn = (host: string) => (name: string) =>
    (runtime.state.actors.vmContext(name)?.host ?? 'a') === host;
  return {
    state: () => runtime.state,
    restart: async (share: number) => {
      await runtime.stop();
      const holdBack = {...rig.policy.holdBack, share};
      runtime = await rig.start({policy: {...rig.policy, holdBack}});
    },
    step: async (seconds: number, risk: number, isSilent = false, reboot = Number.NaN) => {
      rig.pass(seconds * 1000);
      for (const host of ['a', 'b', 'c']) {
        if (host === 'a' && isSilent) continue;
        const vms = [...NAMES, 'large']
          .filter(isOn(host))
          .map(name => vm(name, {criticality: name === 'large' ? 0.9 : 0.2}));
        await rig.send(host, host === 'a' ? risk : 0.001, {vms}, host === 'a' ? {reboot} : {});
      }
      await runtime.executor.poll();
      await runtime.step(rig.clock.nowMs());
      await runtime.settled();
    },
    raisedAtMs: (name: string) => runtime.state.hosts.get(name)?.raisedAtMs,
    hostOf: (name: string) => runtime.state.actors.vmContext(name)?.host,
  };
}

const decisionsOf = ({ticks}: Rig): Decision[] => ticks.flatMap(({decisions}) => decisions);

async function sameInReplay(t: ExecutionContext, rig: Rig, skills: unknown) {
  // Another share in a replay: who was held back is in the journal.
  const changed = {...rig.policy, holdBack: {share: 0, criticalityMax: 0}};
  const state = await replayed(t, rig, {policy: changed});
  t.deepEqual(state.skills, skills);
}

test('half of the small VMs stay for a whole episode, each told with its chance; the others leave', async t => {
  const rig = createRig({policy: SHARE});
  const fleet = await startTrial(t, rig);
  for (let count = 0; count < 4; count++) await fleet.step(10, 0.001);
  for (let count = 0; count < 60; count++) await fleet.step(10, 0.9);
  const drawn = decisionsOf(rig).filter(({trial}) => trial !== undefined);
  const held = new Set(drawn.filter(({trial}) => trial?.heldBack).map(({entity}) => entity));
  t.true(held.size >= 2 && held.size <= 10, `${held.size} of 12 held back`);
  for (const name of NAMES) t.is(fleet.hostOf(name) === 'a', held.has(`vms/${name}`), name);
  t.not(fleet.hostOf('large'), 'a', 'a critical VM has no part in it');
  t.false(drawn.some(({entity}) => entity === 'vms/large'));
  for (const {trial, outcome, blockedBy, because} of drawn) {
    t.is(trial?.propensity, 0.5);
    if (!trial?.heldBack) continue;
    t.deepEqual([outcome, blockedBy], ['blocked', 'hold-back']);
    t.regex(because, /^held back for the trial, chance 0\.5: risk \d+ % on a: migrate gains/);
  }
  const acts = fleet.state().skills.get('c1')?.acts;
  for (const {vm: name, propensity} of [...(acts?.open ?? []), ...(acts?.settled ?? [])]) {
    t.is(propensity, name === 'large' ? 1 : 0.5, name);
  }
  // The draw of an episode stands, whatever share is asked for since.
  await fleet.restart(0);
  for (let count = 0; count < 10; count++) await fleet.step(10, 0.9);
  for (const name of NAMES) t.is(fleet.hostOf(name) === 'a', held.has(`vms/${name}`), name);
  await sameInReplay(t, rig, fleet.state().skills);
});

test('in the next episode all are drawn anew, and each draw is told, although decisions repeat', async t => {
  const rig = createRig({policy: {holdBack: {share: 1, criticalityMax: 0.3}}});
  const fleet = await startTrial(t, rig);
  // What an agent says of a reboot counts at once, and is gone at once.
  const say = async (reboot: number) => {
    for (let count = 0; count < 20; count++) await fleet.step(1, 0.001, false, reboot);
    return fleet.raisedAtMs('a') ?? 0;
  };
  const drawnIn = (episode: number) => {
    const drawn = decisionsOf(rig).filter(({trial}) => trial?.episodeAtMs === episode);
    return [...new Set(drawn.map(({entity}) => entity.slice('vms/'.length)))].sort();
  };
  await say(0);
  const first = await say(0.95);
  await say(0);
  const second = await say(0.95);
  t.true(second > first && first > 0);
  t.deepEqual([drawnIn(first), drawnIn(second)], [NAMES, NAMES]);
  await sameInReplay(t, rig, fleet.state().skills);
});

test('what became of both groups is joined: those that were left went down with their host', async t => {
  const rig = createRig({policy: SHARE});
  const fleet = await startTrial(t, rig);
  for (let count = 0; count < 4; count++) await fleet.step(10, 0.001);
  for (let count = 0; count < 60; count++) await fleet.step(10, 0.9);
  const left = NAMES.filter(name => fleet.hostOf(name) === 'a');
  for (let count = 0; count < 12; count++) await fleet.step(10, 0.9, true);
  t.true(rig.agents.executed.some(({kind, host}) => kind === 'fence-host' && host === 'a'));
  for (const name of NAMES) t.not(fleet.hostOf(name), 'a', 'all run again');
  for (let count = 0; count < 14; count++) await fleet.step(300, 0.001, true);
  const trial = fleet.state().skills.get('c1')?.trial;
  t.like(trial && trialFigures(trial, 'metric'), {
    actedVms: NAMES.length - left.length,
    heldBackVms: left.length,
    share: 0.5,
  });
  for (const {vm: name, heldBack, interrupted, downMs} of trial?.settled ?? []) {
    t.is(heldBack, left.includes(name), name);
    t.is(interrupted, heldBack, name);
    t.true(heldBack ? downMs >= 10_000 && downMs <= 120_000 : downMs < 10_000, `${name} ${downMs}`);
  }
  await sameInReplay(t, rig, fleet.state().skills);
});

test('without a share nobody is drawn, and nothing of it is written', async t => {
  const rig = createRig();
  const fleet = await startTrial(t, rig);
  for (let count = 0; count < 4; count++) await fleet.step(10, 0.001);
  for (let count = 0; count < 40; count++) await fleet.step(10, 0.9);
  t.true(decisionsOf(rig).some(({outcome}) => outcome === 'acted'));
  t.false(decisionsOf(rig).some(decision => 'trial' in decision));
  t.deepEqual(fleet.state().skills.get('c1')?.trial, {open: [], settled: []});
});
