import assert from 'node:assert/strict';
import test from 'ava';
import {type ActionKind, actionKinds} from '../../core/domain/decision.ts';
import type {HostView, VmView} from '../../core/domain/fleet.ts';
import {vmProposal} from '../../core/domain/proposal.ts';
import {
  countMove,
  createLedger,
  forbids,
  type Guard,
  type GuardInput,
  groundOf,
  suspectGrounds,
} from '../../core/domain/safety.ts';
import fc from '../support/fast-check.ts';
import {aCell, aHost, aRiskyHost, aRiskyVm, NOW_MS, policy} from './cells.ts';

type Case = {
  action?: ActionKind;
  healing?: boolean;
  component?: string;
  host?: Partial<HostView>;
  target?: Partial<HostView>;
  vm?: Partial<VmView>;
  control?: Partial<GuardInput['control']>;
  breaker?: boolean;
  restrained?: boolean;
  moves?: readonly [from: string, to: string][];
  movesLastHour?: number;
};

/** A migration from h1 to h2 that nothing forbids, but for what the case says. */
function guardOf(change: Case): Guard | undefined {
  const {action = 'migrate', healing = false} = change;
  const vm = aRiskyVm('v1', 'h1', change.vm);
  const host = aRiskyHost('h1', change.host);
  const target = aHost('h2', change.target);
  const ledger = createLedger(change.movesLastHour ?? 0);
  for (const [from, to] of change.moves ?? []) countMove(ledger, from, to);
  return forbids({
    proposal: vmProposal(vm, action, 'h2', 1000, {
      because: 'test',
      healing,
      ...(change.component === undefined ? {} : {component: change.component}),
    }),
    cell: aCell([host, target], [vm]),
    host,
    target,
    vm,
    control: {mode: 'auto', paused: false, policyVersion: 1, ...change.control},
    policy,
    ledger,
    breaker: change.breaker ?? false,
    restrained: change.restrained ?? false,
  });
}

const ago = (ms: number) => NOW_MS - ms;
const busyHost: readonly [string, string][] = [
  ['h1', 'h8'],
  ['h9', 'h1'],
];
const busyTarget: readonly [string, string][] = [
  ['h8', 'h2'],
  ['h9', 'h2'],
];
const busyCell = ['a', 'b', 'c', 'd', 'e', 'f'].map((from): [string, string] => [from, `${from}2`]);

/** In the order in which they speak: each one is silenced by all that follow it. */
const guards: readonly {guard: Guard; because: Case; just: Case}[] = [
  {guard: 'budget-hour', because: {movesLastHour: 120}, just: {movesLastHour: 119}},
  {guard: 'budget-cell', because: {moves: busyCell}, just: {moves: busyCell.slice(1)}},
  {guard: 'budget-host', because: {moves: busyHost}, just: {moves: busyHost.slice(1)}},
  {
    guard: 'dwell',
    because: {vm: {movedAtMs: ago(policy.dwellMs - 1)}},
    just: {vm: {movedAtMs: ago(policy.dwellMs)}},
  },
  {
    guard: 'cooldown',
    because: {vm: {failedAtMs: ago(policy.cooldownMs - 1)}},
    just: {vm: {failedAtMs: ago(policy.cooldownMs)}},
  },
  {guard: 'stale', because: {host: {silentForMs: 10_001}}, just: {host: {silentForMs: 10_000}}},
  {guard: 'skill', because: {restrained: true}, just: {}},
  {guard: 'breaker', because: {breaker: true}, just: {}},
  {guard: 'frozen', because: {target: {frozen: true}}, just: {}},
  {guard: 'paused', because: {control: {paused: true}}, just: {}},
  {guard: 'mode', because: {control: {mode: 'approve'}}, just: {control: {mode: 'auto'}}},
  {guard: 'observe-only', because: {target: {observeOnly: true}}, just: {}},
];

test('nothing forbids what nothing speaks against', t => {
  t.is(guardOf({}), undefined);
});

for (const {guard, because, just} of guards) {
  test(`guard ${guard} speaks at its limit and not below it`, t => {
    t.is(guardOf(because), guard);
    t.is(guardOf(just), undefined);
  });
}

test('of several guards the most final one speaks', t => {
  let all: Case = {};
  for (const {guard, because} of guards) {
    all = {
      ...all,
      ...because,
      host: {...all.host, ...because.host},
      target: {...all.target, ...because.target},
      vm: {...all.vm, ...because.vm},
      control: {...all.control, ...because.control},
    };
    t.is(guardOf(all), guard);
  }
});

test('a busy target counts like a busy source', t => {
  t.is(guardOf({moves: busyTarget}), 'budget-host');
});

test('where prediction does not help nothing is done ahead; healing, proof and what is announced are', t => {
  for (const action of ['cordon', 'migrate', 'arm-ghost'] as const) {
    t.is(guardOf({action, restrained: true}), 'skill', action);
    t.is(guardOf({action, restrained: true, healing: true}), undefined, action);
    const announced = {component: 'reboot', host: {announced: true}, restrained: true};
    t.is(guardOf({action, ...announced}), undefined, action);
    t.is(guardOf({action, ...announced, host: {announced: false}}), 'skill', action);
  }
  for (const action of ['fence', 'retire-ghost'] as const) {
    t.is(guardOf({action, restrained: true}), undefined, action);
  }
});

test('only auto acts', t => {
  for (const mode of ['observe', 'advise', 'approve'] as const) {
    t.is(guardOf({control: {mode}}), 'mode');
    t.is(guardOf({control: {mode}, healing: true}), 'mode');
  }
});

test('lagging samples are as stale as silence', t => {
  t.is(guardOf({host: {lagMs: 10_001}}), 'stale');
});

test('stale knowledge is enough to ask for proof', t => {
  t.is(guardOf({action: 'fence', host: {silentForMs: 60_000}}), undefined);
});

test('a frozen source may lose its VM to a restart, but to nothing else', t => {
  t.is(guardOf({action: 'restart', healing: true, host: {frozen: true}}), undefined);
  t.is(guardOf({action: 'migrate', host: {frozen: true}}), 'frozen');
  t.is(guardOf({action: 'uncordon', healing: true, host: {frozen: true}}), 'frozen');
  t.is(guardOf({action: 'restart', healing: true, target: {frozen: true}}), 'frozen');
});

test('what is done to a host rests after the host’s own failure', t => {
  const cooled = (failedAtMs: number) => {
    const host = aRiskyHost('h1', {failedAtMs});
    return forbids({
      proposal: {
        ...vmProposal(aRiskyVm('v1', 'h1'), 'cordon', '', 0, {because: 'x', healing: false}),
        entity: 'hosts/h1',
      },
      cell: aCell([host]),
      host,
      target: undefined,
      vm: undefined,
      control: {mode: 'auto', paused: false, policyVersion: 1},
      policy,
      ledger: createLedger(0),
      breaker: false,
      restrained: false,
    });
  };
  t.is(cooled(ago(1000)), 'cooldown');
  t.is(cooled(ago(policy.cooldownMs)), undefined);
  t.is(cooled(0), undefined);
});

test('budgets and dwell are for moves: a cordon passes', t => {
  const worn = {moves: [...busyCell, ...busyHost], movesLastHour: 999, vm: {movedAtMs: ago(1)}};
  t.is(guardOf({...worn, action: 'cordon'}), undefined);
  t.is(guardOf({...worn, action: 'arm-ghost'}), 'dwell');
});

test('a proposal about an entity that left the cell is not thought stale', t => {
  const vm = aRiskyVm('v1', 'h9');
  const input = {
    proposal: vmProposal(vm, 'restart', 'h2', 0, {because: 'x', healing: false}),
    cell: aCell([]),
    host: undefined,
    target: undefined,
    vm: undefined,
    control: {mode: 'auto' as const, paused: false, policyVersion: 1},
    policy,
    ledger: createLedger(0),
    breaker: false,
    restrained: false,
  };
  t.is(forbids(input), undefined);
});

test('the breaker and all budgets block harm of any kind, and healing of none', t => {
  const worn: Case = {
    breaker: true,
    moves: [...busyCell, ...busyHost],
    movesLastHour: 999,
    vm: {movedAtMs: ago(1), failedAtMs: ago(1)},
    host: {silentForMs: 99_999, failedAtMs: ago(1)},
  };
  for (const action of actionKinds) {
    t.is(guardOf({...worn, action, healing: true}), undefined, action);
    t.is(guardOf({...worn, action}), 'breaker', action);
  }
});

const breakers = [
  {troubled: 2, hosts: 2, tripped: false, why: 'fewer than three are too few to judge'},
  {troubled: 3, hosts: 7, tripped: true, why: 'three of seven are more than two fifths'},
  {troubled: 4, hosts: 10, tripped: false, why: 'two fifths are not more than two fifths'},
  {troubled: 5, hosts: 10, tripped: true, why: 'five of ten are'},
];
for (const {troubled, hosts, tripped, why} of breakers) {
  test(`the breaker is ${tripped ? 'tripped' : 'quiet'}: ${why}`, t => {
    for (const trouble of [{atRisk: true}, {suspected: true}]) {
      const cell = aCell(
        Array.from({length: hosts}, (_, index) =>
          aHost(`h${index}`, index < troubled ? trouble : {}),
        ),
      );
      t.is(suspectGrounds(cell, policy).has('failure'), tripped);
    }
  });
}

test('hosts that are only observed, and lost ones, are not counted by the breaker', t => {
  const trouble = ['h1', 'h2', 'h3'].map(name => aRiskyHost(name, {observeOnly: true}));
  const lost = ['h4', 'h5', 'h6'].map(name => aRiskyHost(name, {lost: true}));
  t.is(suspectGrounds(aCell([...trouble, ...lost, aHost('h7')]), policy).size, 0);
});

test('a fence is held back by mass silence, not by mass risk', t => {
  const cell = (trouble: object) =>
    aCell(
      ['h1', 'h2', 'h3', 'h4'].map(name => aHost(name, {suspected: name === 'h1', ...trouble})),
    );
  const [atRisk, silent] = [cell({atRisk: true}), cell({suspected: true})];
  t.deepEqual([...suspectGrounds(atRisk, policy)], ['failure']);
  t.deepEqual([...suspectGrounds(silent, policy)], ['silence', 'failure', 'reboot']);
  t.is(groundOf({action: 'fence', component: 'memory'}), 'silence');
});

test('many reboots at once hold back what is done for reboots, not what is done for failing parts', t => {
  const cell = (reboots: number, fields: object, failures: number) =>
    aCell([
      ...Array.from({length: 6}, (_, index) =>
        aHost(`h${index}`, index < reboots ? {atRisk: true, component: 'reboot', ...fields} : {}),
      ),
      ...Array.from({length: 4}, (_, index) =>
        aHost(`i${index}`, index < failures ? {atRisk: true, component: 'disk'} : {}),
      ),
    ]);
  t.deepEqual([...suspectGrounds(cell(5, {}, 4), policy)], ['reboot']);
  t.deepEqual([...suspectGrounds(cell(4, {}, 4), policy)], [], 'neither is more than two fifths');
  t.is(groundOf({action: 'migrate', component: 'reboot'}), 'reboot');
  t.is(groundOf({action: 'migrate', component: 'disk'}), 'failure');
  t.is(suspectGrounds(cell(6, {announced: true}, 0), policy).size, 0, 'people said so: no guess');
});

test('whatever is let through in turn, no budget is exceeded', t => {
  const pair = fc
    .tuple(fc.nat(7), fc.nat(7))
    .filter(([from, to]) => from !== to)
    .map(([from, to]): [string, string] => [`h${from}`, `h${to}`]);
  const hosts = Array.from({length: 8}, (_, index) => aHost(`h${index}`));
  const {concurrentPerHost, concurrentPerCell, movesPerHourPerCell} = policy.budgets;
  fc.assert(
    fc.property(
      fc.array(pair, {maxLength: 30}),
      fc.integer({min: 110, max: 125}),
      (pairs, moves) => {
        const ledger = createLedger(moves);
        const perHost = new Map<string, number>();
        let passed = 0;
        for (const [from, to] of pairs) {
          const vm = aRiskyVm('v1', from);
          const guard = forbids({
            proposal: vmProposal(vm, 'migrate', to, 0, {because: 'x', healing: false}),
            cell: aCell(hosts, [vm]),
            host: hosts.find(({name}) => name === from),
            target: hosts.find(({name}) => name === to),
            vm,
            control: {mode: 'auto', paused: false, policyVersion: 1},
            policy,
            ledger,
            breaker: false,
            restrained: false,
          });
          if (guard !== undefined) continue;
          countMove(ledger, from, to);
          passed++;
          for (const name of [from, to]) perHost.set(name, (perHost.get(name) ?? 0) + 1);
        }
        assert.ok(Math.max(0, ...perHost.values()) <= concurrentPerHost);
        assert.ok(passed <= concurrentPerCell);
        assert.ok(passed === 0 || moves < movesPerHourPerCell);
        assert.equal(ledger.inCell, passed);
      },
    ),
  );
  t.pass();
});
