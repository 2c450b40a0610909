/** What became of a host: decided once, and told alike to the cell's layer, the proof and those who listen. */
import test, {type ExecutionContext} from 'ava';
import type {Component} from '../../core/domain/components.ts';
import type {HostOutcome, ObservedRows} from '../../core/domain/observed.ts';
import {OUTAGE_KINDS, type OutageKind} from '../../core/domain/outage-history.ts';
import type {PartitionRuntime, RuntimeOptions} from '../../core/engine/partition-runtime.ts';
import {
  createRig,
  PARTITION,
  QUICK_BANDS,
  type Rig,
  type Sample,
  vm,
} from '../support/partition.ts';
import {replayed} from './replayed.ts';

const HOSTS = ['a', 'b', 'c'];
const CALM = {...QUICK_BANDS, enter: 0.99, leave: 0.98};

type Said = Omit<Sample, 'atMs'> & {bootId?: string};

async function minute(
  rig: Rig,
  runtime: PartitionRuntime,
  ofA: Said | 'silent' = {},
  passMs = 60_000,
): Promise<void> {
  rig.pass(passMs);
  for (const host of HOSTS) {
    if (host === 'a' && ofA === 'silent') continue;
    const {risk = 0.01, bootId = 'boot-1', ...said} = host === 'a' ? (ofA as Said) : {};
    await rig.send(host, risk, {bootId}, said);
  }
  await runtime.executor.poll();
  await runtime.step(rig.clock.nowMs());
  await runtime.settled();
}

async function begin(options: Partial<RuntimeOptions> = {}) {
  const outcomes: HostOutcome[] = [];
  const rig = createRig({policy: {band: CALM, mode: 'observe'}});
  const runtime = await rig.start({onOutcome: outcome => outcomes.push(outcome), ...options});
  for (let at = 0; at < 12; at++) await minute(rig, runtime);
  return {rig, runtime, outcomes};
}

const kindsOf = (outcomes: readonly HostOutcome[]) => outcomes.map(({kind}) => kind);

/** What the proof says became of host a; the newest last. */
function lifeOf({state}: PartitionRuntime) {
  const skill = state.skills.get('c1');
  return skill?.lives[skill.hosts.get('a') ?? -1]?.map(({kind}) => kind);
}

/** Outages of host a that its cell counts, by cause. */
function countOf({state}: PartitionRuntime, kind: OutageKind): number {
  const layer = state.layers.get('c1');
  const kinds = OUTAGE_KINDS.length;
  const lives = (layer?.history.counts.length ?? 0) / (layer?.history.hosts ?? 1) / kinds;
  const row = (layer?.places.get('a') ?? 0) * kinds + OUTAGE_KINDS.indexOf(kind);
  return layer?.history.counts[(row + 1) * lives - 1] as number;
}

async function sameInReplay(t: ExecutionContext, rig: Rig, runtime: PartitionRuntime) {
  const slow = await replayed(t, rig);
  t.deepEqual(slow.layers, runtime.state.layers);
  t.deepEqual(slow.skills, runtime.state.skills);
  t.deepEqual(slow.unexplained, runtime.state.unexplained);
  await runtime.stop();
  const again = await rig.start();
  t.deepEqual(again.state.skills, runtime.state.skills);
  t.deepEqual(again.state.unexplained, runtime.state.unexplained);
}

test('how it had gone down before a boot that nobody noticed, the host itself says', async t => {
  const words = [
    {before: {}, after: {unclean: 0}, became: 'rebooted'},
    {before: {}, after: {unclean: 1}, became: 'crashed'},
    {before: {reboot: 0.9}, after: {unclean: 0}, became: 'rebooted'},
    {before: {reboot: 0.9}, after: {unclean: 1}, became: 'crashed'},
    // A reset on purpose is no clean shutdown.
    {before: {dueInSeconds: 60}, after: {unclean: 1}, became: 'rebooted'},
  ] as const;
  for (const {before, after, became} of words) {
    const {rig, runtime, outcomes} = await begin();
    await minute(rig, runtime, before);
    await minute(rig, runtime, {bootId: 'boot-2', ...after});
    const [told, ...more] = outcomes;
    t.deepEqual(more, []);
    const {timeMs} = runtime.state;
    t.deepEqual(told, {
      partition: PARTITION,
      host: 'a',
      cell: 'c1',
      atMs: timeMs,
      recordedAtMs: timeMs,
      kind: became,
      component: '',
    });
    const fact = became === 'crashed' ? 'failed' : became;
    t.deepEqual(lifeOf(runtime), [fact]);
    t.is(countOf(runtime, 'planned'), became === 'rebooted' ? 1 : 0);
    t.is(countOf(runtime, 'unplanned'), became === 'rebooted' ? 0 : 1);
    await sameInReplay(t, rig, runtime);
  }
});

test('a host that does not say so is waited for five minutes, then its agent is believed', async t => {
  for (const [reboot, became] of [
    [undefined, 'crashed'],
    [0.9, 'rebooted'],
  ] as const) {
    const {rig, runtime, outcomes} = await begin();
    await minute(rig, runtime, {reboot});
    await minute(rig, runtime, {bootId: 'boot-2'});
    const bootAtMs = rig.clock.nowMs();
    for (let at = 0; at < 4; at++) await minute(rig, runtime, {bootId: 'boot-2'});
    t.deepEqual(outcomes, []);
    await minute(rig, runtime, {bootId: 'boot-2'});
    t.deepEqual(kindsOf(outcomes), [became]);
    t.like(outcomes[0], {atMs: bootAtMs, recordedAtMs: rig.clock.nowMs()});
    // Whatever it says now comes too late.
    await minute(rig, runtime, {bootId: 'boot-2', unclean: reboot === undefined ? 0 : 1});
    t.is(outcomes.length, 1);
    await sameInReplay(t, rig, runtime);
  }
});

test('a checkpoint keeps the question open; a second boot, or a loss, closes the first', async t => {
  const {rig, runtime} = await begin();
  await minute(rig, runtime, {bootId: 'boot-2'});
  await runtime.stop();
  const outcomes: HostOutcome[] = [];
  const again = await rig.start({onOutcome: outcome => outcomes.push(outcome)});
  await minute(rig, again, {bootId: 'boot-2', unclean: 0});
  t.deepEqual(kindsOf(outcomes), ['rebooted']);
  await minute(rig, again, {bootId: 'boot-3'});
  await minute(rig, again, {bootId: 'boot-4'});
  t.deepEqual(kindsOf(outcomes), ['rebooted', 'crashed']);
  await rig.command({kind: 'declare-host', host: 'a', state: 'lost'});
  await minute(rig, again, 'silent');
  t.deepEqual(kindsOf(outcomes).slice(2), ['crashed', 'lost']);
});

test('a silent host that is declared lost failed; one that was announced to go was rebooted', async t => {
  for (const said of [{}, {dueInSeconds: 30}]) {
    const {rig, runtime, outcomes} = await begin();
    await minute(rig, runtime, said);
    const heardAtMs = rig.clock.nowMs();
    await minute(rig, runtime, 'silent');
    await rig.command({kind: 'declare-host', host: 'a', state: 'lost'});
    await minute(rig, runtime, 'silent');
    const isPlanned = 'dueInSeconds' in said;
    t.deepEqual(kindsOf(outcomes), isPlanned ? ['lost', 'rebooted'] : ['lost']);
    for (const {atMs} of outcomes) t.is(atMs, heardAtMs);
    t.is(countOf(runtime, 'planned'), Number(isPlanned));
    await minute(rig, runtime, {bootId: 'boot-2', unclean: 1});
    t.is(outcomes.at(-1)?.kind, 'returned');
    t.deepEqual(lifeOf(runtime), [isPlanned ? 'rebooted' : 'failed']);
    await sameInReplay(t, rig, runtime);
  }
});

test('what an operator takes away while it runs is no failure, to nobody', async t => {
  const {rig, runtime, outcomes} = await begin();
  await rig.command({kind: 'declare-host', host: 'a', state: 'lost'});
  await minute(rig, runtime, {}, 5000);
  t.deepEqual(kindsOf(outcomes), ['taken-away']);
  t.deepEqual(lifeOf(runtime), ['taken-away']);
  t.is(countOf(runtime, 'planned'), 1);
  t.is(countOf(runtime, 'unplanned'), 0);
  await sameInReplay(t, rig, runtime);
});

test('a host that is silent is unwatched until it is heard; outcomes come before the rows of their tick', async t => {
  const heard: string[] = [];
  const {rig, runtime} = await begin({
    onOutcome: ({kind, host}) => heard.push(`${host} ${kind}`),
    onForecast: (rows: ObservedRows) => heard.push(rows.hosts.map(({name}) => name).join()),
  });
  heard.length = 0;
  for (let at = 0; at < 10; at++) await minute(rig, runtime, 'silent');
  for (let at = 0; at < 5; at++) await minute(rig, runtime);
  t.deepEqual(heard, ['a unwatched', 'b,c', 'b,c', 'a returned', 'a,b,c']);
  await sameInReplay(t, rig, runtime);
});

test('a VM that is moved for a risk is told with the risk and the part that were feared', async t => {
  const outcomes: HostOutcome[] = [];
  const rig = createRig();
  rig.agents.begin(() => 'done');
  const runtime = await rig.start({onOutcome: outcome => outcomes.push(outcome)});
  for (let at = 0; at < 120 && outcomes.length === 0; at++) {
    rig.pass(10_000);
    const vms = runtime.state.actors.vmContext('v1')?.host === 'b' ? [] : [vm('v1')];
    await rig.send('a', at < 40 ? 0.001 : 0.9, {vms});
    await rig.send('b', 0, {vms: vms.length === 0 ? [vm('v1')] : []});
    await runtime.executor.poll();
    await runtime.step(rig.clock.nowMs());
    await runtime.settled();
  }
  t.like(outcomes[0], {kind: 'evacuated', host: 'a', component: 'cpu', propensity: 1});
  const {risk} = outcomes[0] as {risk: number};
  t.true(risk >= QUICK_BANDS.enter && risk <= 0.9);
});

const declare = (rig: Rig, state: 'lost' | 'returned', part?: Component) =>
  rig.command({kind: 'declare-host', host: 'a', state, ...(part && {part})});

/** What people said became of host a: the newest fact, with its part. */
function factOf({state}: PartitionRuntime) {
  const skill = state.skills.get('c1');
  return skill?.lives[skill.hosts.get('a') ?? -1]?.at(-1);
}

test('people name the part that failed when a host is lost, while it is down, and when it is back', async t => {
  const tellings: (readonly [told: readonly ['lost' | 'returned', Component?][], when: string])[] =
    [
      [[['lost', 'memory']], 'with its loss'],
      [[['lost'], ['lost', 'memory']], 'while it is down'],
      [[['lost'], ['returned', 'memory']], 'as it comes back'],
      [[['lost'], ['returned'], ['returned', 'memory']], 'once it is back'],
      [
        [
          ['lost', 'disk'],
          ['lost', 'memory'],
          ['lost', 'memory'],
        ],
        'other than was thought',
      ],
    ];
  for (const [told, when] of tellings) {
    const {rig, runtime, outcomes} = await begin();
    const heardAtMs = rig.clock.nowMs();
    await minute(rig, runtime, 'silent');
    for (const [state, part] of told) {
      await declare(rig, state, part);
      await minute(rig, runtime, 'silent');
    }
    const named = outcomes.filter(each => each.kind !== 'returned' && each.component === 'memory');
    t.is(named.length, 1, when);
    const isBack = runtime.state.actors.hostContext('a')?.lost === false;
    t.is(named[0]?.kind, told.length === 3 && isBack ? 'crashed' : 'lost', when);
    t.is(named[0]?.atMs, heardAtMs, when);
    t.true((named[0]?.recordedAtMs ?? 0) > heardAtMs);
    t.is(factOf(runtime)?.component, when === 'other than was thought' ? 'disk' : 'memory', when);
    t.is(countOf(runtime, 'memory'), 1, when);
    t.is(countOf(runtime, 'unplanned'), 1, when);
    for (const cause of ['unknown', 'disk'] as const) t.is(countOf(runtime, cause), 0, when);
    t.is(runtime.state.layers.get('c1')?.outages, 1);
    await sameInReplay(t, rig, runtime);
  }
});

test('naming the part makes a failure of what was taken away, or for a reboot, while it is down', async t => {
  for (const said of ['running', 'announced'] as const) {
    const {rig, runtime, outcomes} = await begin();
    await minute(rig, runtime, said === 'announced' ? {dueInSeconds: 30} : {});
    if (said === 'announced') await minute(rig, runtime, 'silent');
    await declare(rig, 'lost');
    await minute(rig, runtime, 'silent', 5000);
    const before = said === 'announced' ? 'rebooted' : 'taken-away';
    t.is(outcomes.at(-1)?.kind, before);
    t.is(factOf(runtime)?.kind, before);
    t.is(runtime.state.layers.get('c1')?.outages, 0);
    await declare(rig, 'lost', 'power');
    await minute(rig, runtime, 'silent', 5000);
    t.like(outcomes.at(-1), {kind: 'lost', component: 'power'});
    t.like(factOf(runtime), {kind: 'failed', component: 'power'});
    t.is(countOf(runtime, 'planned'), 0);
    t.is(countOf(runtime, 'power'), 1);
    t.is(runtime.state.layers.get('c1')?.outages, 1);
    t.deepEqual(
      runtime.state.skills.get('c1')?.failures.map(({host}) => host),
      ['a'],
    );
    await sameInReplay(t, rig, runtime);
  }
});

test('who names a part of a host that never failed, or brings it back from repair with one, tells nothing', async t => {
  const {rig, runtime, outcomes} = await begin();
  await declare(rig, 'returned', 'disk');
  await minute(rig, runtime, {}, 5000);
  t.deepEqual(outcomes, []);
  await declare(rig, 'lost');
  await minute(rig, runtime, {}, 5000);
  await declare(rig, 'returned', 'disk');
  await minute(rig, runtime, {}, 5000);
  t.deepEqual(kindsOf(outcomes), ['taken-away', 'returned']);
  t.is(countOf(runtime, 'disk'), 0);
});

test('a host that crashed, and was back before anybody looked, gets its part named as well', async t => {
  const {rig, runtime, outcomes} = await begin();
  await minute(rig, runtime, {bootId: 'boot-2'});
  await declare(rig, 'returned', 'cpu');
  await minute(rig, runtime, {bootId: 'boot-2', unclean: 0});
  t.deepEqual(kindsOf(outcomes), ['crashed', 'crashed']);
  t.deepEqual(
    outcomes.map(each => ('component' in each ? each.component : '')),
    ['', 'cpu'],
  );
  t.like(factOf(runtime), {kind: 'failed', component: 'cpu'});
  t.is(countOf(runtime, 'cpu'), 1);
  await sameInReplay(t, rig, runtime);
});
