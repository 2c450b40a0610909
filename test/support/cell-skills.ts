import type {CellSkill} from '../../core/domain/skill/cell-skill.ts';
import {START_MS} from './fleet-harness.ts';

const {NaN: unknown} = Number;

/** Acting was shown to help by VMs that were left where they were. */
export const A_TRIAL: NonNullable<CellSkill['trial']> = {
  actedVms: 310,
  heldBackVms: 36,
  share: 0.1,
  sparedMinutes: 0.41,
  low: 0.05,
  high: 0.77,
  because: '36 VMs held back were down for 0.45 min on average: 0.41 min spared, acting helps',
};

/** Of a cell whose model is restrained, with one act that avoided an interruption. */
export function aCellSkill(fields: Partial<CellSkill> = {}): CellSkill {
  return {
    cell: 'c1',
    modelHash: 'b'.repeat(64),
    atMs: START_MS,
    fromMs: START_MS - 86_400_000,
    verdict: 'no-skill',
    because:
      'skill over the naive method -40 % (-60 % to -20 %) in 12 failures, of all that is kept',
    restraint: {
      restrained: true,
      sinceMs: START_MS,
      because: 'no skill in 12 failures',
      lifted: false,
    },
    outputs: [
      {
        output: 'any',
        forecasts: 5760,
        unverifiable: 24,
        baseRate: 0.0125,
        brier: 0.02,
        naiveBrier: 0.01,
        logLoss: 0.14,
        naiveLogLoss: 0.1,
        skill: -0.4,
        low: -0.6,
        high: -0.2,
        episodes: 12,
        recentSkill: -0.5,
        claimedSkill: 0.3,
        ece: 0.031,
      },
    ],
    alerts: {
      alerts: 9,
      happened: 1,
      didNot: 7,
      unverifiable: 1,
      precision: 0.125,
      recall: unknown,
      failures: 12,
      leadMs: {p10: 60_000, p50: 360_000, p90: 900_000},
    },
    acts: {
      acts: 4,
      avoided: 1,
      needless: 2,
      tooLate: 1,
      unknown: 0,
      intoFailure: 0,
      avoidedMinutes: 1.4,
    },
    newestActs: [
      {
        id: '5/1/7/0',
        action: 'migrate',
        vm: 'v12',
        source: 'h07',
        target: 'h08',
        finishedAtMs: START_MS - 600_000,
        effect: 'avoided',
        avoidedMinutes: 1.4,
        words:
          'h07 failed 6 min after v12 had left: it would have been down for about 1.5 min (restart) had it stayed.',
      },
    ],
    ...fields,
  };
}
