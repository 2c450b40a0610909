import {INTENT_INPUTS} from '../../core/domain/host-metrics.ts';
import {averagePrecision} from '../metrics.ts';
import type {Lives} from './data.ts';
import {type IntentRule, LONGEST_SECONDS, labelsOf, roundOrNull} from './evaluation.ts';

/** What an administrator would watch for by hand, each with how much it says. */
const SIGNS: readonly {readonly metric: string; readonly weight: number}[] = [
  {metric: 'shutdown_scheduled_ratio', weight: 1},
  {metric: 'commands_power_per_minute', weight: 0.8},
  {metric: 'kexec_loaded_ratio', weight: 0.6},
  {metric: 'package_manager_active_ratio', weight: 0.2},
  {metric: 'reboot_required_ratio', weight: 0.1},
];

/** How much speaks for an intended reboot by a rule without learning; what a model must be better than. */
export function scoreByRule({rows, columns, features}: Lives): Float32Array {
  const signs = SIGNS.map(sign => ({
    ...sign,
    column: INTENT_INPUTS.findIndex(({name}) => name === sign.metric),
  }));
  return Float32Array.from({length: rows}, (_, row) => {
    let sum = 0;
    for (const {column, weight} of signs) {
      const value = features[row * columns + column] as number;
      if (value > 0) sum += weight * Math.min(1, value);
    }
    return sum;
  });
}

/** What the rule gets for intended reboots within 30 minutes. */
export function judgeRule(lives: Lives): IntentRule {
  const labels = labelsOf(lives, 'intentional', LONGEST_SECONDS);
  return {
    rule: 'intentional within 30 min',
    averagePrecision: roundOrNull(averagePrecision(scoreByRule(lives), labels)),
  };
}
