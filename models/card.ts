import type {ComponentMetrics, Manifest} from './manifest.ts';

/** The model card of an artefact, in Markdown: what the manifest says, for people. */
export function renderCard(manifest: Manifest): string {
  const trees = manifest.rounds.reduce((sum, rounds) => sum + rounds, 0);
  return `# ${manifest.name}, version ${manifest.version}

Written by \`forestay train\`; change nothing here by hand.

- Gives: the risk that each of ${manifest.components.join(', ')} fails within 30 minutes.
- Reads: ${manifest.features.length} features of \`host.v1\` (contract ${manifest.featureHash});
  without ${manifest.requiredMetrics.join(', ')} a host is not scored.
- Made of: ${trees} trees (${manifest.rounds.join(', ')}) and one Platt calibration a component.
- Data: ${manifest.data}
- Seed: ${manifest.seed}
- SHA-256: \`${manifest.sha256}\`

## On fleets that it has not seen

${renderMetrics(manifest.metrics)}

AP: average precision (its base is the rate of positives). Log-loss in nats, the base rate's own in
brackets. ECE: expected calibration error, ten bins of equal mass. At the budget: the
${percent(manifest.metrics[0]?.atBudget.budgetRatio ?? 0)} of rows with the highest risk raise an alert. Foreseen: failures whose
alert came at least a minute before; lead: how long before, 10th, 50th and 90th percentile.

## Limits

${manifest.limits.map(limit => `- ${limit}`).join('\n')}
`;
}

/** The metrics as a Markdown table. */
export function renderMetrics(metrics: readonly ComponentMetrics[]): string {
  const head =
    '| component | positives | AP | ROC-AUC | log-loss | Brier | ECE | precision at budget ' +
    '| recall at budget | foreseen | lead, minutes |\n|---|---|---|---|---|---|---|---|---|---|---|';
  return [head, ...metrics.map(renderRow)].join('\n');
}

function renderRow(metrics: ComponentMetrics): string {
  const {atBudget, episodes} = metrics;
  const lead = [episodes.leadSecondsP10, episodes.leadSecondsP50, episodes.leadSecondsP90];
  const cells = [
    metrics.component,
    percent(metrics.positives / metrics.rows),
    fixed(metrics.averagePrecision, 3),
    fixed(metrics.rocAuc, 3),
    `${metrics.logLoss.toFixed(4)} (${metrics.baseLogLoss.toFixed(4)})`,
    metrics.brier.toFixed(4),
    metrics.calibrationError.toFixed(4),
    atBudget.precision.toFixed(2),
    fixed(atBudget.recall, 2),
    `${episodes.foreseen} of ${episodes.failures}`,
    lead.map(seconds => fixed(seconds === null ? null : seconds / 60, 1)).join(' · '),
  ];
  return `| ${cells.join(' | ')} |`;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

function fixed(value: number | null, digits: number): string {
  return value?.toFixed(digits) ?? '–';
}
