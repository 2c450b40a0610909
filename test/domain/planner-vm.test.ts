import test from 'ava';
import type {VmView} from '../../core/domain/fleet.ts';
import {riskCurve} from '../../core/domain/lead-time.ts';
import {Capacity, type PlacementHost} from '../../core/domain/placement.ts';
import {plan} from '../../core/domain/planner.ts';
import {planRiskyVm} from '../../core/domain/planner-vm.ts';
import type {Proposal} from '../../core/domain/proposal.ts';
import {
  aCell,
  aHost,
  aRiskyHost,
  aRiskyVm,
  everyCapability,
  GIB,
  MINUTE_MS,
  policy,
} from './cells.ts';

const hosts = [aRiskyHost('h1'), aHost('h2')];
/** Dirties its memory faster than nine tenths of the link. */
const hot = {dirtyBytesPerSecond: 0.9 * GIB};

function planOf(vm: VmView, among = hosts, by = policy): Proposal | undefined {
  return plan(aCell(among, [vm]), by).find(({entity}) => entity === `vms/${vm.name}`);
}

function rejections(proposal: Proposal | undefined): Record<string, string> {
  return Object.fromEntries(
    (proposal?.alternatives ?? []).map(({action, rejectedBecause}) => [action, rejectedBecause]),
  );
}

test('a critical VM whose memory can be copied is migrated, and all numbers are said', t => {
  const proposal = planOf(aRiskyVm('v1', 'h1'));
  t.is(proposal?.action, 'migrate');
  t.is(proposal?.targetHost, 'h2');
  t.is(proposal?.risk, 0.6);
  t.is(proposal?.component, 'memory');
  t.false(proposal?.healing);
  // 8 GiB over 0.99 GiB/s and the overhead.
  t.true(Math.abs((proposal?.finishesInMs ?? 0) - (8000 / 0.99 + 3000)) < 1);
  t.regex(proposal?.because ?? '', /^risk 60 % on h1: migrate gains 5\.81 for 1\.10 VM-minutes$/);
  t.deepEqual(rejections(proposal), {migrate: '', 'arm-ghost': 'less surplus than migrate'});
});

test('gain and cost of a migration are those of the decision rule', t => {
  const rung = planOf(aRiskyVm('v1', 'h1'))?.alternatives[0];
  const finishesInMs = 8000 / (1 - 0.01) + 3000;
  const atStake = 1.5 * 6.5;
  // While it is copied again it is slowed down by a tenth, and it stands still for a moment.
  const moving = (1.5 * 0.1 * (finishesInMs - 11_000) + 300) / 60_000;
  const gain = 0.6 * (1 - finishesInMs / policy.horizonMs) * atStake;
  t.true(Math.abs((rung?.gainVmMinutes ?? 0) - gain) < 1e-9);
  t.true(Math.abs((rung?.costVmMinutes ?? 0) - (1 + moving + 0.01 * atStake)) < 1e-9);
});

test('a critical VM that dirties its memory too fast gets a ghost', t => {
  const proposal = planOf(aRiskyVm('v1', 'h1', hot));
  t.is(proposal?.action, 'arm-ghost');
  t.is(proposal?.targetHost, 'h2');
  t.deepEqual(rejections(proposal), {
    migrate: 'its memory is dirtied faster than it can be copied',
    'arm-ghost': '',
  });
});

test('where a ghost is worth more than a move, the ghost is chosen', t => {
  const costs = {...policy.costs, moveMinutes: 5};
  const proposal = planOf(aRiskyVm('v1', 'h1'), hosts, {...policy, costs});
  t.is(proposal?.action, 'arm-ghost');
  t.deepEqual(rejections(proposal), {migrate: 'less surplus than arm-ghost', 'arm-ghost': ''});
});

test('a VM that changes its memory faster costs more to move, and takes longer', t => {
  const rungAt = (dirtyBytesPerSecond: number) =>
    planOf(aRiskyVm('v1', 'h1', {dirtyBytesPerSecond}))?.alternatives[0];
  const [slow, fast] = [rungAt(0), rungAt(0.7 * GIB)];
  t.true((fast?.costVmMinutes ?? 0) > (slow?.costVmMinutes ?? 0));
  t.true((fast?.gainVmMinutes ?? 0) < (slow?.gainVmMinutes ?? 0));
  t.true((fast?.finishesInSeconds ?? 0) > 2 * (slow?.finishesInSeconds ?? 0));
});

test('who gets a ghost is declared: what was learned neither takes it away nor gives it', t => {
  const plan = (criticality: number, declaredCriticality: number) =>
    planOf(aRiskyVm('v1', 'h1', {...hot, criticality, declaredCriticality}))?.action;
  const {ghostCriticalityMin} = policy.budgets;
  t.is(plan(0.8 * ghostCriticalityMin, ghostCriticalityMin), 'arm-ghost');
  t.is(plan(ghostCriticalityMin, 0.8 * ghostCriticalityMin), 'none');
});

test('when nothing is worth its cost, nothing is done, and why is said with numbers', t => {
  const slightly = [aRiskyHost('h1', {risk: 0.05}), aHost('h2')];
  const proposal = planOf(aRiskyVm('v1', 'h1', {criticality: 0}), slightly);
  t.is(proposal?.action, 'none');
  t.is(proposal?.targetHost, '');
  t.regex(
    proposal?.because ?? '',
    /^no beneficial action: migrate gains 0\.08 for 1\.02 VM-minutes; arm-ghost: not critical enough/,
  );
  t.deepEqual(rejections(proposal), {
    migrate: 'costs more than it gains',
    'arm-ghost': 'not critical enough to hold memory for it',
  });
});

test('what cannot be done in time is not begun', t => {
  const slow = [aRiskyHost('h1', {migrationBytesPerSecond: GIB / 1000}), aHost('h2')];
  const proposal = planOf(aRiskyVm('v1', 'h1', {dirtyBytesPerSecond: 0}), slow);
  t.is(proposal?.action, 'none');
});

test('without migration bandwidth nothing can be copied and no ghost is loaded', t => {
  const none = [aRiskyHost('h1', {migrationBytesPerSecond: 0}), aHost('h2')];
  const proposal = planOf(aRiskyVm('v1', 'h1'), none);
  t.is(proposal?.action, 'none');
  t.is(proposal?.alternatives[1]?.gainVmMinutes, 0);
});

test('a pinned VM is neither moved nor given a ghost', t => {
  const proposal = planOf(aRiskyVm('v1', 'h1', {pinnedReason: 'local disk'}));
  t.is(proposal?.action, 'none');
  t.deepEqual(rejections(proposal), {
    migrate: 'cannot move: local disk',
    'arm-ghost': 'cannot run elsewhere: local disk',
  });
});

test('what the host cannot do is not planned', t => {
  const incapable = [aRiskyHost('h1', {capabilities: []}), aHost('h2')];
  t.deepEqual(rejections(planOf(aRiskyVm('v1', 'h1'), incapable)), {
    migrate: 'not supported here',
    'arm-ghost': 'not supported here',
  });
  const noMoves = everyCapability.filter(name => name !== 'start-migration');
  const onlyGhosts = [aRiskyHost('h1', {capabilities: noMoves}), aHost('h2')];
  t.is(planOf(aRiskyVm('v1', 'h1'), onlyGhosts)?.action, 'arm-ghost');
});

/** Of a reboot that is 90 % likely within the horizon, by 1, 5, 15 and 30 minutes. */
function aRebooting(within: readonly number[], dueInMs = Number.NaN) {
  const curve = riskCurve(0, 0.9, {within, dueInMs}, policy.horizonMs);
  const announced = !Number.isNaN(dueInMs);
  return aRiskyHost('h1', {risk: 0.9, component: 'reboot', curve, announced});
}

test('the sooner a reboot is expected, the less a move gains, and it is said when', t => {
  const [soon, late] = [
    [0.6, 0.9, 0.9, 0.9],
    [0, 0, 0.3, 0.9],
  ].map(within => planOf(aRiskyVm('v1', 'h1'), [aRebooting(within), aHost('h2')]));
  t.true((soon?.alternatives[0]?.gainVmMinutes ?? 9) < (late?.alternatives[0]?.gainVmMinutes ?? 0));
  t.regex(soon?.because ?? '', /^risk 90 % on h1, expected in 0\.8 min: migrate gains/);
  t.is(late?.expectedInMs, 18.75 * MINUTE_MS);
  t.regex(late?.because ?? '', /, expected in 19 min: /);
});

test('before an announced reboot only what can be done by then is begun', t => {
  const within = [0, 0.9, 0.9, 0.9];
  const vms = [aRiskyVm('big', 'h1', {memoryBytes: 64 * GIB}), aRiskyVm('small', 'h1')];
  const at = (dueInMs: number) =>
    plan(aCell([aRebooting(within, dueInMs), aHost('h2')], vms), policy)
      .filter(({entity}) => entity.startsWith('vms/'))
      .map(({action}) => action);
  t.deepEqual(at(5 * MINUTE_MS), ['migrate', 'migrate']);
  // 64 GiB take longer than half a minute, 8 GiB do not.
  t.deepEqual(at(MINUTE_MS / 2), ['none', 'migrate']);
  t.deepEqual(at(1000), ['none', 'none']);
});

test('when a part may fail at any time, nothing is said of when', t => {
  const proposal = planOf(aRiskyVm('v1', 'h1'));
  t.is(proposal?.expectedInMs, undefined);
  t.notRegex(proposal?.because ?? '', /expected/);
});

test('a VM that has a ghost gets no second one', t => {
  const guarded = {...hot, ghostHost: 'h2', ghostArmed: true, path: 'at-risk.protected'};
  const proposal = planOf(aRiskyVm('v1', 'h1', guarded));
  t.is(proposal?.action, 'none');
  t.is(rejections(proposal)['arm-ghost'], 'has a ghost already');
});

test('a VM with a ghost has less at stake: what it would gain by a move shrinks', t => {
  const bare = planOf(aRiskyVm('v1', 'h1'))?.alternatives[0]?.gainVmMinutes ?? 0;
  const guarded = {ghostHost: 'h2', ghostArmed: true};
  const less = planOf(aRiskyVm('v1', 'h1', guarded))?.alternatives[0]?.gainVmMinutes ?? 0;
  t.true(less > 0 && less < bare / 4);
});

test('without a target the reasons are counted, for each rung', t => {
  const alone = [aRiskyHost('h1'), aHost('h2', {cordoned: true, clearedAtMs: 999_999_999})];
  const proposal = planOf(aRiskyVm('v1', 'h1'), alone);
  t.is(proposal?.action, 'none');
  t.deepEqual(rejections(proposal), {
    migrate: 'no target: 1 cordoned, 1 is the source',
    'arm-ghost': 'no target: 1 cordoned, 1 is the source',
  });
});

test('the risk at the target counts against a move; an unknown one does not', t => {
  const cost = (risk: number) =>
    planOf(aRiskyVm('v1', 'h1'), [aRiskyHost('h1'), aHost('h2', {risk})])?.alternatives[0]
      ?.costVmMinutes ?? 0;
  t.true(Math.abs(cost(0.1) - cost(0) - 0.1 * 9.75) < 1e-9);
  t.is(cost(Number.NaN), cost(0));
});

test('ghosts share a fixed part of a host’s memory', t => {
  const critical = ['v1', 'v2', 'v3', 'v4', 'v5'].map(name => aRiskyVm(name, 'h1', hot));
  const actions = plan(aCell(hosts, critical), policy)
    .filter(({entity}) => entity.startsWith('vms/'))
    .map(({action, because}) => `${action} ${/full of ghosts/.test(because)}`);
  // A quarter of 128 GiB holds four ghosts of 8 GiB.
  t.deepEqual(actions, [...Array(4).fill('arm-ghost false'), 'none true']);
});

test('VMs of one plan see what the earlier ones took', t => {
  const tight = [aRiskyHost('h1'), aHost('h2', {memoryBytes: 18 * GIB, cpuCores: 64})];
  const vms = ['v1', 'v2', 'v3'].map(name => aRiskyVm(name, 'h1'));
  const actions = plan(aCell(tight, vms), policy)
    .filter(({entity}) => entity.startsWith('vms/'))
    .map(({action}) => action);
  t.deepEqual(actions, ['migrate', 'migrate', 'none']);
});

test('what is not chosen takes no room', t => {
  const [host, target] = [aRiskyHost('h1'), aHost('h2', {memoryBytes: 20 * GIB})];
  const room: PlacementHost = {...target, closedBecause: '', avoidedBecause: ''};
  const capacity = new Capacity([room], policy.target);
  const among = new Map([host, target].map(view => [view.name, view]));
  const vm = aRiskyVm('v1', 'h1', {memoryBytes: 10 * GIB});
  const decide = (risk: number) =>
    planRiskyVm({vm, host: {...host, risk}, hosts: among, capacity, policy}).action;
  t.deepEqual([0.01, 0.01, 0.6, 0.6].map(decide), ['none', 'none', 'migrate', 'none']);
});

test('in a cell that is only observed a VM gets the plan it would have', t => {
  const observed = {observeOnly: true, capabilities: []};
  const hosts = [aRiskyHost('h1', observed), aHost('h2', observed)];
  t.is(planOf(aRiskyVm('v1', 'h1'), hosts)?.action, 'migrate');
  // In a cell where others can be used, one that is only observed is no target.
  const mixed = [aRiskyHost('h1'), aHost('h2', observed)];
  t.is(planOf(aRiskyVm('v1', 'h1'), mixed)?.action, 'none');
});

const leftAlone = [
  {title: 'is busy', vm: aRiskyVm('v1', 'h1', {busy: true}), host: aRiskyHost('h1')},
  {
    title: 'migrates',
    vm: aRiskyVm('v1', 'h1', {path: 'migrating.pre-copy'}),
    host: aRiskyHost('h1'),
  },
  {title: 'is on a lost host', vm: aRiskyVm('v1', 'h1'), host: aRiskyHost('h1', {lost: true})},
  {title: 'is on a host that cleared', vm: aRiskyVm('v1', 'h1'), host: aHost('h1')},
  {title: 'is on an unknown host', vm: aRiskyVm('v1', 'h9'), host: aRiskyHost('h1')},
];
for (const {title, vm, host} of leftAlone) {
  test(`a VM that ${title} is left alone`, t => {
    t.is(planOf(vm, [host, aHost('h2')]), undefined);
  });
}
