import test from 'ava';
import type {DriftSnapshot} from '../../../core/domain/drift/snapshot.ts';
import {COMPONENT_CONTRACT} from '../../../core/domain/features.ts';
import type {ObservedRows} from '../../../core/domain/observed.ts';
import {snapshotOf} from '../../../models/failure/snapshot.ts';
import {createDriftWatch} from '../../../models/keeper/drift-watch.ts';
import {FEATURE_HASH, simulateRows} from './simulated-rows.ts';

const LEARNED_MINUTES = 120;

/** Of the rows, as examples of one's own hold them. */
function snapshotOfRows(steps: readonly ObservedRows[], isTold: boolean): DriftSnapshot {
  const hosts = [...new Map(steps.flatMap(step => step.hosts.map(each => [each.name, each])))].map(
    ([, host]) => host,
  );
  const places = new Map(hosts.map(({name}, place) => [name, place]));
  const owners = steps.flatMap(step => step.hosts.map(({name}) => places.get(name) as number));
  const [first] = steps as [ObservedRows];
  return snapshotOf(
    {
      rows: owners.length,
      contract: COMPONENT_CONTRACT,
      outputs: [],
      features: Float32Array.from(steps.flatMap(({features}) => [...features])),
      labels: new Uint8Array(0),
      secondsToFailure: new Float32Array(owners.length).fill(Number.POSITIVE_INFINITY),
      group: Int32Array.from(owners),
      second: Int32Array.from(
        steps.flatMap(step => step.hosts.map(() => (step.atMs - first.atMs) / 1000)),
      ),
    },
    isTold ? {hardware: hosts.map(({hardware}) => hardware)} : {},
  );
}

test('a model that has learned from a fleet of two classes is not told that they differ', t => {
  let looks = 0;
  const alarms = {told: 0, untold: 0};
  for (const seed of [7200, 7201]) {
    const newer = {hosts: 32, afterMinutes: 0};
    const steps = [...simulateRows({seed, hosts: 64, minutes: 210, newer})];
    const learned = steps.slice(0, LEARNED_MINUTES / 5);
    const watches = ([true, false] as const).map(isTold => {
      const snapshot = snapshotOfRows(learned, isTold);
      return createDriftWatch({snapshot, featureHash: FEATURE_HASH, coolDownMs: 0});
    });
    for (const rows of steps.slice(learned.length)) {
      looks++;
      for (const [at, watch] of watches.entries()) {
        watch.observe(rows);
        const {inputsMoved} = watch.report(rows.atMs);
        if (inputsMoved) alarms[at === 0 ? 'told' : 'untold']++;
      }
    }
  }
  t.log(`of ${looks} looks ${alarms.told} alarms, ${alarms.untold} if nobody told them apart`);
  t.true(alarms.told <= looks / 50);
  t.true(alarms.untold > looks / 4);
});
