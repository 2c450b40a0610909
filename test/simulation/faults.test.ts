import test from 'ava';
import {seededRandom} from '../../core/adapters/random-seeded.ts';
import {HOST_METRICS} from '../../core/domain/metric-sets.ts';
import {weibull} from '../../core/simulation/draws.ts';
import {
  DISTURBANCE_KINDS,
  drawEpisodes,
  type Episode,
  FAULT_KINDS,
  type FaultKind,
  type FaultPlan,
  severity,
} from '../../core/simulation/faults.ts';
import {gaussian, poisson, uniform} from '../../core/simulation/noise.ts';
import type {SimulatedHost} from '../../core/simulation/world.ts';
import {datacenter, HOUR_MS, pass, START_MS} from './support.ts';

const plan: FaultPlan = {
  startMs: START_MS,
  durationMs: HOUR_MS,
  repairFactor: 12,
  kinds: FAULT_KINDS,
  disturbances: true,
  rateFactor: 1,
};

const fleets = Array.from({length: 60}, (_, fleet) =>
  Array.from({length: 24}, (_, host) => drawEpisodes(seededRandom(`${fleet}/${host}`), plan)),
);
const endMs = START_MS + HOUR_MS;
const mean = (counts: readonly number[]) => counts.reduce((a, b) => a + b, 0) / counts.length;

/** What each kind of fault shows, and which way it goes. */
const PRECURSORS: Record<Exclude<FaultKind, 'hang'>, readonly [string, 1 | -1]> = {
  dimm: ['memory_corrected_errors_per_second', 1],
  disk: ['disk_latency_seconds', 1],
  psu: ['voltage_deviation_ratio', 1],
  nic: ['network_errors_per_second', 1],
  overheat: ['temperature_margin_celsius', -1],
  leak: ['memory_used_ratio', 1],
};

test('an hour of 24 hosts has about five failures and four false alarms', t => {
  const failures = fleets.map(hosts => count(hosts, e => e.component !== undefined));
  const alarms = fleets.map(hosts => count(hosts, e => e.component === undefined));
  t.true(mean(failures) > 4 && mean(failures) < 7, `${mean(failures)} failures`);
  t.true(mean(alarms) > 3 && mean(alarms) < 5, `${mean(alarms)} false alarms`);

  function count(hosts: readonly Episode[][], accept: (episode: Episode) => boolean): number {
    return hosts.flat().filter(episode => accept(episode) && episode.peakMs <= endMs).length;
  }
});

test('every kind of fault and disturbance is drawn', t => {
  const kinds = new Set(fleets.flat(2).map(episode => episode.kind));
  t.deepEqual([...kinds].sort(), [...FAULT_KINDS, ...DISTURBANCE_KINDS].sort());
});

test('a ramp lasts 5 to 25 minutes, that of a hang seconds', t => {
  for (const episode of fleets.flat(2)) {
    const minutes = episode.rampMs / 60_000;
    if (episode.kind === 'hang') t.true(minutes <= 0.1);
    else t.true(minutes >= 5 && minutes <= 25);
  }
});

test('a fault grows to its failure; a disturbance turns before it and fades to nothing', t => {
  for (const episode of fleets.flat(2)) {
    t.is(severity(episode, episode.onsetMs), 0);
    const peak = severity(episode, episode.peakMs);
    if (episode.component === undefined) {
      t.true(peak < 0.9);
      t.is(severity(episode, episode.endMs), 0);
      t.true(severity(episode, episode.endMs - 5000) < peak);
    } else {
      t.true(peak > 0.99);
    }
  }
});

test('repairs take the recorded times divided by the factor, at least a minute', t => {
  for (const hosts of fleets) {
    for (const episode of hosts.flat()) {
      if (episode.component !== undefined) t.true(episode.endMs - episode.peakMs >= 60_000);
    }
  }
  const disks = fleets.flat(2).filter(episode => episode.kind === 'disk');
  const minutes = disks.map(e => (e.endMs - e.peakMs) / 60_000).sort((a, b) => a - b);
  const median = minutes[minutes.length >> 1] ?? 0;
  t.true(median > 165 / 12 / 1.5 && median < (165 / 12) * 1.5, `${median} min`);
});

for (const kind of Object.keys(PRECURSORS) as (keyof typeof PRECURSORS)[]) {
  test(`a failing ${kind} shows in the telemetry minutes before it fails`, t => {
    const {world, host, episode} = hostWith(kind);
    const [metric, sign] = PRECURSORS[kind];
    const column = HOST_METRICS.columns.indexOf(metric);
    const healthy = average(host, column, episode.onsetMs - 61_000, 60);
    const failing = average(host, column, episode.peakMs - 121_000, 60);
    t.true(sign * (failing.mean - healthy.mean) > 4 * healthy.deviation, `${kind} is invisible`);
    t.true(world.isReporting(host.name));
    world.step(episode.peakMs + 1000);
    t.false(world.isReporting(host.name));
    world.step(episode.endMs + 1000);
    t.true(world.isReporting(host.name));

    function average(of: SimulatedHost, at: number, fromMs: number, seconds: number) {
      world.step(fromMs);
      const values: number[] = [];
      for (let second = 0; second < seconds; second++) {
        pass(world, 1);
        values.push(world.readHost(of.name)[at] as number);
      }
      const center = mean(values);
      const variance = mean(values.map(value => (value - center) ** 2));
      return {mean: center, deviation: Math.sqrt(variance / seconds)};
    }
  });
}

test('a hang shows nothing until seconds before: its host looks like one without faults', t => {
  const {world, host, episode} = hostWith('hang');
  const calm = datacenter(world.seed, {faults: 'none', disturbances: false});
  world.step(episode.peakMs - 8000);
  calm.step(episode.peakMs - 8000);
  t.deepEqual(world.readHost(host.name), calm.readHost(host.name));
  world.step(episode.peakMs + 1000);
  t.is(host.state, 'hung');
});

test('disturbances alone never take a host down', t => {
  for (const seed of [1, 2, 3]) {
    const world = datacenter(seed, {faults: 'none', rateFactor: 20});
    for (let minute = 0; minute < 60; minute++) {
      pass(world, 60);
      for (const host of world.hosts) t.true(world.isReporting(host.name));
    }
  }
});

test('how parts fail decides what is left of the host', t => {
  const states = {
    dimm: 'crashed',
    disk: 'crashed',
    psu: 'off',
    nic: 'unreachable',
    leak: 'crashed',
  };
  for (const [kind, state] of Object.entries(states)) {
    const {world, host, episode} = hostWith(kind as FaultKind);
    const vm = world.vms.find(one => one.host === host);
    world.step(episode.peakMs + 1000);
    t.is(host.state, state as SimulatedHost['state']);
    t.is(vm?.state, kind === 'nic' ? 'running' : 'dead');
  }
});

test('VMs that nobody took elsewhere start again when their host is repaired', t => {
  const {world, host, episode} = hostWith('dimm');
  const mine = world.vms.filter(vm => vm.host === host);
  world.step(episode.endMs + 1000);
  t.true(mine.every(vm => vm.state === 'booting'));
  pass(world, 61);
  t.true(mine.every(vm => vm.state === 'running'));
  t.true(world.ledger.summary(world.nowMs).interruptions === mine.length);
});

test('noise is uniform, gaussian and Poisson enough', t => {
  const draws = Array.from({length: 20_000}, (_, second) => second);
  const uniforms = draws.map(second => uniform(7, second, 1));
  t.true(Math.abs(mean(uniforms) - 0.5) < 0.01);
  const normals = draws.map(second => gaussian(7, second, 2));
  t.true(Math.abs(mean(normals)) < 0.03);
  t.true(Math.abs(mean(normals.map(value => value * value)) - 1) < 0.05);
  for (const rate of [0.002, 0.5, 8, 40]) {
    const counts = draws.map(second => poisson(rate, 7, second, 3));
    t.true(Math.abs(mean(counts) - rate) < 0.05 * rate + 0.002, `Poisson ${rate}`);
  }
});

test('Weibull draws have the mean that was asked for', t => {
  const random = seededRandom('weibull');
  for (const shape of [0.65, 0.75, 1]) {
    const draws = Array.from({length: 100_000}, () => weibull(random, 4, shape));
    t.true(Math.abs(mean(draws) - 4) < 0.1, `shape ${shape}: ${mean(draws)}`);
  }
});

/** A host whose first fault is of this kind, with time before it, in a world without false alarms. */
function hostWith(kind: FaultKind) {
  for (let seed = 0; seed < 200; seed++) {
    const name = `${kind}/${seed}`;
    const world = datacenter(name, {faults: [kind], disturbances: false});
    for (const host of world.hosts) {
      const episode = host.episodes[0];
      const tooEarly = episode === undefined || episode.onsetMs < START_MS + 400_000;
      if (tooEarly || host.traits.missing.includes(1) || episode.endMs > endMs) continue;
      return {world: Object.assign(world, {seed: name}), host, episode};
    }
  }
  throw new Error(`no host has a failing ${kind}`);
}
