import type {IntentManifest} from '../../core/domain/intent-manifest.ts';
import {fixed, leadMinutes, percent, renderMarkdown} from '../report/figures.ts';
import type {Table} from '../report/page.ts';
import type {IntentEpisodes, IntentMetrics, IntentRule} from './evaluation.ts';

/** What stands below the tables, wherever they are shown. */
export const INTENT_EXPLANATION = `\
AP: average precision (its base is the rate of positives). Log-loss in nats, the base rate's own in
brackets. ECE: expected calibration error, ten bins of equal mass. Foreseen: events whose probability
within 30 minutes reached the threshold at least a minute before; lead: how long before, 10th, 50th
and 90th percentile. An alert is the first row at or above the threshold, and the next after half an hour.`;

/** The card of an artefact: what the manifest says, for people. */
export function renderIntentCard(
  manifest: IntentManifest,
  metrics: readonly IntentMetrics[],
  episodes: readonly IntentEpisodes[],
  rule: IntentRule,
): string {
  return `# ${manifest.name}, version ${manifest.version}

Written by \`forestay train --family reboot-intent\`; change nothing here by hand.

- Gives: the probabilities that a host is rebooted on purpose, or crashes, within 1, 5, 15 and 30 minutes.
- Reads: ${manifest.inputs.length} metrics of \`host.v2\`, their means over ${manifest.stepMs / 1000} s (contract ${manifest.inputHash}).
- Made of: an LSTM of ${manifest.hidden} units that carries its state from step to step, and a calibration.
- Data: ${manifest.data}
- Seed: ${manifest.seed}
- SHA-256: \`${manifest.sha256}\`; of what explains it: \`${manifest.explainSha256}\`

## On fleets that it has not seen

${renderIntentMetrics(metrics, episodes, rule)}

${INTENT_EXPLANATION}

## Limits

${manifest.limits.map(limit => `- ${limit}`).join('\n')}
`;
}

/** How good the model is on fleets that it has not seen, in Markdown. */
export function renderIntentMetrics(
  metrics: readonly IntentMetrics[],
  episodes: readonly IntentEpisodes[],
  rule?: IntentRule,
): string {
  const byHorizon: Table = {
    header: ['cause', 'within', 'base rate', 'AP', 'ROC-AUC', 'log-loss', 'ECE'],
    rows: metrics.map(each => [
      each.cause,
      `${each.horizonMinutes} min`,
      percent(each.positives / each.rows),
      fixed(each.averagePrecision, 3),
      fixed(each.rocAuc, 3),
      `${each.logLoss.toFixed(4)} (${each.baseLogLoss.toFixed(4)})`,
      each.calibrationError.toFixed(4),
    ]),
  };
  const byEvent: Table = {
    header: ['cause', 'threshold', 'foreseen', 'lead, minutes', 'alerts', 'precision'],
    rows: episodes.map(each => [
      each.cause,
      String(each.threshold),
      `${each.foreseen} of ${each.events}`,
      leadMinutes(each),
      String(each.alerts),
      fixed(each.precision, 2),
    ]),
  };
  const beside = rule === undefined ? [] : [describeRule(rule)];
  return [renderMarkdown(byHorizon), renderMarkdown(byEvent), ...beside].join('\n\n');
}

/** What the model is compared with, in words. */
export function describeRule({rule, averagePrecision}: IntentRule): string {
  return (
    `Compared with a rule that learned nothing (a weighted sum of scheduled shutdowns, power commands, ` +
    `kexec, package managers at work and reboots that are required): its AP for ${rule} is ` +
    `${averagePrecision === null ? 'unknown, for none happened' : averagePrecision.toFixed(3)}. For crashes there is no rule to compare with.`
  );
}
