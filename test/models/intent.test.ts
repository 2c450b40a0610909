import test from 'ava';
import {INTENT_INPUTS} from '../../core/domain/host-metrics.ts';
import {RISK_OUTPUTS, riskColumn} from '../../core/domain/reboot-risks.ts';
import {joinLives, type Lives, sliceFleets, toSequences} from '../../models/intent/data.ts';
import {
  columnOf,
  countEpisodes,
  evaluateIntent,
  riskBefore,
} from '../../models/intent/evaluation.ts';
import {renderIntentReport} from '../../models/intent/report.ts';
import {scoreByRule} from '../../models/intent/rule.ts';
import {predictLives} from '../../models/intent/serving.ts';
import {INTENT_DEFAULTS, trainIntent} from '../../models/intent/training.ts';
import {createUniform} from '../../models/random.ts';

const STEP_SECONDS = 10;
const ROWS = 180;

/**
 * Hosts of one fleet over half an hour: a third is rebooted on purpose at the end and says so in its
 * first metric for six minutes, a third crashes at the end and says so in its second for three.
 */
function drawFleet(seed: number, hosts = 12): Lives {
  const random = createUniform(seed);
  const columns = 3;
  const rows = hosts * ROWS;
  const lives = {
    rows,
    columns,
    features: Float32Array.from({length: rows * columns}, () => random() / 4),
    starts: Uint32Array.from({length: hosts + 1}, (_, host) => host * ROWS),
    second: Int32Array.from({length: rows}, (_, row) => (1 + (row % ROWS)) * STEP_SECONDS),
    secondsToDown: new Float32Array(rows).fill(Number.POSITIVE_INFINITY),
    cause: new Uint8Array(rows),
  };
  for (let row = 0; row < rows; row++) {
    const cause = Math.floor(row / ROWS) % 3;
    if (cause === 0) continue;
    const left = (ROWS - (row % ROWS)) * STEP_SECONDS;
    lives.cause[row] = cause;
    lives.secondsToDown[row] = left;
    if (left <= (cause === 1 ? 360 : 180)) lives.features[row * columns + cause - 1] = 1;
  }
  return lives;
}

const fleets = (from: number, count: number) =>
  Array.from({length: count}, (_, index) => drawFleet(from + index));

test('what precedes reboots and crashes is learned, told apart, calibrated and told in time', async t => {
  const slices = sliceFleets(fleets(1, 20));
  const options = {...INTENT_DEFAULTS, hidden: 12, batchRows: 16, epochs: 30, seed: 3};
  const model = await trainIntent(slices, options, () => {});
  const unseen = joinLives(fleets(1000, 6));
  const risks = await predictLives(model, unseen);
  const metrics = evaluateIntent(unseen, risks);
  const of = (cause: string, minutes: number) =>
    metrics.find(each => each.cause === cause && each.horizonMinutes === minutes);
  t.true((of('intentional', 5)?.averagePrecision ?? 0) > 0.8, JSON.stringify(metrics));
  t.true((of('crash', 1)?.averagePrecision ?? 0) > 0.3);
  for (const each of metrics) {
    t.true(each.logLoss < each.baseLogLoss, JSON.stringify(each));
    t.true(each.calibrationError < 0.06, JSON.stringify(each));
  }
  const own = columnOf(risks, unseen.rows, riskColumn('intentional', 30));
  const episodes = countEpisodes(unseen, 'intentional', own, 0.75);
  t.is(episodes.events, 24);
  t.true(episodes.foreseen >= 22, JSON.stringify(episodes));
  t.true((episodes.leadSecondsP50 ?? 0) >= 240);
  const page = renderIntentReport({
    about: 'drawn',
    model,
    metrics,
    episodes: [episodes],
    rule: {rule: 'intentional within 30 min', averagePrecision: 0.25},
    unseen,
    risks,
    search: undefined,
  });
  t.is((page.match(/<svg/g) ?? []).length, 7);
  t.regex(page, /its AP for intentional within 30 min is 0\.250/);
});

test('of every horizon the probabilities add up to one, and a longer one is no less likely', async t => {
  const model = await trainIntent(
    sliceFleets(fleets(40, 7)),
    {...INTENT_DEFAULTS, hidden: 4, epochs: 1, seed: 1},
    () => {},
  );
  const lives = drawFleet(77);
  const risks = await predictLives(model, lives);
  for (let row = 0; row < lives.rows; row += 13) {
    const at = (column: number) => risks[row * RISK_OUTPUTS.length + column] as number;
    for (let horizon = 0; horizon < 4; horizon++) {
      const sum = at(3 * horizon) + at(3 * horizon + 1) + at(3 * horizon + 2);
      t.true(Math.abs(sum - 1) < 1e-5);
    }
    t.true(at(riskColumn('crash', 30)) >= at(riskColumn('crash', 1)) - 1e-6);
  }
  t.is(RISK_OUTPUTS[riskColumn('crash', 30)], 'crash-30m');
});

test('a row is of the interval in which its host goes down, or of none', t => {
  const {targets, targetColumns} = toSequences(drawFleet(5));
  const classOf = (row: number) =>
    targets.subarray(row * targetColumns, (row + 1) * targetColumns).indexOf(1);
  t.is(classOf(0), 8, 'the first host stays');
  t.is(classOf(2 * ROWS - 1), 0, 'the second is rebooted within a minute');
  t.is(classOf(3 * ROWS - 1), 1, 'the third crashes within a minute');
  t.is(classOf(ROWS), 6, 'in half an hour, on purpose');
});

test('fleets stay together, and too few are refused', t => {
  const slices = sliceFleets(fleets(1, 10));
  t.deepEqual(
    Object.values(slices).map(({rows}) => rows / (12 * ROWS)),
    [7, 1, 2],
  );
  t.throws(() => sliceFleets(fleets(1, 3)), {code: 'TRAINING_DATA_INVALID', message: /at least 7/});
});

test('an alert is the first row of a host at the threshold, and is right if it comes', t => {
  const lives = drawFleet(9, 3);
  const risks = new Float32Array(lives.rows);
  risks.fill(0.9, ROWS - 30, ROWS);
  risks.fill(0.9, 2 * ROWS - 12, 2 * ROWS);
  t.like(countEpisodes(lives, 'intentional', risks, 0.8), {
    events: 1,
    foreseen: 1,
    alerts: 2,
    precision: 0.5,
    leadSecondsP50: 120,
  });
  const late = new Float32Array(lives.rows);
  late.fill(1, 2 * ROWS - 3, 2 * ROWS);
  t.is(countEpisodes(lives, 'intentional', late, 0.8).foreseen, 0, 'within a minute is too late');
});

test('the risk before an event is drawn by how long before', t => {
  const lives = drawFleet(9, 3);
  const labels = Uint8Array.from(lives.cause, cause => Number(cause === 1));
  const risks = Float32Array.from(lives.secondsToDown, left => (left <= 360 ? 0.9 : 0.1));
  const points = riskBefore(lives, risks, labels);
  t.deepEqual(points[0], [1, Math.fround(0.9)]);
  t.deepEqual(points.at(-1), [29, Math.fround(0.1)]);
});

test('by the rule a scheduled shutdown says most', t => {
  const columns = INTENT_INPUTS.length;
  const features = new Float32Array(2 * columns);
  features[INTENT_INPUTS.findIndex(({name}) => name === 'shutdown_scheduled_ratio')] = 1;
  features[columns] = Number.NaN;
  const lives = {...drawFleet(1, 3), rows: 2, columns, features};
  t.deepEqual([...scoreByRule(lives)], [1, 0]);
});
