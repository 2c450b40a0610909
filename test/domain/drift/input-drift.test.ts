import test from 'ava';
import {type FeatureDrift, findInputDrift} from '../../../core/domain/drift/input-drift.ts';
import {
  countRow,
  createLiveRows,
  liveFeature,
  turnPane,
} from '../../../core/domain/drift/live-rows.ts';
import {
  type DriftSnapshot,
  type FeatureSnapshot,
  takeSnapshot,
} from '../../../core/domain/drift/snapshot.ts';
import {chanceIndex, stabilityIndex} from '../../../core/domain/drift/stability.ts';
import {driftVerdict, type LossDrift} from '../../../core/domain/drift/verdict.ts';
import {createUniform} from '../../../models/random.ts';
import fc from '../../support/fast-check.ts';

const COLUMNS = [
  {name: 'temperature_celsius.level', unit: 'celsius'},
  {name: 'errors.level', unit: ''},
  {name: 'hour.level', unit: ''},
  {name: 'sometimes.level', unit: 'rpm'},
];
const ROWS_EACH = 30;

/** Hosts with a usual temperature each, few errors, a fleet's hour, and a sensor that some lack. */
function draw(seed: number, fleets: number, hosts: number, warmer = 0) {
  const random = createUniform(seed);
  const rows = fleets * hosts * ROWS_EACH;
  const features = new Float32Array(rows * COLUMNS.length);
  const host = new Int32Array(rows);
  const fleet = new Int32Array(rows);
  let row = 0;
  for (let f = 0; f < fleets; f++) {
    const hour = 24 * random();
    for (let h = 0; h < hosts; h++) {
      const usual = 40 + 20 * random() + warmer;
      const hasSensor = random() < 0.8;
      for (let at = 0; at < ROWS_EACH; at++, row++) {
        const errors = random() < 0.05 ? 10 * random() : 0;
        const rpm = hasSensor ? 4000 + 500 * random() : Number.NaN;
        features.set([usual + 4 * random(), errors, hour + random() / 10, rpm], 4 * row);
        host[row] = f * hosts + h;
        fleet[row] = f;
      }
    }
  }
  return {features, host, fleet};
}

const SNAPSHOT = takeSnapshot(draw(1, 40, 20), COLUMNS);
const feature = (snapshot: DriftSnapshot, at: number) => snapshot.features[at] as FeatureSnapshot;

function driftOf({features}: {features: Float32Array}, hosts: number): FeatureDrift[] {
  const live = createLiveRows(SNAPSHOT);
  for (let at = 0; at < features.length; at += COLUMNS.length)
    countRow(live, SNAPSHOT, features, at);
  return findInputDrift(SNAPSHOT, live, hosts);
}

test('the index is 0 for equal shares, symmetric, and as by hand', t => {
  t.is(stabilityIndex([0.2, 0.3, 0.5], [0.2, 0.3, 0.5]), 0);
  const byHand = 0.1 * Math.log(0.3 / 0.2) - 0.1 * Math.log(0.4 / 0.5);
  t.true(Math.abs(stabilityIndex([0.2, 0.3, 0.5], [0.3, 0.3, 0.4]) - byHand) < 1e-12);
  fc.assert(
    fc.property(
      fc.array(fc.double({min: 0, max: 1, noNaN: true}), {minLength: 4, maxLength: 4}),
      v => {
        const [a = 0, b = 0, c = 0, d = 0] = v;
        const one = [a / 2, b / 2, 1 - a / 2 - b / 2];
        const other = [c / 2, d / 2, 1 - c / 2 - d / 2];
        t.true(stabilityIndex(one, other) >= 0);
        t.true(Math.abs(stabilityIndex(one, other) - stabilityIndex(other, one)) < 1e-12);
      },
    ),
  );
});

test('chance reaches what tables of χ² say', t => {
  // χ² of 9 degrees of freedom passes 16.919 in 5 % and 27.877 in 0.1 %; of 1, 10.828.
  const close = (value: number, table: number) => Math.abs(value / table - 1) < 0.02;
  t.true(close(chanceIndex(200, 200, 10, 0.05) * 100, 16.919));
  t.true(close(chanceIndex(200, 200, 10, 0.001) * 100, 27.877));
  // Wilson and Hilferty's approximation is worst here.
  t.true(Math.abs(chanceIndex(200, 200, 2, 0.001) * 100 - 10.828) < 0.6);
  t.is(chanceIndex(200, 200, 1, 0.001), 0);
});

test('a snapshot is small, adds up, and says how much rows are alike', t => {
  t.is(SNAPSHOT.rows, 40 * 20 * ROWS_EACH);
  t.is(SNAPSHOT.hosts, 800);
  t.is(SNAPSHOT.fleets, 40);
  for (const {name, edges, shares, range} of SNAPSHOT.features) {
    t.true(shares.length <= 10 && shares.length === edges.length + 2, name);
    t.true(Math.abs(shares.reduce((sum, share) => sum + share, 0) - 1) < 1e-3, name);
    t.deepEqual(
      [...edges].sort((a, b) => a - b),
      [...edges],
    );
    t.truthy(range);
  }
  t.true(JSON.stringify(SNAPSHOT).length < 450 * COLUMNS.length);
  t.deepEqual(JSON.parse(JSON.stringify(SNAPSHOT)), SNAPSHOT);
  t.true(feature(SNAPSHOT, 2).fleetLikeness > 0.8, 'the hour is the fleet’s');
  t.true(feature(SNAPSHOT, 0).hostLikeness > 0.6, 'the temperature is the host’s');
  t.true(feature(SNAPSHOT, 0).fleetLikeness < 0.05);
  t.true(feature(SNAPSHOT, 1).hostLikeness < 0.05, 'errors are anybody’s');
  t.true(Math.abs((feature(SNAPSHOT, 3).shares.at(-1) as number) - 0.2) < 0.05, 'a fifth lacks it');
});

test('a value that never varied, and one that was never there, have bins as well', t => {
  const host = Int32Array.of(0, 1, 2, 3);
  const features = Float32Array.of(7, Number.NaN, 7, Number.NaN, 7, Number.NaN, 7, Number.NaN);
  const columns = [
    {name: 'constant', unit: ''},
    {name: 'absent', unit: ''},
  ];
  const snapshot = takeSnapshot({features, host, fleet: host}, columns);
  t.deepEqual(feature(snapshot, 0).shares, [0, 1, 0, 0]);
  t.deepEqual(feature(snapshot, 1).shares, [0, 1]);
  t.is(feature(snapshot, 1).range, null);
  const live = createLiveRows(snapshot);
  for (let row = 0; row < 40; row++) countRow(live, snapshot, Float32Array.of(8, 1));
  const found = findInputDrift({...snapshot, hosts: 400, fleets: 400, rows: 400}, live, 40);
  t.deepEqual(found.map(({name}) => name).sort(), ['absent', 'constant']);
});

test('values that hardly differ are not told apart, nor by how long ago something happened', t => {
  const random = createUniform(4);
  const rows = 4000;
  const host = Int32Array.from({length: rows}, (_, row) => row);
  const columns = ['ripple', 'decayed', 'wide'].map(name => ({name, unit: ''}));
  const features = new Float32Array(columns.length * rows);
  for (let row = 0; row < rows; row++) {
    const decayed = 10 ** (-40 * random());
    const wide = 10 ** (3 * random());
    features.set([0.92 + 0.006 * random(), row % 20 === 0 ? decayed : random(), wide], 3 * row);
  }
  const {features: told} = takeSnapshot({features, host, fleet: host}, columns);
  const [ripple, decayed, wide] = told.map(({edges}) => edges);
  t.is(ripple?.length, 2, 'a value that stays');
  t.true(decayed?.every(edge => edge > 1e-3));
  t.is(wide?.length, 8);
  t.true((wide?.[0] as number) < 5, 'small values of a wide range are told apart');
});

test('of what moves with time only whether it is there is looked at', t => {
  const host = Int32Array.from({length: 100}, (_, row) => row);
  const features = Float32Array.from(host, row => (row < 25 ? Number.NaN : row));
  const columns = [{name: 'age', unit: 'hours', isPresenceOnly: true}];
  const snapshot = takeSnapshot({features, host, fleet: host}, columns);
  t.like(feature(snapshot, 0), {edges: [], shares: [0.75, 0.25]});
  const live = createLiveRows(snapshot);
  for (let row = 0; row < 75; row++) countRow(live, snapshot, Float32Array.of(1e6));
  for (let row = 0; row < 25; row++) countRow(live, snapshot, Float32Array.of(Number.NaN));
  t.deepEqual(findInputDrift(snapshot, live, 100), []);
  for (let row = 0; row < 900; row++) countRow(live, snapshot, Float32Array.of(Number.NaN));
  t.is(findInputDrift(snapshot, live, 100).length, 1);
});

test('fleets like those of the training raise no alarm, few hosts or many', t => {
  for (const hosts of [4, 24, 100]) {
    let alarms = 0;
    for (let seed = 100; seed < 200; seed++)
      if (driftOf(draw(seed, 1, hosts), hosts).length) alarms++;
    t.log(`seeds 100 to 199, ${hosts} hosts: ${alarms} alarms`);
    t.true(alarms <= 1);
  }
});

test('warmer hosts are found, their hour is not; few hosts must be much warmer', t => {
  const found = driftOf(draw(7, 1, 60, 12), 60);
  t.deepEqual(
    found.map(({name, severity}) => [name, severity]),
    [['temperature_celsius.level', 'act']],
  );
  const [{usual, now, index, chance} = {} as FeatureDrift] = found;
  t.true(index > chance);
  t.true((now?.[0] as number) - (usual?.[0] as number) > 8, 'it says from where to where');
  t.deepEqual(driftOf(draw(7, 1, 6, 12), 6), []);
  t.is(driftOf(draw(7, 1, 6, 200), 6).length, 1);
});

test('only the last panes count, in bounded memory, and a checkpoint goes on', t => {
  const live = createLiveRows(SNAPSHOT, 2);
  const hot = Float32Array.of(300, 0, 1, 4200);
  const usual = Float32Array.of(50, 0, 1, 4200);
  for (let row = 0; row < 100; row++) countRow(live, SNAPSHOT, hot);
  const bytes = live.counts.byteLength;
  t.is(liveFeature(live, feature(SNAPSHOT, 0), 0).range?.[0], 300);
  const restored = structuredClone(live);
  for (const each of [live, restored]) {
    for (let pane = 0; pane < 2; pane++) {
      turnPane(each);
      for (let row = 0; row < 100; row++) countRow(each, SNAPSHOT, usual);
    }
  }
  t.deepEqual(restored, live);
  t.is(live.counts.byteLength, bytes);
  t.deepEqual(liveFeature(live, feature(SNAPSHOT, 0), 0).range, [50, 50]);
});

const HOT: FeatureDrift = {
  name: 'temperature_celsius.level',
  unit: 'celsius',
  severity: 'act',
  index: 1.9021,
  chance: 0.4,
  usual: [41.04, 68.2],
  now: [62.1, 91],
  missingUsual: 0.05,
  missingNow: 0.25,
};
const WORSE: LossDrift = {detector: 'adwin', before: 0.0312, after: 0.0544, outcomes: 640};
const HOUR_MS = 3_600_000;
const CALM = {
  nowMs: 50 * HOUR_MS,
  inputs: [],
  losses: [],
  retrainedAtMs: Number.NEGATIVE_INFINITY,
  coolDownMs: 6 * HOUR_MS,
};

test('input drift warns, and says what is how far from usual', t => {
  t.deepEqual(driftVerdict(CALM), {action: 'none', untilMs: undefined, reasons: []});
  t.deepEqual(driftVerdict({...CALM, inputs: [HOT]}), {
    action: 'warn',
    untilMs: undefined,
    reasons: [
      'temperature_celsius.level is 62.1 to 91 celsius, usually 41 to 68.2; missing in 25 % of ' +
        'the rows, usually in 5 % (stability index 1.9, act at 0.25, chance explains 0.4).',
    ],
  });
  const many = driftVerdict({...CALM, inputs: Array.from({length: 9}, () => HOT)}).reasons;
  t.is(many.length, 6);
  t.is(many.at(-1), '4 more features have drifted.');
  const gone = driftVerdict({...CALM, inputs: [{...HOT, now: null, missingNow: 1}]}).reasons[0];
  t.true(gone?.includes('has no values, usually 41 to 68.2 celsius; missing in 100 %'), gone);
});

test('a loss that rises retrains, one that falls does not', t => {
  const verdict = driftVerdict({...CALM, losses: [WORSE], inputs: [HOT]});
  t.is(verdict.action, 'retrain');
  t.is(
    verdict.reasons[0],
    'The loss rose from 0.0312 to 0.0544 over the last 640 outcomes (ADWIN).',
  );
  t.is(verdict.reasons.length, 2);
  t.is(driftVerdict({...CALM, losses: [{...WORSE, after: 0.01}]}).action, 'none');
});

test('after a training there is none for the cool-down, whatever clocks do', t => {
  const losses = [WORSE];
  const soon = {...CALM, losses, retrainedAtMs: 46 * HOUR_MS};
  const waiting = driftVerdict(soon);
  t.is(waiting.action, 'wait');
  t.is(waiting.untilMs, 52 * HOUR_MS);
  t.is(
    waiting.reasons.at(-1),
    'The model was trained 240 minutes ago: the next training may begin in 120 minutes.',
  );
  t.is(driftVerdict({...soon, nowMs: 52 * HOUR_MS}).action, 'retrain');
  t.is(driftVerdict({...soon, nowMs: 10 * HOUR_MS}).action, 'retrain', 'the clock jumped back');
});
