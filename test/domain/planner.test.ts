import test from 'ava';
import {plan} from '../../core/domain/planner.ts';
import type {Proposal} from '../../core/domain/proposal.ts';
import {
  aCell,
  aHost,
  aRiskyHost,
  aRiskyVm,
  aVm,
  everyCapability,
  GIB,
  NOW_MS,
  policy,
} from './cells.ts';

const without = (...names: string[]) => everyCapability.filter(name => !names.includes(name));

function brief({entity, action, targetHost}: Proposal): string {
  return `${entity} ${action}${targetHost === '' ? '' : ` ${targetHost}`}`;
}

function planned(...cell: Parameters<typeof aCell>): string[] {
  return plan(aCell(...cell), policy).map(brief);
}

const lost = aHost('h1', {lost: true, suspected: true, silentForMs: 60_000});
const downVm = {top: 'recovering', path: 'recovering.awaiting-restart'} as const;
const servedVm = {top: 'ghost-active', path: 'ghost-active.serving', homeHost: 'h1'} as const;

test('in a quiet cell nothing is proposed', t => {
  t.deepEqual(planned([aHost('h1'), aHost('h2')], [aVm('v1', 'h1')]), []);
  t.deepEqual(planned([]), []);
});

test('a host at risk is cordoned, with what it gains and costs', t => {
  const [proposal, ...rest] = plan(aCell([aRiskyHost('h1'), aHost('h2')]), policy);
  t.deepEqual(rest, []);
  t.is(brief(proposal as Proposal), 'hosts/h1 cordon');
  t.is(proposal?.component, 'memory');
  t.false(proposal?.healing);
  // 0.6 × the weight of an ordinary VM (0.25) × 6.5 minutes, against half an hour of headroom.
  t.regex(proposal?.because ?? '', /^risk 60 %: .* worth 0\.97 VM-minutes, lost headroom 0\.25$/);
  t.deepEqual(
    proposal?.alternatives.map(({action, rejectedBecause}) => [action, rejectedBecause]),
    [['cordon', '']],
  );
});

test('a cordon is weighed by the mean weight of the VMs on the host', t => {
  const vms = [aVm('v1', 'h1'), aVm('v2', 'h1', {criticality: 0}), aVm('v3', 'h2')];
  const [proposal] = plan(aCell([aRiskyHost('h1')], vms), policy);
  const expected = 0.6 * 0.875 * 6.5;
  t.true(Math.abs((proposal?.alternatives[0]?.gainVmMinutes ?? 0) - expected) < 1e-9);
});

test('a cordon that costs more than it gains is declined, and the numbers are said', t => {
  const costs = {...policy.costs, cordonMinutesPerHour: 10};
  const [proposal] = plan(aCell([aRiskyHost('h1')]), {...policy, costs});
  t.is(brief(proposal as Proposal), 'hosts/h1 none');
  t.regex(proposal?.because ?? '', /^no beneficial action: .* gains 0\.97 and costs 5\.00/);
  t.regex(proposal?.alternatives[0]?.rejectedBecause ?? '', /5\.00 is not below its gain 0\.97/);
});

const uncordonable = [
  {title: 'cannot cordon', host: aRiskyHost('h1', {capabilities: without('cordon-host')})},
  {title: 'is cordoned already', host: aRiskyHost('h1', {cordoned: true})},
  {title: 'has an effect under way', host: aRiskyHost('h1', {busy: true})},
  {title: 'prepares already', host: aRiskyHost('h1', {path: 'at-risk.preparing'})},
  {title: 'is lost', host: aRiskyHost('h1', {lost: true})},
];
for (const {title, host} of uncordonable) {
  test(`a host at risk that ${title} is not cordoned`, t => {
    t.deepEqual(planned([host]), []);
  });
}

test('a host that is only observed, without any capability, gets the plan it would have', t => {
  const host = aRiskyHost('h1', {observeOnly: true, capabilities: []});
  t.deepEqual(planned([host]), ['hosts/h1 cordon']);
});

test('a cleared host is uncordoned when its probation is over, not before', t => {
  const cleared = (agoMs: number) => aHost('h1', {cordoned: true, clearedAtMs: NOW_MS - agoMs});
  t.deepEqual(planned([cleared(policy.probationMs - 1)]), []);
  const [proposal] = plan(aCell([cleared(policy.probationMs)]), policy);
  t.is(brief(proposal as Proposal), 'hosts/h1 uncordon');
  t.true(proposal?.healing);
  t.is(proposal?.because, 'risk back to 1.0 % for 120 s');
});

test('a cordoned host that is at risk, or not yet normal, stays cordoned', t => {
  t.deepEqual(planned([aHost('h1', {cordoned: true, atRisk: true})]), []);
  t.deepEqual(planned([aHost('h1', {cordoned: true, top: 'recovering'})]), []);
});

const silences = [
  {forMs: 29_999, atRisk: false, fenced: false},
  {forMs: 30_000, atRisk: false, fenced: true},
  {forMs: 11_999, atRisk: true, fenced: false},
  {forMs: 12_000, atRisk: true, fenced: true},
];
for (const {forMs, atRisk, fenced} of silences) {
  const who = `a host ${atRisk ? 'at risk' : 'thought well'} that is silent for ${forMs} ms`;
  test(`${who} is ${fenced ? '' : 'not '}fenced`, t => {
    const host = aHost('h1', {suspected: true, silentForMs: forMs, atRisk, risk: 0.4});
    const proposals = plan(aCell([host]), policy);
    t.deepEqual(proposals.map(brief), fenced ? ['hosts/h1 fence'] : []);
    if (fenced) t.is(/was at risk \(40 %\)/.test(proposals[0]?.because ?? ''), atRisk);
  });
}

test('without power control, and once lost, a silent host is not fenced', t => {
  const silent = {suspected: true, silentForMs: 999_999};
  t.deepEqual(planned([aHost('h1', {...silent, capabilities: without('fence-host')})]), []);
  t.deepEqual(planned([aHost('h1', {...silent, lost: true})]), []);
});

test('the VM of a lost host is restarted where there is room, rather in another rack', t => {
  const hosts = [lost, aHost('h2'), aHost('h3', {rack: 'r2', memoryBytes: 64 * GIB})];
  const proposals = plan(aCell(hosts, [aVm('v1', 'h1', downVm)]), policy);
  t.deepEqual(proposals.map(brief), ['vms/v1 restart h3']);
  t.true(proposals[0]?.healing);
  t.is(proposals[0]?.finishesInMs, 180_000);
});

test('a VM whose host left the cell is restarted all the same', t => {
  t.deepEqual(planned([aHost('h2')], [aVm('v1', 'gone', downVm)]), ['vms/v1 restart h2']);
});

test('a restart uses a cordoned or risky host only if nothing else has room', t => {
  const cordoned = aHost('h2', {cordoned: true, clearedAtMs: NOW_MS});
  const vms = [aVm('v1', 'h1', downVm)];
  t.deepEqual(planned([lost, cordoned, aHost('h3')], vms), ['vms/v1 restart h3']);
  const small = aHost('h3', {memoryBytes: 4 * GIB});
  t.deepEqual(planned([lost, cordoned, small], vms), ['vms/v1 restart h2']);
});

test('a VM that fits nowhere else is restarted where it went down, once that host is back', t => {
  const small = aHost('h2', {memoryBytes: 1});
  const home = aHost('h1', {memoryBytes: aVm('v1', 'h1').memoryBytes * 1.5});
  const vms = [aVm('v1', 'h1', downVm)];
  t.deepEqual(planned([home, small], vms), ['vms/v1 restart h1']);
  t.deepEqual(planned([{...home, lost: true}, small], vms), ['vms/v1 none']);
});

test('who is restarted elsewhere leaves room for the next one', t => {
  const [h1, h2] = ['h1', 'h2'].map(name => aHost(name, {memoryBytes: 20 * GIB}));
  const big = {...downVm, memoryBytes: 16 * GIB};
  const hosts = [h1, h2, aHost('h3', {lost: true})] as ReturnType<typeof aHost>[];
  const vms = [aVm('v1', 'h1', big), aVm('v2', 'h3', big)];
  t.deepEqual(planned(hosts, vms), ['vms/v1 restart h2', 'vms/v2 restart h1']);
});

const unusable = [
  {because: 'lost', host: aHost('h2', {lost: true})},
  {because: 'silent', host: aHost('h2', {suspected: true})},
  {because: 'only observed', host: aHost('h2', {observeOnly: true})},
  {because: 'not answering this epoch', host: aHost('h2', {frozen: true})},
];
for (const {because, host} of unusable) {
  test(`a restart waits rather than use a host that is ${because}`, t => {
    const [proposal] = plan(aCell([lost, host], [aVm('v1', 'h1', downVm)]), policy);
    t.is(brief(proposal as Proposal), 'vms/v1 none');
    t.deepEqual(
      (proposal?.because ?? '').slice('no target: '.length).split(', ').sort(),
      [`1 ${because}`, '1 is the source'].sort(),
    );
  });
}

test('a pinned VM waits for its host', t => {
  const pinned = aVm('v1', 'h1', {...downVm, pinnedReason: 'passthrough GPU'});
  const [proposal] = plan(aCell([lost, aHost('h2')], [pinned]), policy);
  t.is(brief(proposal as Proposal), 'vms/v1 none');
  t.is(proposal?.because, 'waits for h1: it cannot run elsewhere (passthrough GPU)');
});

test('a VM whose restart is under way is left alone', t => {
  t.deepEqual(planned([lost, aHost('h2')], [aVm('v1', 'h1', {...downVm, busy: true})]), []);
});

test('a VM that its ghost serves goes home when home is healthy', t => {
  const proposals = plan(aCell([aHost('h1'), aHost('h2')], [aVm('v1', 'h2', servedVm)]), policy);
  t.deepEqual(proposals.map(brief), ['vms/v1 fail-back h1']);
  t.is(proposals[0]?.because, 'h1 is back and healthy (1.0 %)');
  t.true(proposals[0]?.healing);
});

const unhealthyHomes = [
  {title: 'is gone', homes: []},
  {title: 'is lost', homes: [aHost('h1', {lost: true})]},
  {title: 'is silent', homes: [aHost('h1', {suspected: true})]},
  {title: 'is still being verified', homes: [aHost('h1', {top: 'recovering'})]},
  {title: 'is cordoned', homes: [aHost('h1', {cordoned: true, clearedAtMs: NOW_MS})]},
  {title: 'is at risk', homes: [aHost('h1', {atRisk: true})]},
  {title: 'is only observed', homes: [aHost('h1', {observeOnly: true})]},
  {title: 'has not answered this epoch', homes: [aHost('h1', {frozen: true})]},
];
for (const {title, homes} of unhealthyHomes) {
  test(`a VM does not go home when home ${title}`, t => {
    t.deepEqual(planned([...homes, aHost('h2')], [aVm('v1', 'h2', servedVm)]), []);
  });
}

test('a VM whose home was filled meanwhile stays with its ghost, and says why', t => {
  const others = aVm('v2', 'h1', {memoryBytes: 120 * GIB});
  const cell = aCell([aHost('h1'), aHost('h2')], [aVm('v1', 'h2', servedVm), others]);
  const [proposal] = plan(cell, policy);
  t.is(brief(proposal as Proposal), 'vms/v1 none');
  t.is(proposal?.because, 'stays on h2: h1 is without memory');
});

test('who goes home takes the room there before others of the same plan', t => {
  const hosts = [aHost('h1', {memoryBytes: 12 * GIB}), aHost('h2'), aRiskyHost('h3')];
  const vms = [aVm('v1', 'h2', servedVm), aRiskyVm('v2', 'h3', {memoryBytes: 8 * GIB})];
  const small = {...hosts[1], memoryBytes: 10 * GIB} as (typeof hosts)[number];
  const [home, , moved] = plan(aCell([hosts[0], small, hosts[2]] as typeof hosts, vms), policy);
  t.is(brief(home as Proposal), 'vms/v1 fail-back h1');
  t.is(moved?.targetHost, '', 'moved to where v1 goes');
});

test('healing comes first, then hosts, then VMs; VMs by criticality, then by name', t => {
  const hosts = [lost, aRiskyHost('h2'), aHost('h3'), aHost('h4', {rack: 'r2'})];
  const vms = [
    aVm('v1', 'h1', {...downVm, criticality: 0.2}),
    aVm('v2', 'h1', downVm),
    aRiskyVm('v3', 'h2', {criticality: 0.8}),
    aRiskyVm('v5', 'h2'),
    aRiskyVm('v4', 'h2'),
  ];
  t.deepEqual(
    plan(aCell(hosts, vms), policy).map(({entity}) => entity),
    ['vms/v2', 'vms/v1', 'hosts/h2', 'vms/v4', 'vms/v5', 'vms/v3'],
  );
});

test('room is counted where a VM is, where its ghost is and where it is going', t => {
  const hosts = [aRiskyHost('h1'), aHost('h2', {memoryBytes: 20 * GIB})];
  const going = (changes: Partial<ReturnType<typeof aVm>>) =>
    plan(aCell(hosts, [aRiskyVm('v1', 'h1'), aVm('v2', 'h9', changes)]), policy)
      .filter(({entity}) => entity === 'vms/v1')
      .map(brief);
  const big = {memoryBytes: 16 * GIB};
  t.deepEqual(going(big), ['vms/v1 migrate h2']);
  t.deepEqual(going({...big, host: 'h2'}), ['vms/v1 none']);
  t.deepEqual(going({...big, ghostHost: 'h2', ghostArmed: true}), ['vms/v1 none']);
  t.deepEqual(going({...big, targetHost: 'h2'}), ['vms/v1 none']);
  // A migration to one's own ghost takes the room once.
  const twice = {memoryBytes: 10 * GIB, ghostHost: 'h2', targetHost: 'h2'};
  t.deepEqual(going(twice), ['vms/v1 migrate h2']);
});
