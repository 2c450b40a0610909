import type {DriftSnapshot} from '../core/domain/drift/snapshot.ts';
import type {ComponentMetrics, Manifest} from './manifest.ts';
import {renderMarkdown} from './report/figures.ts';
import {alertTable, EXPLANATION, onTopTable, riskTable} from './tables.ts';

/** The model card of an artefact, in Markdown: what the manifest says, for people. */
export function renderCard(manifest: Manifest, snapshot: DriftSnapshot | null): string {
  const {name, version, gives, features, featureHash, requiredMetrics, rounds} = manifest;
  const trees = rounds.reduce((sum, each) => sum + each, 0);
  return `# ${name}, version ${version}

Written by \`forestay train\`; change nothing here by hand.

- Gives: ${gives ?? `risks of ${manifest.components.join(', ')}`}.
- Reads: ${features.length} features (contract ${featureHash})${required(requiredMetrics)}.
- Made of: ${trees} trees (${rounds.join(', ')}) and one Platt calibration an output.
- Data: ${manifest.data}
- Seed: ${manifest.seed}${spread(snapshot)}
- SHA-256: \`${manifest.sha256}\`

${renderOnTop(manifest)}## On hosts that it has not seen

${renderMetrics(manifest.metrics)}

${EXPLANATION}

## Limits

${manifest.limits.map(limit => `- ${limit}`).join('\n')}
`;
}

function renderOnTop({onTop}: Manifest): string {
  if (onTop === undefined) return '';
  const {parent, parentVersion, examples, outputs} = onTop;
  return `## On top of another model

Trained on top of version ${parentVersion}, \`${parent}\`, from the examples \`${examples}\`.

${renderMarkdown(onTopTable(outputs))}

`;
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}

/** How much a snapshot knows, in a few words. */
export function tellSnapshot(snapshot: DriftSnapshot | null): string {
  if (snapshot === null) return 'not kept';
  const {rows, hosts, fleets, features, isOwnFleet, classes = []} = snapshot;
  const apart = classes.length === 0 ? '' : `, ${classes.length} classes of hardware apart`;
  const many = fleets === 1 ? 'one fleet' : `${fleets} fleets`;
  const from = isOwnFleet ? `${counted(fleets, 'hour')} of one’s own fleet${apart}` : many;
  return `${features.length} features over ${rows} rows of ${hosts} hosts in ${from}`;
}

/** The metrics as Markdown tables. */
export function renderMetrics(metrics: readonly ComponentMetrics[]): string {
  return [riskTable(metrics), alertTable(metrics)]
    .filter(({rows}) => rows.length > 0)
    .map(renderMarkdown)
    .join('\n\n');
}

function spread(snapshot: DriftSnapshot | null): string {
  return snapshot === null
    ? ''
    : `\n- Spread of its inputs: ${tellSnapshot(snapshot)} (drift.json).`;
}

function required(metrics: readonly string[]): string {
  return metrics.length === 0 ? '' : `; without ${metrics.join(', ')} a host is not scored`;
}
