import test from 'ava';
import {HOST_METRICS} from '../../core/domain/metric-sets.ts';
import {hourOf, weekdayOf} from '../../core/simulation/calendar.ts';
import type {Datacenter} from '../../core/simulation/datacenter.ts';
import {RATES} from '../../core/simulation/intents.ts';
import {drawOccasion, INTENT_KINDS, type Occasion} from '../../core/simulation/occasions.ts';
import {nobody} from '../../core/simulation/people.ts';
import {LAPSE, LIFE} from '../../core/simulation/tempo.ts';
import {drawFleets, median, WEEK_HOURS} from './intent-support.ts';
import {brokenLaw, datacenter, effect, HOUR_MS, pass, START_MS} from './support.ts';

/** A year of 100 fleets of eight hosts. */
const FLEETS = 100;
const life = drawFleets('life', FLEETS, {
  tempo: LIFE,
  durationMs: 52 * WEEK_HOURS * HOUR_MS,
  repairFactor: 1,
});
const maintenance = life.flatMap(({host, rack, occasions}) =>
  occasions.filter(({kind}) => kind === 'maintenance').map(one => ({...one, host, rack})),
);
const shareOf = (accept: (one: (typeof maintenance)[number]) => boolean) =>
  maintenance.filter(accept).length / maintenance.length;

test('planned outages have the hours, the length and the neighbours of those at Los Alamos', t => {
  t.log(`seed life: ${maintenance.length} planned outages`);
  // About 1,700 in groups of about two, half of them in the hour of one of 100 fleets: one
  // standard deviation of a share of two thirds is 0.025.
  const inHours = shareOf(({rebootMs}) => [6, 7, 8, 18].includes(hourOf(rebootMs)));
  t.true(Math.abs(inHours - 0.676) < 0.08, `${inHours} begin at 6 to 8 or 18 h`);
  t.true(shareOf(({rebootMs}) => weekdayOf(rebootMs) >= 5) < 0.06);
  // Half a unit of the logarithm over the root of 1,700, times 1.25 for a median: 1.5 %.
  const minutes = median(maintenance.map(({downMs}) => downMs / 60_000));
  t.true(Math.abs(minutes - 123) < 0.05 * 123, `${minutes} minutes at the median`);
  const together = shareOf(one =>
    maintenance.some(
      other =>
        other.rack === one.rack &&
        other.host !== one.host &&
        Math.abs(other.rebootMs - one.rebootMs) <= HOUR_MS,
    ),
  );
  t.true(Math.abs(together - 0.55) < 0.08, `${together} together with a neighbour`);
});

test('every kind happens as often as its rate says', t => {
  const years = (life.length * (52 * WEEK_HOURS + (LIFE.labelMs + LIFE.leadMs) / HOUR_MS)) / 8766;
  for (const {kind, life: perYear} of RATES) {
    const times = life.flatMap(({occasions}) => occasions.filter(one => one.kind === kind)).length;
    const expected = perYear * years;
    // Poisson, and a habit's hours: the variance is at most about ten times the mean's.
    const tolerance = 4 * Math.sqrt(10 * expected);
    t.true(Math.abs(times - expected) < tolerance, `${kind}: ${times}, expected ${expected}`);
  }
});

test('what shows in a run does not depend on how long the run is', t => {
  for (const [tempo, hours] of [
    [LAPSE, 1],
    [LIFE, 4 * WEEK_HOURS],
  ] as const) {
    const untilMs = START_MS + hours * HOUR_MS;
    const begun = (durationMs: number) =>
      drawFleets('cut', 30, {tempo, durationMs}).map(({occasions}) =>
        occasions.filter(({beginsMs}) => beginsMs <= untilMs),
      );
    const short = begun(hours * HOUR_MS);
    t.true(short.flat().length > 100);
    t.deepEqual(begun(2 * hours * HOUR_MS), short);
  }
});

test('hosts are rebooted at the hours and on the weekdays at which they were before', t => {
  const world = datacenter('habits', {
    hosts: 48,
    vms: 96,
    durationMs: WEEK_HOURS * HOUR_MS,
    intents: 'usual',
    faults: 'none',
  });
  const affinity = {planned: 0, plannedCount: 0, any: 0, anyCount: 0};
  for (const {history, occasions} of world.hosts) {
    const at = (atMs: number) => (history.byHour[hourOf(atMs)] as number) / history.boots.length;
    for (const {kind, rebootMs} of occasions) {
      if (kind !== 'maintenance') continue;
      affinity.planned += at(rebootMs);
      affinity.plannedCount++;
    }
    for (let hour = 0; hour < 24; hour++) affinity.any += at(START_MS + hour * HOUR_MS);
    affinity.anyCount += 24;
  }
  const planned = affinity.planned / affinity.plannedCount;
  t.true(planned > 4 * (affinity.any / affinity.anyCount), `${planned} of earlier boots`);
});

const column = (name: string) => HOST_METRICS.columns.indexOf(name);

/** What a host showed in the seconds before each reboot; oldest first, the last second last. */
type Shown = {occasion: Occasion; rows: Float32Array[]};

/** Twelve hosts of every kind of intent, each with one reboot after three quarters of an hour. */
function watchReboots(seed: string): {shown: Shown[]; world: Datacenter} {
  const options = {hosts: 12 * INTENT_KINDS.length, vms: 90, intents: 'usual'} as const;
  const world = datacenter(seed, {...options, faults: 'none', disturbances: false});
  const plan = {repairFactor: 12, ...LAPSE};
  const due = world.hosts.map(host => {
    const kind = INTENT_KINDS[host.index % INTENT_KINDS.length] as Occasion['kind'];
    const occasion = drawOccasion(host.random.fork('test'), kind, START_MS + 2_700_000, plan);
    host.occasions = [{...occasion, regression: undefined}];
    host.rebootsAtMs = occasion.rebootMs;
    // What was under way already is not looked at.
    host.people = nobody();
    host.traits.hasWatchdog = true;
    host.traits.missing.fill(0);
    return occasion;
  });
  const rows: Float32Array[][] = world.hosts.map(() => []);
  for (let second = 1; second <= 2702; second++) {
    pass(world, 1);
    for (const {index, state, values} of world.hosts) {
      if (state === 'up') rows[index]?.push(values.slice());
    }
  }
  const shown = due.map((occasion, index) => ({occasion, rows: rows[index] ?? []}));
  return {shown, world};
}

const {shown, world: watched} = watchReboots('reboots');

/** For how many of the last seconds a column was above a value without a break. */
function lastsFor({rows}: Shown, name: string, above = 0): number {
  let seconds = 0;
  while (((rows.at(-1 - seconds) ?? [])[column(name)] as number) > above) seconds++;
  return seconds;
}

const of = (kind: Occasion['kind']) => shown.filter(({occasion}) => occasion.kind === kind);

/** What tells of a reboot by itself. */
const SIGNALS = ['sessions_privileged', 'reboot_required_ratio', 'shutdown_scheduled_ratio'];

test('every intent shows in the telemetry before its reboot, as long as people take for it', t => {
  for (const kind of INTENT_KINDS) {
    const seconds = of(kind).map(one => Math.max(...SIGNALS.map(name => lastsFor(one, name))));
    t.log(`seed reboots, ${kind}: ${seconds.sort((a, b) => a - b).join(' ')} s`);
  }
  for (const one of of('maintenance')) t.true(lastsFor(one, 'sessions_privileged') >= 599);
  for (const one of of('upgrade')) {
    t.true(lastsFor(one, 'reboot_required_ratio') >= 23);
    t.true(lastsFor(one, 'sessions_open') >= 23);
    t.true(lastsFor(one, 'commands_power_per_minute') >= 1);
  }
  for (const one of of('kernel-update')) {
    t.true(lastsFor(one, 'kernel_newer_installed_ratio') >= 119);
  }
  for (const one of of('kexec')) t.true(lastsFor(one, 'kexec_loaded_ratio') >= 14);
  for (const one of of('watchdog')) {
    const left = one.rows.slice(-61).map(row => row[column('watchdog_left_ratio')] as number);
    t.true((left[0] ?? 0) > 0.8 && (left.at(-1) ?? 1) < 0.04);
    t.true(lastsFor(one, 'log_errors_per_minute', 0.5) >= 5);
  }
});

test('a scheduled shutdown tells the second in which it comes', t => {
  for (const one of of('scheduled')) {
    const {rows} = one;
    t.true(lastsFor(one, 'shutdown_scheduled_ratio') >= 59);
    const left = rows.slice(-50).map(row => row[column('shutdown_in_seconds')] as number);
    left.forEach((seconds, at) => {
      t.true(Math.abs(seconds - (50 - at)) <= 1, `${seconds} s left, ${50 - at} s before`);
    });
  }
});

test('an ad-hoc reboot gives seconds of warning, or none', t => {
  const warned = of('ad-hoc').map(one => lastsFor(one, 'commands_power_per_minute', 0.01));
  t.true(
    warned.some(seconds => seconds === 0),
    'one of five uses the controller of the board',
  );
  t.true(warned.some(seconds => seconds >= 1));
  t.true(warned.filter(seconds => seconds > 11).length <= 0.1 * warned.length);
});

test('what only looks like a reboot never ends in one', t => {
  const world = datacenter('lookalikes', {
    hosts: 30,
    vms: 60,
    intents: 'usual',
    faults: 'none',
    rateFactor: 8,
  });
  for (const host of world.hosts) {
    host.occasions = host.occasions
      .filter(({rebootMs}) => rebootMs === Number.POSITIVE_INFINITY)
      .map(occasion => ({...occasion, regression: undefined}));
    host.rebootsAtMs = Number.POSITIVE_INFINITY;
  }
  const seen = new Set<string>();
  const telling = ['shutdown_scheduled_ratio', 'kexec_loaded_ratio', 'reboot_required_ratio'];
  telling.push('package_manager_active_ratio', 'commands_power_per_minute', 'sessions_privileged');
  for (let second = 0; second < 3600; second++) {
    pass(world, 1);
    for (const host of world.hosts) {
      t.is(host.outages.length, 0);
      for (const name of telling) if ((host.values[column(name)] as number) > 0) seen.add(name);
    }
  }
  t.deepEqual([...seen].sort(), telling.sort());
});

test('an intended reboot takes its VMs down and is no failure; a watchdog that bites is one', t => {
  const details = watched.ledger.details(watched.nowMs);
  t.is(details.plannedReboots, 72);
  t.is(details.hostFailures, 12);
  const {vmDowntimeSeconds, interruptions} = watched.ledger.summary(watched.nowMs);
  t.true(details.plannedInterruptions > 40 && details.plannedInterruptions < interruptions);
  t.true(details.plannedDowntimeSeconds > 0);
  const outages = watched.hosts.flatMap(host => host.outages);
  t.is(outages.filter(({cause}) => cause === 'planned').length, 72);
  t.true(outages.every(({kind, cause}) => (kind === 'watchdog') === (cause === 'failed')));
  t.true(details.plannedDowntimeSeconds < vmDowntimeSeconds);
});

test('VMs start again after an intended reboot, and a boot ends what waited for it', t => {
  const world = datacenter('after', {hosts: 30, vms: 90, intents: 'usual', faults: 'none'});
  const host = world.hosts.find(one => one.occasions.some(({kind}) => kind === 'upgrade'));
  const upgrade = host?.occasions.find(({kind}) => kind === 'upgrade');
  if (host === undefined || upgrade === undefined) throw new Error('nobody upgrades anything');
  host.occasions = [upgrade];
  host.rebootsAtMs = upgrade.rebootMs;
  const mine = world.vms.filter(vm => vm.host === host);
  world.step(upgrade.rebootMs);
  t.is(host.people.rebootRequired, 1);
  pass(world, 1);
  t.is(host.state, 'off');
  t.true(mine.length > 0 && mine.every(vm => vm.state === 'dead'));
  t.is(brokenLaw(world), undefined);
  world.step(upgrade.rebootMs + upgrade.downMs + 62_000);
  t.true(mine.every(vm => vm.state === 'running'));
  t.is(host.people.rebootRequired, 0);
  t.is(host.people.sessions, 0);
  t.true((host.values[column('boot_age_seconds')] as number) < 70);
  t.is(host.values[column('boot_last_unclean_ratio')], 0);
});

test('what a change breaks fails after the change, and nothing else fails in sound hardware', t => {
  const world = datacenter('regressions', {
    hosts: 60,
    vms: 120,
    intents: 'usual',
    faults: 'none',
    rateFactor: 6,
    durationMs: 2 * HOUR_MS,
  });
  pass(world, 7200);
  let failures = 0;
  for (const host of world.hosts) {
    for (const {cause, kind, fromMs} of host.outages) {
      if (cause !== 'failed' || kind === 'watchdog') continue;
      failures++;
      const {kernel, package: packages} = host.changes;
      const changed = [kernel, packages, ...host.outages.map(({untilMs}) => untilMs)];
      t.true(changed.some(atMs => atMs < fromMs && fromMs - atMs < 2 * HOUR_MS));
    }
  }
  t.true(failures >= 5, `${failures} failures`);
});

test('with people at work, too, acting on some hosts changes no byte of what the others report', t => {
  const options = {intents: 'usual', rateFactor: 4} as const;
  const left = datacenter(21, options);
  const acted = datacenter(21, options);
  const fenced = acted.hosts[3]?.name ?? '';
  acted.drivers.start(effect('fence-host', {host: fenced}), acted.nowMs);
  for (let second = 0; second < 1800; second++) {
    pass(left, 1);
    pass(acted, 1);
    for (const {name, values} of left.hosts) {
      if (name === fenced || second % 20 > 0) continue;
      t.deepEqual(acted.readHost(name), values);
    }
  }
  const others = (world: Datacenter) =>
    world.hosts.filter(({name}) => name !== fenced).map(({outages}) => outages);
  t.deepEqual(others(acted), others(left));
  t.true(others(left).flat().length > 5);
});
