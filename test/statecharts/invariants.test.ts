import assert from 'node:assert/strict';
import test from 'ava';
import {chartOf} from '../../statecharts/chart.ts';
import type {ActorKind, HostContext, VmContext} from '../../statecharts/events.ts';
import {states} from '../../statecharts/events.ts';
import {machines, type StoredState, statePaths} from '../../statecharts/registry.ts';
import {attemptsMax} from '../../statecharts/timing.ts';
import {hostPaths} from './host-table.ts';
import type {RunningActor} from './running-actor.ts';
import {vmPaths} from './vm-rows.ts';
import {type AnyEvent, explore, hostEvents, type Step, vmEvents, watched} from './walk.ts';

const vmOf = ({context}: StoredState) => JSON.parse(context) as VmContext;
const hostOf = ({context}: StoredState) => JSON.parse(context) as HostContext;
const asks = ({effects}: Step, kind: string) => effects.some(effect => effect.kind === kind);
const isLossOf = (event: AnyEvent, host: string) =>
  event.type === 'host.lost' && 'host' in event && event.host === host;
const begins = ['start-migration', 'arm-ghost', 'restart-vm', 'sync-back'];

/** The invariants of SPEC.md that a single step can show. A name is what a failure prints. */
const vmInvariants: Record<string, (step: Step) => boolean> = {
  'I3 who waits has a deadline': ({actor, after}) =>
    actor.awaits() === '' || vmOf(after).deadlineMs > 0,
  'I5 attempts are bounded': ({after}) => vmOf(after).attempts <= attemptsMax,
  'I6 a ghost is activated only when its primary is proven lost': step => {
    if (!asks(step, 'activate-ghost')) return true;
    const {host, ghostArmed} = vmOf(step.before);
    const isRetry = step.before.state === 'ghost-active.activating';
    return isRetry || (isLossOf(step.event, host) && ghostArmed);
  },
  'I7 nothing is begun while an outcome is unknown, or while frozen': step => {
    if (!step.effects.some(({kind}) => begins.includes(kind))) return true;
    const {unresolved, frozen} = vmOf(step.before);
    return unresolved === '' && !frozen;
  },
  'I8 an armed ghost has a host, another one than the VM': ({after}) => {
    const {ghostArmed, ghostHost, host} = vmOf(after);
    return !ghostArmed || (ghostHost !== '' && ghostHost !== host);
  },
  'I8 a ghost is armed only where it can still be used': ({after}) =>
    !vmOf(after).ghostArmed ||
    [
      'at-risk.protected',
      'migrating.pre-copy',
      'migrating.cancelling',
      'ghost-active.activating',
    ].includes(after.state),
  'I9 a ghost left over in normal is asked to go': step =>
    step.before.state === 'normal' ||
    step.after.state !== 'normal' ||
    vmOf(step.after).ghostHost === '' ||
    asks(step, 'retire-ghost'),
  'I10 traffic goes where the VM is': ({effects, after}) =>
    effects.every(
      ({kind, targetHost, weightPercent}) =>
        kind !== 'shift-traffic' || (targetHost === vmOf(after).host && weightPercent === 100),
    ),
  'I11 the VM changes its host only by a result or by what is seen': ({before, after, event}) =>
    vmOf(before).host === vmOf(after).host ||
    ['effect.completed', 'placement.observed', 'cancelled'].includes(event.type),
  'I12 an act says whom, from where and to where': ({effects}) =>
    effects.every(({vm, host, targetHost}) => vm === 'x' && host !== '' && targetHost !== ''),
};

const hostInvariants: Record<string, (step: Step) => boolean> = {
  'I3 who waits has a deadline': ({actor, after}) =>
    actor.awaits() === '' || hostOf(after).deadlineMs > 0,
  'I5 attempts are bounded': ({after}) => hostOf(after).attempts <= attemptsMax,
  'I13 only its return ends a loss': ({before, after, event}) =>
    !hostOf(before).lost || hostOf(after).lost || event.type === 'host.returned',
  'I13 lost and away are the same': ({after}) =>
    hostOf(after).lost === (after.state === 'ghost-active.away'),
  'I14 a lost host is cordoned': ({after}) => !hostOf(after).lost || hostOf(after).cordoned,
  'I15 only a suspected host is fenced': step =>
    !asks(step, 'fence-host') ||
    hostOf(step.before).suspected ||
    step.before.state === 'at-risk.fencing',
};

function check(invariants: Record<string, (step: Step) => boolean>, step: Step): void {
  for (const [name, holds] of Object.entries(invariants)) {
    if (holds(step)) continue;
    const {event, before, after, effects} = step;
    assert.fail(`${name}:\n${JSON.stringify({event, before, after, effects}, null, 2)}`);
  }
}

const explored = new Map<ActorKind, readonly StoredState[]>();

/** Everything that an actor can become; each step on the way has kept the invariants. */
function reachable(kind: ActorKind): readonly StoredState[] {
  let reached = explored.get(kind);
  if (reached === undefined) {
    const events = kind === 'host' ? hostEvents : vmEvents;
    const invariants = kind === 'host' ? hostInvariants : vmInvariants;
    reached = explore(kind, events, step => check(invariants, step));
    explored.set(kind, reached);
  }
  return reached;
}

test('I1 both machines have the five states at the top and nothing else', t => {
  t.deepEqual(Object.keys(machines.host.machine.root.states), [...states]);
  t.deepEqual(Object.keys(machines.vm.machine.root.states), [...states]);
});

test('I2 a host reaches every state, and every step from there keeps the invariants', t => {
  const reached = reachable('host');
  t.deepEqual([...new Set(reached.map(({state}) => state))].sort(), [...hostPaths].sort());
  t.deepEqual([...statePaths('host')].sort(), [...hostPaths].sort());
});

test('I2 a VM reaches every state, and every step from there keeps the invariants', t => {
  const reached = reachable('vm');
  t.deepEqual([...new Set(reached.map(({state}) => state))].sort(), [...vmPaths].sort());
  t.deepEqual([...statePaths('vm')].sort(), [...vmPaths].sort());
});

test('I3 every state that waits for a result is left by cancelling and by its deadline', t => {
  for (const kind of ['host', 'vm'] as const) {
    const {states: nodes, transitions} = chartOf(kind);
    for (const {path, awaits} of nodes.filter(node => node.awaits !== '')) {
      for (const event of ['deadline.passed', 'cancelled', 'effect.failed']) {
        const found = transitions.some(way => way.from === path && way.event === event);
        t.true(found, `${kind} ${path} waits for ${awaits} and does not hear ${event}`);
      }
    }
  }
});

test('I4 with nothing but deadlines, every actor leaves migrating and every wait ends', t => {
  for (const kind of ['host', 'vm'] as const) {
    for (const stored of reachable(kind)) {
      const {actor, send} = watched(kind, stored);
      for (let step = 0; step < 12 && isUnderWay(actor); step++) {
        send({type: 'deadline.passed', atMs: 1_000});
      }
      assert(!isUnderWay(actor), `${kind} ${JSON.stringify(stored)} stays ${actor.path()}`);
    }
  }
  t.pass();
});

function isUnderWay(actor: RunningActor): boolean {
  return actor.top() === 'migrating' || actor.awaits() !== '';
}
