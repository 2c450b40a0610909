/** Random figures of the proof of prediction; times are whole milliseconds. */

import type {CellSkill} from '../../core/domain/skill/cell-skill.ts';
import fc from '../support/fast-check.ts';

const text = fc.string({maxLength: 20, unit: 'grapheme'}).filter(value => value.isWellFormed());
const u32 = fc.nat(0xffff_ffff);
const size = fc.double({min: 0, max: 1e15, noNaN: true}).map(value => value + 0);
const few = <Value>(item: fc.Arbitrary<Value>) => fc.array(item, {maxLength: 2});
const timeMs = fc.integer({min: 0, max: 4e12});
const share = fc.oneof(fc.double({noNaN: true, noDefaultInfinity: true}), fc.constant(Number.NaN));
const knownMs = fc.integer({min: 1, max: 4e12});

const trial = fc.record({
  actedVms: u32,
  heldBackVms: u32,
  share: size,
  sparedMinutes: share,
  low: share,
  high: share,
  because: text,
});

const withoutTrial: fc.Arbitrary<CellSkill> = fc.record({
  cell: text,
  modelHash: text,
  atMs: knownMs,
  fromMs: fc.oneof(knownMs, fc.constant(Number.NaN)),
  verdict: fc.constantFrom('unproven', 'helps', 'no-skill'),
  because: text,
  restraint: fc.record({
    restrained: fc.boolean(),
    sinceMs: timeMs,
    because: text,
    lifted: fc.boolean(),
  }),
  outputs: few(
    fc.record({
      output: text,
      forecasts: u32,
      unverifiable: u32,
      baseRate: share,
      brier: share,
      naiveBrier: share,
      logLoss: share,
      naiveLogLoss: share,
      skill: share,
      low: share,
      high: share,
      episodes: u32,
      recentSkill: share,
      claimedSkill: share,
      ece: share,
    }),
  ),
  alerts: fc.record({
    alerts: u32,
    happened: u32,
    didNot: u32,
    unverifiable: u32,
    precision: share,
    recall: share,
    failures: u32,
    leadMs: fc
      .oneof(fc.nat(1e6), fc.constant(Number.NaN))
      .map(seconds => ({p10: seconds * 1000, p50: seconds * 1000, p90: seconds * 1000})),
  }),
  acts: fc.record({
    acts: u32,
    avoided: u32,
    needless: u32,
    tooLate: u32,
    unknown: u32,
    intoFailure: u32,
    avoidedMinutes: size,
  }),
  newestActs: few(
    fc.record({
      id: text,
      action: fc.constantFrom('migrate', 'arm-ghost'),
      vm: text,
      source: text,
      target: text,
      finishedAtMs: knownMs,
      effect: fc.constantFrom('avoided', 'needless', 'too-late', 'unknown'),
      avoidedMinutes: size,
      words: text,
    }),
  ),
});

export const cellSkill: fc.Arbitrary<CellSkill> = fc
  .tuple(withoutTrial, fc.option(trial, {nil: undefined}))
  .map(([skill, known]) => (known === undefined ? skill : {...skill, trial: known}));
