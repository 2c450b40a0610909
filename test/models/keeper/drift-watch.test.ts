import {join} from 'node:path';
import test from 'ava';
import type {DriftReport} from '../../../core/domain/drift/report.ts';
import {readDriftFile} from '../../../models/drift-file.ts';
import {createDriftWatch} from '../../../models/keeper/drift-watch.ts';
import {loadModel} from '../../../models/load-model.ts';
import {FEATURE_HASH, NEW, type SimulatedRowsOptions, simulateRows} from './simulated-rows.ts';

const MODEL = join(import.meta.dirname, '../../../models/artefacts/component-failure');

/** A watch of the shipped model's inputs, and what it says after each step of a simulated fleet. */
async function* reportsOf(options: SimulatedRowsOptions): AsyncGenerator<[number, DriftReport]> {
  const {hash} = (await loadModel(MODEL)).signature;
  const snapshot = await readDriftFile(MODEL, hash);
  const watch = createDriftWatch({snapshot, featureHash: FEATURE_HASH, coolDownMs: 3_600_000});
  let minutes = 0;
  for (const rows of simulateRows(options)) {
    watch.observe(rows);
    minutes += 5;
    yield [minutes, watch.report(rows.atMs)];
  }
}

const SEEDS = Array.from({length: 10}, (_, at) => 7000 + at);

test('a fleet that goes on as ever raises no alarm', async t => {
  let looks = 0;
  let alarms = 0;
  for (const seed of SEEDS) {
    for await (const [, {classes, inputsMoved}] of reportsOf({seed, hosts: 24, minutes: 180})) {
      looks++;
      if (!inputsMoved) continue;
      alarms++;
      t.log(`seed ${seed}: ${classes[0]?.inputs.map(({name}) => name).join(' ')}`);
    }
  }
  t.log(`seeds ${SEEDS[0]} to ${SEEDS.at(-1)}: ${alarms} alarms in ${looks} looks`);
  t.true(alarms <= looks / 200);
});

/** What the new generation shows otherwise: `core/simulation/hardware-generation.ts` has them all. */
const CHANGED = [
  'cpu_machine_checks_per_second.level',
  'cpu_throttled_ratio.level',
  'disk_link_errors.level',
  'disk_reallocated_sectors.level',
  'disk_temperature_celsius.level',
  'disk_uncorrectable_sectors.level',
  'memory_corrected_errors_per_second.level',
  'temperature_celsius.level',
  'temperature_margin_celsius.level',
];

test('a new generation of hardware is told by what its sensors show, and the old one is not', async t => {
  const afterMinutes = 40;
  const newer = {hosts: 8, afterMinutes};
  const delays: number[] = [];
  const names = new Set<string>();
  for (const seed of [7100, 7101, 7102]) {
    let first = Number.POSITIVE_INFINITY;
    let last: DriftReport | undefined;
    for await (const [minutes, report] of reportsOf({seed, hosts: 48, minutes: 80, newer})) {
      last = report;
      const told = report.classes.filter(({inputs}) =>
        inputs.some(({name}) => CHANGED.includes(name)),
      );
      if (told.length === 0) continue;
      t.deepEqual(
        told.map(({hardware}) => hardware),
        [NEW],
      );
      t.is(report.classes[0]?.hardware, NEW, 'the worst first');
      first = Math.min(first, minutes);
    }
    delays.push(first - afterMinutes);
    const {classes, verdict} = last as DriftReport;
    const told = classes[0]?.inputs.map(({name}) => name) ?? [];
    t.true(CHANGED.filter(name => told.includes(name)).length >= 4, told.join(' '));
    for (const name of told) names.add(name);
    t.is(verdict.action, 'warn');
    t.true(verdict.reasons[0]?.startsWith(`${NEW}: `));
  }
  t.log(`seeds 7100 to 7102: told ${delays.join(', ')} minutes after they arrived`);
  t.log([...names].join(' '));
  t.true(Math.max(...delays) <= 30);
});
