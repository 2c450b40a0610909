import {stripVTControlCharacters} from 'node:util';
import test from 'ava';
import {driftText} from '../../cli/drift-table.ts';
import type {FeatureDrift} from '../../core/domain/drift/input-drift.ts';
import type {ClassDrift, DriftReport} from '../../core/domain/drift/report.ts';

const HOT: FeatureDrift = {
  name: 'temperature_celsius.level',
  unit: 'celsius',
  severity: 'act',
  index: 6.213,
  chance: 3.92,
  usual: [40.64, 48.38],
  now: [66.1, 73.04],
  missingUsual: 0.06,
  missingNow: 0,
};
const GONE: FeatureDrift = {...HOT, name: 'fan_speed_rpm.level', unit: 'rpm', index: 7, now: null};
const REASON = 'temperature_celsius.level is 66.1 to 73 celsius, usually 40.6 to 48.4.';

function classOf(hardware: string, change: Partial<ClassDrift> = {}): ClassDrift {
  const verdict = {action: 'none', untilMs: undefined, reasons: []} as const;
  return {hardware, hosts: 16, rows: 190, inputs: [], losses: [], verdict, ...change};
}

function reportOf(change: Partial<DriftReport> = {}): DriftReport {
  return {
    atMs: 1,
    knowsInputs: true,
    lossesRose: false,
    inputsMoved: false,
    classes: [classOf('')],
    losses: [],
    verdict: {action: 'none', untilMs: undefined, reasons: []},
    outcomes: 320,
    classesDropped: 0,
    rowsForeign: 0,
    ...change,
  };
}

const textOf = (report: DriftReport) => stripVTControlCharacters(driftText(report));

test('a fleet that is as ever is told in a few lines', t => {
  t.is(
    textOf(reportOf()),
    [
      'HARDWARE    HOSTS  ROWS  INPUTS MOVED  LOSS  VERDICT',
      '(not told)  16     190   0             -     as ever',
      '',
      'verdict: as ever; the loss has not risen, over 320 outcomes',
    ].join('\n'),
  );
});

test('what has drifted is told by class, the furthest input first, with where it was and is', t => {
  const losses = [{detector: 'adwin', before: 0.0312, after: 0.2044, outcomes: 64}] as const;
  const verdict = {action: 'retrain', untilMs: undefined, reasons: [`R770: ${REASON}`]} as const;
  const text = textOf(
    reportOf({
      classes: [classOf('R770', {inputs: [HOT, GONE], losses, verdict}), classOf('R760')],
      losses,
      verdict,
    }),
  );
  t.is(
    text,
    `
HARDWARE  HOSTS  ROWS  INPUTS MOVED  LOSS                     VERDICT
R770      16     190   2             0.0312 to 0.204 over 64  retrain
R760      16     190   0             -                        as ever

INPUT                      HARDWARE  USUALLY               NOW                 MISSING   INDEX  BY CHANCE
fan_speed_rpm.level        R770      40.6 to 48.4 rpm      -                   6 to 0 %  7      3.92
temperature_celsius.level  R770      40.6 to 48.4 celsius  66.1 to 73 celsius  6 to 0 %  6.21   3.92

verdict: retrain; the loss rose from 0.0312 to 0.204 over 64, over 320 outcomes

- R770: ${REASON}`.trim(),
  );
});

test('of many inputs some are counted, not shown; what is not known is said', t => {
  const inputs = Array.from({length: 20}, () => HOT);
  t.regex(textOf(reportOf({classes: [classOf('R770', {inputs})]})), /… and 5 more$/m);
  const bare = textOf(reportOf({knowsInputs: false, classesDropped: 2, rowsForeign: 7}));
  t.regex(bare, /inputs are not watched/);
  t.regex(bare, /^\(not told\) +16 +190 +\? /m);
  t.regex(bare, /2 times a class went/);
  t.regex(bare, /7 rows of another feature contract/);
  t.regex(textOf(reportOf({classes: [], outcomes: 0})), /no host has been heard for long enough/);
});

test('a name of hardware that would steer a terminal is made harmless', t => {
  t.false(driftText(reportOf({classes: [classOf('\u001b[2Jbad')]})).includes('\u001b[2J'));
});
