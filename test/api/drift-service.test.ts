import {timestampMs} from '@bufbuild/protobuf/wkt';
import test from 'ava';
import type {DriftReport, KeeperSight} from '../../core/domain/drift/report.ts';
import {fromReport} from '../../proto/codec-drift.ts';
import {DriftService} from '../../proto/gen/forestay/v1/drift_pb.ts';
import fc from '../support/fast-check.ts';
import {call, startApi} from './server.ts';

const text = fc.string({maxLength: 20, unit: 'grapheme'}).filter(value => value.isWellFormed());
const number = fc.double({noNaN: true, noDefaultInfinity: true}).map(value => value + 0);
const count = fc.nat(0xffff_ffff);
const few = <Value>(item: fc.Arbitrary<Value>) => fc.array(item, {maxLength: 3});
const range = fc.option(fc.tuple(number, number));
const verdict = fc.record({
  action: fc.constantFrom('none', 'warn', 'wait', 'retrain'),
  untilMs: fc.constant(undefined),
  reasons: few(text),
});
const losses = few(
  fc.record({
    detector: fc.constantFrom('adwin', 'page-hinkley'),
    before: number,
    after: number,
    outcomes: count,
  }),
);
const inputs = few(
  fc.record({
    name: text,
    unit: text,
    severity: fc.constantFrom('warn', 'act'),
    index: number,
    chance: number,
    usual: range,
    now: range,
    missingUsual: number,
    missingNow: number,
  }),
);
const reports: fc.Arbitrary<DriftReport> = fc
  .record({
    atMs: fc.integer({min: 1, max: 4e12}),
    knowsInputs: fc.boolean(),
    classes: few(fc.record({hardware: text, hosts: count, rows: count, inputs, losses, verdict})),
    losses,
    verdict,
    outcomes: count,
    classesDropped: count,
    rowsForeign: count,
  })
  .map(report => ({
    ...report,
    lossesRose: [report, ...report.classes].some(each => each.losses.length > 0),
    inputsMoved: report.classes.some(each => each.inputs.length > 0),
  }));

test('what a keeper sees of drift is asked of its core, and nothing of it is lost on the way', async t => {
  const sight: KeeperSight = {
    mode: 'watch',
    phase: 'watching',
    sinceMs: 1000,
    because: '',
    coolDownUntilMs: null,
    drift: undefined,
  };
  let seen = sight;
  const {client} = await startApi(t, {keeper: () => seen});
  const service = client(DriftService);
  const ask = () => call(service, service.getDrift, {});
  const first = await ask();
  t.is(first.report, undefined);
  t.is(first.coolDownTime, undefined);
  t.deepEqual([first.mode, first.phase], ['watch', 'watching']);
  seen = {...sight, phase: 'shadowing', because: 'It drifts.', coolDownUntilMs: 7_200_000};
  const second = await ask();
  t.deepEqual([second.phase, second.because], ['shadowing', 'It drifts.']);
  t.is(second.coolDownTime && timestampMs(second.coolDownTime), 7_200_000);
  await fc.assert(
    fc.asyncProperty(reports, async drift => {
      seen = {...sight, drift};
      const {report} = await ask();
      t.deepEqual(report && fromReport(report), drift);
    }),
    {numRuns: 50},
  );
});

test('a core whose models nobody tends says so', async t => {
  const {client} = await startApi(t);
  const service = client(DriftService);
  const {mode, report} = await call(service, service.getDrift, {});
  t.is(mode, 'off');
  t.is(report, undefined);
});
