import test from 'ava';
import {HOST_METRICS} from '../../core/domain/metric-sets.ts';
import type {FaultKind} from '../../core/simulation/faults.ts';
import {datacenter, HOUR_MS, pass, START_MS} from './support.ts';

const column = (name: string) => HOST_METRICS.columns.indexOf(name);

/** What parts, logs and applications say before each kind of failure. */
const SIGNS: Record<Exclude<FaultKind, 'hang'>, readonly string[]> = {
  dimm: ['log_memory_faults_per_minute', 'cpu_machine_checks_per_second'],
  disk: [
    'disk_pending_sectors',
    'disk_reallocated_sectors',
    'disk_new_defects_per_day',
    'log_disk_faults_per_minute',
    'application_latency_seconds',
  ],
  psu: ['log_power_faults_per_minute'],
  nic: [
    'network_link_errors_per_second',
    'application_errors_ratio',
    'log_network_faults_per_minute',
  ],
  overheat: ['disk_temperature_celsius', 'log_cpu_faults_per_minute'],
  leak: ['application_latency_seconds', 'application_errors_ratio', 'services_failed_per_minute'],
};

for (const kind of Object.keys(SIGNS) as (keyof typeof SIGNS)[]) {
  test(`what parts, logs and applications say changes minutes before a failing ${kind}`, t => {
    const {world, host, episode} = hostWith(kind);
    const before = averages(episode.onsetMs - 121_000);
    const after = averages(episode.peakMs - 151_000);
    for (const name of SIGNS[kind]) {
      const [calm, sick] = [before[column(name)] ?? 0, after[column(name)] ?? 0];
      t.true(sick > 1.1 * calm && sick > 0, `${name}: ${calm} before, ${sick} at last`);
    }

    function averages(fromMs: number): number[] {
      world.step(fromMs);
      const sums = HOST_METRICS.columns.map(() => 0);
      for (let second = 0; second < 120; second++) {
        pass(world, 1);
        host.values.forEach((value, at) => {
          sums[at] = (sums[at] ?? 0) + value / 120;
        });
      }
      return sums;
    }
  });
}

test('a disk keeps its bad sectors when it was a false alarm, and is new after it failed', t => {
  const {world, host, episode} = hostWith('disk');
  world.step(episode.peakMs - 1000);
  t.true((host.values[column('disk_reallocated_sectors')] ?? 0) > 0);
  world.step(episode.endMs + 2000);
  t.is(host.values[column('disk_reallocated_sectors')], 0);
  t.is(host.values[column('disk_age_hours')], 0);
  const alarmed = datacenter('sectors', {faults: 'none', rateFactor: 12});
  const scarred = alarmed.hosts.find(one =>
    one.episodes.some(({kind, variant}) => kind === 'remapped-sector' && variant < 0.5),
  );
  const alarm = scarred?.episodes.find(({kind}) => kind === 'remapped-sector');
  if (scarred === undefined || alarm === undefined) throw new Error('no sector is remapped');
  const atFirst = scarred.wear.reallocated;
  alarmed.step(alarm.endMs + 1_200_000);
  t.true(scarred.wear.reallocated >= atFirst + 1);
  t.is(scarred.outages.length, 0);
});

test('every column is measured in a world with people, but for what agents conclude', t => {
  const world = datacenter('columns', {hosts: 40, vms: 80, intents: 'usual', rateFactor: 12});
  const seen = new Set<string>();
  const changed = new Set<string>();
  const first = new Map<string, number>();
  for (let second = 0; second < 2400; second++) {
    pass(world, 1);
    for (const {values} of world.hosts) {
      HOST_METRICS.columns.forEach((name, at) => {
        const value = values[at] as number;
        if (Number.isNaN(value) || changed.has(name)) return;
        seen.add(name);
        if (!first.has(name)) first.set(name, value);
        else if (first.get(name) !== value) changed.add(name);
      });
    }
  }
  const concluded = HOST_METRICS.columns.filter(name => /^anomalous|_probability$/.test(name));
  t.deepEqual(
    [...HOST_METRICS.columns].filter(name => !seen.has(name)),
    concluded,
  );
  const still = HOST_METRICS.columns.filter(name => seen.has(name) && !changed.has(name));
  t.deepEqual(still, ['time_weekend_ratio'], 'it is Monday all the time');
});

test('sessions, flags and shares stay what they are', t => {
  const world = datacenter('bounds', {hosts: 40, vms: 200, intents: 'usual', rateFactor: 8});
  // How much more often than evenly: no share.
  const relative = /^boot_(hour|weekday)_affinity/;
  const ratios = HOST_METRICS.columns.flatMap((name, at) =>
    name.endsWith('_ratio') && !relative.test(name) ? [at] : [],
  );
  const counted = HOST_METRICS.columns.flatMap((name, at) =>
    /^(sessions|commands|log|services|disk_.*sectors|boots)/.test(name) ? [at] : [],
  );
  for (let step = 0; step < 360; step++) {
    pass(world, 10);
    for (const {name, values} of world.hosts) {
      for (const at of [...ratios, ...counted]) {
        const value = values[at] as number;
        const isBroken = value < 0 || (value > 1 && ratios.includes(at));
        if (isBroken) t.fail(`${name}: ${HOST_METRICS.columns[at]} is ${value} at ${step}0 s`);
      }
    }
  }
  t.pass();
});

/** A host whose first fault is of this kind and speaks, in a world without false alarms. */
function hostWith(kind: FaultKind) {
  for (let seed = 0; seed < 200; seed++) {
    const world = datacenter(`${kind}/${seed}`, {faults: [kind], disturbances: false});
    for (const host of world.hosts) {
      const [episode] = host.episodes;
      if (episode === undefined || episode.variant > 0.55 || episode.strength < 0.8) continue;
      if (episode.onsetMs < START_MS + 400_000 || episode.endMs > START_MS + HOUR_MS) continue;
      if (episode.rampMs < 600_000) continue;
      host.traits.missing.fill(0);
      return {world, host, episode};
    }
  }
  throw new Error(`no host has a failing ${kind}`);
}
