/** What a tick keeps instead of looking at everything says the same as looking at everything. */
import test from 'ava';
import type {IssuedEffect} from '../../core/domain/effects.ts';
import type {InventoryHost} from '../../core/domain/telemetry.ts';
import {RunningEffects} from '../../core/engine/running-effects.ts';
import {isSameInventory} from '../../core/engine/same-inventory.ts';
import {SortedMap} from '../../core/engine/sorted-map.ts';
import fc from '../support/fast-check.ts';
import {createRig, hostFacts, second, vm} from '../support/partition.ts';
import {hexOf} from '../support/replay.ts';

const HOSTS = ['a', 'b', 'c', 'd'];
const risk = fc.constantFrom(0, 0, 0, 0.15, 0.5);
const risks = fc.array(fc.record({a: risk, b: risk, c: fc.constantFrom(0, 0.5, null), d: risk}), {
  minLength: 10,
  maxLength: 40,
});
type Risks = Record<string, number | null>;

/** The journal of some seconds; null: the host says nothing. */
async function journal(risks: readonly Risks[], touchAll: boolean) {
  const rig = createRig({policy: {breaker: {hostsAtRiskRatio: 1, hostsAtRiskMin: 9}}});
  rig.agents.begin(({kind}) => (kind === 'fence-host' ? 'failed' : 'done'));
  const runtime = await rig.start();
  const {actors} = runtime.state;
  for (const step of risks) {
    const hosts = HOSTS.filter(host => step[host] !== null).map(host => [
      host,
      {risk: step[host] as number, vms: [vm(`${host}1`, {criticality: 0.9}), vm(`${host}2`)]},
    ]);
    if (touchAll) {
      for (const stored of actors.stored()) {
        actors.start(stored.kind, stored.id.slice(stored.id.indexOf('/') + 1), stored);
      }
    }
    await second(rig, runtime, Object.fromEntries(hosts));
  }
  const moves = rig.ticks.flatMap(({transitions}) => transitions.filter(({to}) => to !== 'normal'));
  return {ticks: rig.ticks.map(hexOf), moves: moves.length};
}

test('risk spreads to the same VMs at the same time as if all were looked at', async t => {
  let moves = 0;
  await fc.assert(
    fc.asyncProperty(risks, async steps => {
      const [few, all] = [await journal(steps, false), await journal(steps, true)];
      t.deepEqual(few.ticks, all.ticks);
      moves += all.moves;
    }),
    {numRuns: 20},
  );
  t.true(moves > 100, `only ${moves} moves`);
});

test('an actor is busy exactly while an effect of its own is under way', t => {
  const effect = fc.record({
    id: fc.constantFrom('1', '2', '3', '4'),
    host: fc.constantFrom('a', 'b'),
    vm: fc.constantFrom('', 'v1', 'v2'),
    ends: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(effect, {maxLength: 30}), steps => {
      const effects = new RunningEffects();
      for (const {ends, ...fields} of steps) {
        if (ends) effects.delete(fields.id);
        else effects.set(fields.id, {...(fields as IssuedEffect), issuedAtMs: 0});
        const again = RunningEffects.of(effects);
        const running = [...effects.values()];
        for (const name of ['v1', 'v2']) {
          const isThere = running.some(({vm}) => vm === name);
          t.deepEqual([effects.isVmBusy(name), again.isVmBusy(name)], [isThere, isThere]);
        }
        for (const name of ['a', 'b']) {
          const isThere = running.some(({host, vm}) => vm === '' && host === name);
          t.deepEqual([effects.isHostBusy(name), again.isHostBusy(name)], [isThere, isThere]);
        }
      }
      effects.clear();
      t.false(effects.isHostBusy('a'));
    }),
  );
});

test('sorted keys are the keys in order, whatever came and went', t => {
  const act = fc.record({key: fc.string({maxLength: 2}), act: fc.constantFrom('set', 'delete')});
  fc.assert(
    fc.property(fc.array(act), acts => {
      const map = new SortedMap<number>();
      for (const {key, act} of acts) {
        if (act === 'set') map.set(key, 1);
        else map.delete(key);
        t.deepEqual(map.sortedKeys(), [...map.keys()].sort());
      }
      t.deepEqual(SortedMap.of(map).sortedKeys(), map.sortedKeys());
      map.clear();
      t.deepEqual(map.sortedKeys(), []);
    }),
  );
});

test('two inventories are the same exactly when their texts are', t => {
  const some = hostFacts('a', {vms: [vm('v1'), vm('v2')]});
  const changed = (host: InventoryHost): InventoryHost[] => [
    ...Object.entries(host).map(([key, value]) => ({...host, [key]: otherThan(value)})),
    ...Object.entries(vm('v2')).map(([key, value]) => ({
      ...host,
      vms: [vm('v1'), {...vm('v2'), [key]: otherThan(value)}],
    })),
  ];
  t.true(isSameInventory(some, structuredClone(some)));
  for (const other of changed(some)) t.false(isSameInventory(some, other), JSON.stringify(other));
});

function otherThan(value: unknown): unknown {
  if (typeof value === 'number') return value + 1;
  if (typeof value === 'string') return `${value}!`;
  return Array.isArray(value) ? value.slice(1) : !value;
}
