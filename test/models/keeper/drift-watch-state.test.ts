import test from 'ava';
import {takeSnapshot} from '../../../core/domain/drift/snapshot.ts';
import type {ObservedHost} from '../../../core/domain/observed.ts';
import {createDriftWatch, type DriftWatchOptions} from '../../../models/keeper/drift-watch.ts';
import {HostSpells} from '../../../models/keeper/host-spells.ts';
import type {RowLoss} from '../../../models/keeper/live-skill.ts';
import {createLossWatch, lossesRisen, observeLoss} from '../../../models/keeper/loss-watch.ts';
import {createUniform} from '../../../models/random.ts';
import {FEATURE_HASH, rowsOf} from './simulated-rows.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const START_MS = 500_000 * HOUR_MS;
const ROWS = 4000;
const COLUMN = {name: 'temperature_celsius.level', unit: 'celsius'};

/** 400 hosts of 40 to 50 degrees. */
function usualSnapshot() {
  const random = createUniform(1);
  const features = Float32Array.from({length: ROWS}, () => 40 + 10 * random());
  const host = Int32Array.from({length: ROWS}, (_, row) => row % 400);
  return takeSnapshot({features, host, fleet: host.map(each => each % 40)}, [COLUMN]);
}

const SNAPSHOT = usualSnapshot();
const watchOf = (change: Partial<DriftWatchOptions> = {}) =>
  createDriftWatch({
    snapshot: SNAPSHOT,
    featureHash: FEATURE_HASH,
    coolDownMs: 6 * HOUR_MS,
    ...change,
  });

function hostsOf(hardware: string, count: number, bootAtMs = 1): ObservedHost[] {
  return Array.from({length: count}, (_, at) => ({
    name: `${hardware}-${at}`,
    cell: 'c',
    hardware,
    modelHash: 'm',
    bootAtMs,
  }));
}

/** Of 40 to 50 degrees, and so many more. */
function rowsAt(minutes: number, hosts: ObservedHost[], warmer = 0) {
  const random = createUniform(minutes);
  const features = Float32Array.from(hosts, () => 40 + 10 * random() + warmer);
  return rowsOf(START_MS + minutes * MINUTE_MS, hosts, features, 1);
}

test('inputs are watched by class, the worst first, and a reason names its class', t => {
  const watch = watchOf();
  for (let minutes = 5; minutes <= 60; minutes += 5) {
    watch.observe(rowsAt(minutes, hostsOf('warm', 20), 15));
    watch.observe(rowsAt(minutes, hostsOf('', 30)));
  }
  const report = watch.report(START_MS + HOUR_MS);
  t.like(report, {knowsInputs: true, inputsMoved: true, lossesRose: false});
  t.deepEqual(
    report.classes.map(({hardware, hosts, inputs}) => [hardware, hosts, inputs.length]),
    [
      ['warm', 20, 1],
      ['', 30, 0],
    ],
  );
  t.is(report.verdict.action, 'warn');
  t.is(report.verdict.reasons.length, 1);
  t.regex(report.verdict.reasons[0] ?? '', /^warm: temperature_celsius\.level is 5\d/);
  t.deepEqual(JSON.parse(JSON.stringify(report.classes[0]?.inputs)), report.classes[0]?.inputs);
});

test('a window forgets: an hour later only what is now counts, and who is gone is no class', t => {
  const watch = watchOf();
  for (let minutes = 5; minutes <= 60; minutes += 5) {
    watch.observe(rowsAt(minutes, [...hostsOf('a', 20), ...hostsOf('b', 20)], 15));
  }
  for (let minutes = 65; minutes <= 130; minutes += 5) {
    watch.observe(rowsAt(minutes, hostsOf('a', 10)));
  }
  const {classes, inputsMoved} = watch.report(START_MS + 130 * MINUTE_MS);
  t.deepEqual(
    classes.map(({hardware, hosts}) => [hardware, hosts]),
    [['a', 10]],
  );
  t.true((classes[0]?.rows ?? 0) <= 10 * 12);
  t.false(inputsMoved);
});

test('rows of a host’s first 20 minutes are not counted, since it booted or was first heard', t => {
  const watch = watchOf();
  const rowsIn = () => watch.report(START_MS).classes.reduce((sum, {rows}) => sum + rows, 0);
  const bootedAt = (minutes: number) => hostsOf('a', 1, START_MS + minutes * MINUTE_MS);
  const counted = (hosts: ObservedHost[], minutes: number) => {
    const before = rowsIn();
    watch.observe(rowsAt(minutes, hosts));
    return rowsIn() - before;
  };
  t.is(counted(bootedAt(-19), 0), 0);
  t.is(counted(bootedAt(-20), 0), 1);
  t.is(counted(bootedAt(4), 5), 0, 'it has booted again');
  const unknown = hostsOf('b', 1, 0);
  t.is(counted(unknown, 5), 0);
  t.is(counted(unknown, 20), 0);
  t.is(counted(unknown, 25), 1);
});

test('of more classes than 32 the rarest goes, and is counted', t => {
  const watch = watchOf();
  for (let number = 0; number < 40; number++) {
    watch.observe(rowsAt(1, hostsOf(`class ${number}`, 50 - number)));
  }
  const {classes, classesDropped} = watch.report(START_MS + MINUTE_MS);
  t.is(classes.length, 32);
  t.is(classesDropped, 8);
  const names = classes.map(({hardware}) => hardware);
  t.true(names.includes('class 0') && names.includes('class 39') && !names.includes('class 38'));
});

test('rows of another contract are not counted, and without a snapshot nothing is said of inputs', t => {
  const watch = watchOf();
  watch.observe({...rowsAt(5, hostsOf('a', 3)), featureHash: FEATURE_HASH + 1});
  t.like(watch.report(START_MS), {classes: [], rowsForeign: 3});
  const bare = watchOf({snapshot: null});
  for (let minutes = 5; minutes <= 60; minutes += 5) {
    bare.observe(rowsAt(minutes, hostsOf('a', 20), 500));
  }
  t.like(bare.report(START_MS + HOUR_MS), {knowsInputs: false, inputsMoved: false});
});

test('a clock that goes back by hours begins the window anew; a straggler does not', t => {
  const watch = watchOf();
  for (let minutes = 605; minutes <= 660; minutes += 5) {
    watch.observe(rowsAt(minutes, hostsOf('a', 20), 15));
  }
  watch.observe({...rowsAt(620, hostsOf('a', 20), 15), partition: 1});
  t.is(watch.report(START_MS).classes[0]?.rows, 11 * 20);
  watch.observe(rowsAt(5, hostsOf('a', 20)));
  t.is(watch.report(START_MS).classes[0]?.rows, 20);
});

/** Losses of a model that foresees some of its hosts' failures: mostly small, large now and then. */
function lossesAt(
  random: () => number,
  minutes: number,
  hardware: string,
  hosts: number,
  missed: number,
): RowLoss[] {
  return hostsOf(hardware, hosts).map(({name}) => ({
    host: name,
    hardware,
    atMs: START_MS + minutes * MINUTE_MS,
    loss: random() < missed ? 3 : 0.1 * random(),
  }));
}

test('losses that rise retrain, after the cool-down; those of a class that is new are found sooner', t => {
  const toldAfter = (withClass: boolean) => {
    const watch = watchOf();
    const random = createUniform(5);
    for (let minutes = 15; minutes <= 3000; minutes += 15) {
      const hosts = hostsOf('old', 40);
      watch.observe(rowsAt(minutes, hosts));
      watch.settle(lossesAt(random, minutes, 'old', 40, 0.02));
      if (minutes < 1500) continue;
      const name = withClass ? 'new' : 'old';
      watch.observe(rowsAt(minutes, hostsOf('new', 8)));
      watch.settle(lossesAt(random, minutes, name, 8, 0.3));
      const nowMs = START_MS + minutes * MINUTE_MS;
      const report = watch.report(nowMs);
      if (!report.lossesRose) continue;
      t.is(report.verdict.action, 'retrain');
      t.is(watch.report(nowMs, nowMs - HOUR_MS).verdict.action, 'wait');
      t.is(watch.report(nowMs, nowMs - 7 * HOUR_MS).verdict.action, 'retrain');
      return {after: minutes - 1500, report};
    }
    return {after: Number.POSITIVE_INFINITY, report: undefined};
  };
  const apart = toldAfter(true);
  const together = toldAfter(false);
  t.log(`${apart.after} minutes after they arrived; ${together.after} if nobody tells them apart`);
  t.true(apart.after < together.after && apart.after <= 240);
  t.regex(apart.report?.verdict.reasons[0] ?? '', /^new: The loss rose from 0\.0/);
  const [worst] = apart.report?.classes ?? [];
  t.is(worst?.hardware, 'new');
});

test('a rise is told until the loss falls again, however long that takes', t => {
  const risen = (until: number, missedAfter: number) => {
    const watch = watchOf({spellMs: MINUTE_MS});
    const random = createUniform(6);
    for (let minutes = 5; minutes <= until; minutes += 5) {
      watch.observe(rowsAt(minutes, hostsOf('a', 40)));
      const missed = minutes < 600 ? 0.02 : minutes < 900 ? 0.3 : missedAfter;
      watch.settle(lossesAt(random, minutes, 'a', 40, missed));
    }
    return (hours: number) =>
      watch.report(START_MS + until * MINUTE_MS + hours * HOUR_MS).losses.length;
  };
  t.true(risen(890, 0.3)(0) > 0);
  t.true(risen(890, 0.3)(18) > 0);
  t.true(risen(890, 0.3)(7 * 24) > 0);
  t.true(risen(4000, 0.3)(0) > 0, 'a level that is usual by now is still a rise');
  t.is(risen(1500, 0.02)(0), 0);
});

test('a rise that turns out to be none is not told for ever', t => {
  const watch = createLossWatch();
  const found = {detector: 'page-hinkley', before: 0.1, after: 0.4, takenBefore: 0} as const;
  watch.found = [{...found, sum: 0, count: 0}];
  for (let value = 0; value < 499; value++) observeLoss(watch, 0.09);
  t.is(lossesRisen(watch).length, 1);
  observeLoss(watch, 0.09);
  t.is(lossesRisen(watch).length, 0);
});

test('rows of one host within a spell count once, a wrong forecast at most 1', t => {
  const spells = new HostSpells(15 * MINUTE_MS);
  const at = (minutes: number, host: string, loss: number): RowLoss => ({
    host,
    hardware: '',
    atMs: START_MS + minutes * MINUTE_MS,
    loss,
  });
  t.deepEqual(
    spells.take([at(0, 'a', 9), at(5, 'a', 0.5), at(5, 'b', 0.1), at(6, 'b', Number.NaN)]),
    [],
  );
  t.deepEqual(
    spells.take([at(15, 'a', 0.2)]).map(({loss}) => loss),
    [0.75],
  );
  // Of b nothing more was told.
  t.deepEqual(
    spells.take([at(30, 'a', 0.2)]).map(({loss}) => loss),
    [0.2, 0.1],
  );
  // The clock goes back by a day: what was said before is over, and rows of one spell are one again.
  const back = -24 * 60;
  t.deepEqual(
    spells.take([at(back, 'a', 0.4), at(back + 5, 'a', 0.8)]).map(({loss}) => loss),
    [0.2],
  );
  t.deepEqual(
    spells.take([at(back + 15, 'a', 0)]).map(({loss}) => Math.round(10 * loss)),
    [6],
  );
});
