import assert from 'node:assert/strict';
import test from 'ava';
import {interruptionCost} from '../../core/domain/cost.ts';
import type {CellView, HostView, VmView} from '../../core/domain/fleet.ts';
import {plan} from '../../core/domain/planner.ts';
import type {Proposal} from '../../core/domain/proposal.ts';
import fc from '../support/fast-check.ts';
import {aCell, aHost, aRiskyHost, aRiskyVm, aVm, GIB, policy} from './cells.ts';

const ratio = fc.integer({min: 0, max: 100}).map(percent => percent / 100);

const hostSpec = fc.record({
  kind: fc.constantFrom('healthy', 'healthy', 'risky', 'cordoned', 'lost', 'silent'),
  rack: fc.constantFrom('r1', 'r2'),
  gib: fc.integer({min: 16, max: 128}),
  cpuCores: fc.integer({min: 8, max: 32}),
  risk: ratio,
});
const vmSpec = fc.record({
  on: fc.nat(5),
  other: fc.nat(5),
  kind: fc.constantFrom('risky', 'risky', 'down', 'served', 'normal', 'guarded'),
  gib: fc.integer({min: 1, max: 24}),
  cpuP95Cores: fc.constantFrom(0, 0.5, 2, 4.5),
  criticality: ratio,
  hot: fc.boolean(),
  group: fc.constantFrom('', '', 'g1', 'g2'),
});

type HostSpec = typeof hostSpec extends fc.Arbitrary<infer T> ? T : never;
type VmSpec = typeof vmSpec extends fc.Arbitrary<infer T> ? T : never;

function hostOf({kind, rack, gib, cpuCores, risk}: HostSpec, index: number): HostView {
  const size = {rack, cpuCores, memoryBytes: gib * GIB};
  const name = `h${index}`;
  if (kind === 'risky') return aRiskyHost(name, {...size, risk: 0.25 + 0.75 * risk});
  return aHost(name, {
    ...size,
    risk: 0.24 * risk,
    cordoned: kind === 'cordoned',
    lost: kind === 'lost',
    suspected: kind === 'silent',
  });
}

function vmOf(spec: VmSpec, index: number, hosts: readonly HostView[]): VmView {
  const at = (choice: number) => hosts[choice % hosts.length]?.name ?? 'nowhere';
  const [name, host, other] = [`v${index}`, at(spec.on), at(spec.other)];
  const facts = {
    memoryBytes: spec.gib * GIB,
    cpuP95Cores: spec.cpuP95Cores,
    criticality: spec.criticality,
    dirtyBytesPerSecond: spec.hot ? 2 * GIB : GIB / 100,
    antiAffinityGroup: spec.group,
  };
  if (spec.kind === 'risky') return aRiskyVm(name, host, facts);
  if (spec.kind === 'down') {
    return aVm(name, host, {...facts, top: 'recovering', path: 'recovering.awaiting-restart'});
  }
  if (spec.kind === 'served' && other !== host) {
    const serving = {top: 'ghost-active', path: 'ghost-active.serving'} as const;
    return aVm(name, host, {...facts, ...serving, homeHost: other});
  }
  if (spec.kind === 'guarded' && other !== host) {
    const guarded = {path: 'at-risk.protected', ghostHost: other, ghostArmed: true};
    return aRiskyVm(name, host, {...facts, ...guarded});
  }
  return aVm(name, host, facts);
}

const cells = fc
  .tuple(
    fc.array(hostSpec, {minLength: 2, maxLength: 6, size: 'max'}),
    fc.array(vmSpec, {minLength: 1, maxLength: 14, size: 'max'}),
  )
  .map(([hostSpecs, vmSpecs]): CellView => {
    const hosts = hostSpecs.map(hostOf);
    return aCell(
      hosts,
      vmSpecs.map((spec, index) => vmOf(spec, index, hosts)),
    );
  });

const takesRoom = ['migrate', 'arm-ghost', 'restart', 'fail-back'];

/** What a plan puts on each host, with what is there already. */
function loadOf({vms}: CellView, proposals: readonly Proposal[], host: string) {
  const here = vms.filter(vm => vm.host === host);
  const ghosts = vms.filter(vm => vm.ghostHost === host && vm.host !== host);
  const arriving = proposals
    .filter(({targetHost, action}) => targetHost === host && takesRoom.includes(action))
    .map(({entity, action}) => ({
      action,
      vm: vms.find(vm => `vms/${vm.name}` === entity) as VmView,
    }));
  // A VM that a loss took away holds no room any more once it is restarted elsewhere.
  const left = new Set(
    proposals.filter(({action}) => action === 'restart').map(({entity}) => entity.slice(4)),
  );
  const staying = here.filter(vm => !left.has(vm.name));
  const bytes = (views: readonly VmView[]) => views.reduce((sum, vm) => sum + vm.memoryBytes, 0);
  const moved = arriving.filter(({action}) => action !== 'arm-ghost').map(({vm}) => vm);
  const armed = arriving.filter(({action}) => action === 'arm-ghost').map(({vm}) => vm);
  return {
    arriving: arriving.length,
    armed: armed.length,
    bytes: bytes([...staying, ...ghosts, ...moved, ...armed]),
    ghostBytes: bytes([...ghosts, ...armed]),
    cores: [...staying, ...moved].reduce((sum, vm) => sum + vm.cpuP95Cores, 0),
    moved: moved.length,
    groups: [...moved, ...armed].map(vm => vm.antiAffinityGroup).filter(group => group !== ''),
  };
}

test('no plan over-commits a target, whatever its proposals are together', t => {
  const seen = new Set<string>();
  fc.assert(
    fc.property(cells, cell => {
      const proposals = plan(cell, policy);
      for (const {action} of proposals) seen.add(action);
      for (const {name, memoryBytes, cpuCores} of cell.hosts) {
        const load = loadOf(cell, proposals, name);
        if (load.arriving === 0) continue;
        const {memoryLimitRatio, cpuLimitRatio} = policy.target;
        assert.ok(load.bytes <= memoryBytes * memoryLimitRatio, `memory of ${name}`);
        if (load.moved > 0)
          assert.ok(load.cores <= cpuCores * cpuLimitRatio + 1e-9, `CPU of ${name}`);
        if (load.armed > 0) assert.ok(load.ghostBytes <= memoryBytes * 0.25, `ghosts on ${name}`);
        assert.equal(new Set(load.groups).size, load.groups.length, `anti-affinity on ${name}`);
      }
    }),
    {numRuns: 1000},
  );
  for (const action of takesRoom) t.true(seen.has(action), `no cell led to ${action}`);
});

test('targets are other hosts that answer; only what is down goes where others must not', t => {
  fc.assert(
    fc.property(cells, cell => {
      for (const {targetHost, host, action} of plan(cell, policy)) {
        if (targetHost === '') continue;
        const target = cell.hosts.find(({name}) => name === targetHost);
        assert.ok(target !== undefined && (targetHost !== host || action === 'restart'));
        assert.ok(!target.lost && !target.suspected && !target.frozen && !target.observeOnly);
        if (action !== 'restart') assert.ok(!target.cordoned && !target.atRisk);
      }
    }),
    {numRuns: 300},
  );
  t.pass();
});

test('each entity has at most one proposal, and the same cell gives the same plan', t => {
  fc.assert(
    fc.property(cells, cell => {
      const proposals = plan(cell, policy);
      assert.equal(new Set(proposals.map(({entity}) => entity)).size, proposals.length);
      assert.deepEqual(plan(structuredClone(cell), policy), proposals);
    }),
    {numRuns: 200},
  );
  t.pass();
});

test('every proposal says why, and what was not taken has its reason', t => {
  fc.assert(
    fc.property(cells, cell => {
      for (const {because, alternatives, action} of plan(cell, policy)) {
        assert.notEqual(because, '');
        assert.doesNotMatch(because, /NaN|undefined|Infinity/);
        for (const rung of alternatives) {
          assert.equal(rung.rejectedBecause === '', rung.action === action);
        }
      }
    }),
    {numRuns: 300},
  );
  t.pass();
});

test('a chosen rung gains more than it costs and more than the other', t => {
  fc.assert(
    fc.property(cells, cell => {
      for (const {action, alternatives} of plan(cell, policy)) {
        const chosen = alternatives.find(rung => rung.action === action);
        if (chosen === undefined) continue;
        const surplus = chosen.gainVmMinutes - chosen.costVmMinutes;
        assert.ok(surplus > 0);
        for (const rung of alternatives) {
          assert.ok(rung.gainVmMinutes - rung.costVmMinutes <= surplus);
        }
      }
    }),
    {numRuns: 300},
  );
  t.pass();
});

test('more risk, or more criticality, never lowers the gain of a rung', t => {
  const gains = (risk: number, criticality: number) =>
    plan(
      aCell(
        [aRiskyHost('h1', {risk}), aHost('h2')],
        [aRiskyVm('v1', 'h1', {criticality: 0.7 + 0.3 * criticality})],
      ),
      policy,
    )
      .find(({entity}) => entity === 'vms/v1')
      ?.alternatives.map(({gainVmMinutes}) => gainVmMinutes) ?? [];
  fc.assert(
    fc.property(ratio, ratio, ratio, ratio, (r1, r2, c1, c2) => {
      const less = gains(Math.min(r1, r2), Math.min(c1, c2));
      const more = gains(Math.max(r1, r2), Math.max(c1, c2));
      assert.equal(more.length, 2);
      more.forEach((gain, rung) => {
        assert.ok(gain >= (less[rung] as number));
      });
    }),
  );
  t.pass();
});

test('no gain is above what is at stake', t => {
  fc.assert(
    fc.property(cells, cell => {
      for (const {entity, alternatives} of plan(cell, policy)) {
        const vm = cell.vms.find(({name}) => entity === `vms/${name}`);
        if (vm === undefined) continue;
        const atStake = interruptionCost({...vm, ghostArmed: false}, policy.costs);
        for (const rung of alternatives) assert.ok(rung.gainVmMinutes <= atStake);
      }
    }),
  );
  t.pass();
});
