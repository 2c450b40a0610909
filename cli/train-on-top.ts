import {readFile} from 'node:fs/promises';
import {join} from 'node:path';
import {ForestayError} from '../core/domain/errors.ts';
import type {Provenance} from '../models/artefact.ts';
import {renderMetrics} from '../models/card.ts';
import {type FailureData, medianFeatures} from '../models/failure/data.ts';
import {judgeOutputs} from '../models/failure/evaluation.ts';
import {COMPONENT_FAILURE, outputNames} from '../models/failure/family.ts';
import {FOLDS, isGain, type OnTopFit} from '../models/failure/on-top.ts';
import {
  assembleOnTop,
  describeOutcome,
  FAILURES_MIN,
  heldRisks,
  nodesOf,
  roomFor,
} from '../models/failure/on-top-model.ts';
import {repeatRows, toFailureData, toOnTopRows} from '../models/failure/on-top-rows.ts';
import {createOnTopPool} from '../models/failure/pool.ts';
import {snapshotOf} from '../models/failure/snapshot.ts';
import {readExamples} from '../models/keeper/example-file.ts';
import type {ExampleSet} from '../models/keeper/example-set.ts';
import {type LoadedModel, loadModel} from '../models/load-model.ts';
import {
  type ComponentMetrics,
  type Manifest,
  type OnTop,
  parseManifest,
} from '../models/manifest.ts';
import {renderMarkdown} from '../models/report/figures.ts';
import {onTopTable} from '../models/tables.ts';
import type {TreeModel} from '../models/trees/tree-model.ts';
import type {TrainFlags, TrainOutput} from './train.ts';
import {publishFailureModel} from './train-artefact.ts';

type Parent = {
  readonly folder: string;
  readonly loaded: LoadedModel;
  readonly trees: TreeModel;
  readonly manifest: Manifest;
};

type Examples = {readonly path: string; readonly set: ExampleSet; readonly sha256: string};

/**
 * Trains on top of a model from what a fleet showed, judges each host by trees that have not seen it,
 * and writes an artefact. The same examples, parent and seed give the same bytes.
 *
 * @throws {ForestayError} `TRAINING_DATA_INVALID` for examples that cannot be read, are of other features or
 *   outputs, of fewer than five hosts, tell of too few failures, or teach nothing that helps on hosts not
 *   seen; `INVALID_ARGUMENT` for a parent without trees, or one that has grown as far as it may.
 */
export async function trainOnTop(
  {examples: path = '', parent: folder = '', ...flags}: TrainFlags,
  {progress, write}: TrainOutput,
  isVersionGiven: boolean,
): Promise<void> {
  const parent = await openParent(folder);
  const examples = {path, ...(await readExamples(path))};
  const {set} = examples;
  requireFit(examples, parent);
  progress.note(`${path}: ${tellRows(set)}`);
  const {trees} = parent;
  const firstNodes = parent.manifest.onTop?.firstNodes ?? nodesOf(trees);
  const taught = set.outputs.filter(output => failuresOf(set, output) >= FAILURES_MIN);
  requireFailures(examples, taught);
  const treesMax = roomFor(trees, firstNodes, taught.length);
  const rows = toOnTopRows(set, trees);
  const pool = createOnTopPool(rows, flags.seed, Math.min(flags.threads, taught.length));
  let fits: (OnTopFit | undefined)[];
  try {
    const learn = (output: string, at: number) =>
      taught.includes(output) ? pool.fit(at, treesMax) : undefined;
    fits = await Promise.all(set.outputs.map(learn));
  } finally {
    await pool.close();
  }
  const outputs = set.outputs.map((output, at) =>
    describeOutcome(output, failuresOf(set, output), fits[at]),
  );
  if (!fits.some(fit => fit !== undefined && isGain(fit))) throw taughtNothing(examples);
  const {hash} = parent.loaded.signature;
  const {version: parentVersion} = parent.manifest;
  const onTop = {parent: hash, parentVersion, examples: examples.sha256, firstNodes, outputs};
  const data = toFailureData(set, {
    contract: parent.loaded.signature.contract,
    outputs: COMPONENT_FAILURE.outputs,
  });
  const metrics = judge(data, set, heldRisks(rows, fits));
  const model = assembleOnTop(trees, fits);
  const version = isVersionGiven ? flags.modelVersion : nextVersion(parentVersion);
  const manifest = await writeModel(flags, parent, {set, data, model, metrics, onTop, version});
  progress.note(`wrote ${flags.out}: ${manifest.sha256}`);
  write(`${render(flags, manifest, onTop)}\n`);
}

async function openParent(folder: string): Promise<Parent> {
  const loaded = await loadModel(folder);
  const {trees} = loaded;
  const path = join(folder, 'manifest.json');
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw unfit(folder, 'it has no manifest.json', cause);
  });
  if (trees === undefined || trees.link !== undefined) {
    throw unfit(folder, 'it is not made of boosted trees');
  }
  if (loaded.signature.contract.family !== 'averages') throw unfit(folder, 'it reads no averages');
  return {folder, loaded, trees, manifest: parseManifest(text, path)};
}

function requireFit({path, set}: Examples, {folder, loaded}: Parent): void {
  const {featureHash, components} = loaded.signature;
  if (set.featureHash !== featureHash) {
    throw invalid(
      path,
      `its rows are of the feature contract ${set.featureHash}, ${folder} reads ${featureHash}`,
    );
  }
  const names = outputNames(COMPONENT_FAILURE).join(', ');
  if (set.outputs.join(', ') !== names || components.join(', ') !== names) {
    throw invalid(
      path,
      `its labels are of ${set.outputs.join(', ')}, the model says ${components}`,
    );
  }
  if (set.hosts.length < FOLDS) {
    const few = `it has rows of ${set.hosts.length} hosts, at least ${FOLDS} are needed`;
    throw invalid(path, `${few}: each is judged by what others teach`);
  }
}

function requireFailures({path, set}: Examples, taught: readonly string[]): void {
  if (taught.length > 0) return;
  const found = set.outputs.map(output => `${output} ${failuresOf(set, output)}`).join(', ');
  const {unnamed} = set.counts;
  throw invalid(
    path,
    `it tells of too few failures (${found}; ${unnamed} of which nobody said what had failed); ` +
      `${FAILURES_MIN} of one part are needed`,
  );
}

function taughtNothing({path, set}: Examples): ForestayError {
  return invalid(
    path,
    `nothing of it helps on hosts that were not learned from (${tellRows(set)}); keep the model, and ` +
      'try again with more failures',
  );
}

/** Of all rows that were seen, those that were thinned as well; each host by trees that have not seen it. */
function judge(data: FailureData, {weights}: ExampleSet, risks: Float32Array): ComponentMetrics[] {
  const repeated = repeatRows(data, weights, risks);
  return judgeOutputs(repeated.data, repeated.risks);
}

type Trained = {
  readonly set: ExampleSet;
  readonly data: FailureData;
  readonly model: TreeModel;
  readonly metrics: readonly ComponentMetrics[];
  readonly onTop: OnTop;
  readonly version: string;
};

async function writeModel(
  {out, seed}: Pick<TrainFlags, 'out' | 'seed'>,
  {loaded, manifest: {limits}}: Parent,
  {set, data, model, metrics, onTop, version}: Trained,
): Promise<Manifest> {
  const {signature, usual} = loaded;
  const all = Int32Array.from({length: data.rows}, (_, row) => row);
  const medians = medianFeatures(data, all);
  const provenance: Provenance = {
    version,
    gives: COMPONENT_FAILURE.gives,
    contract: signature.contract,
    metrics,
    limits: tellLimits(limits, onTop),
    usual: medians.map((value, at) => (Number.isNaN(value) ? (usual[at] as number) : value)),
    onTop,
  };
  const metadata = {
    name: COMPONENT_FAILURE.name,
    featureHash: signature.featureHash,
    components: signature.components,
    requiredMetrics: signature.requiredMetrics,
    seed,
    data:
      `${tellRows(set)} On top of version ${onTop.parentVersion}, ${onTop.parent.slice(0, 12)}. Judged on ` +
      'the same hosts, each by trees that have not seen it.',
  };
  const {weights, hosts} = set;
  const snapshot = snapshotOf(data, {weights, hardware: hosts.map(({hardware}) => hardware)});
  return publishFailureModel(out, {model, metadata, provenance, snapshot, shown: data});
}

const BELOW = 'Of what lies below: ';
const ADDED = 'What was added ';

function tellLimits(limits: readonly string[], {outputs}: OnTop): string[] {
  const kept = outputs.filter(({trees}) => trees === 0).map(({output}) => output);
  const rest = kept.length === 0 ? '' : ` Of ${kept.join(', ')} it says what the model below says.`;
  const below = limits.filter(limit => !limit.startsWith(ADDED));
  return [
    `${ADDED}was learned from one fleet, and knows its hosts.${rest}`,
    ...below.map(limit => (limit.startsWith(BELOW) ? limit : BELOW + limit)),
  ];
}

function tellRows({rows, hosts, weights, atMs, counts, outputs}: ExampleSet): string {
  const standing = Math.round(weights.reduce((sum, weight) => sum + weight, 0));
  const times = atMs.length === 0 ? [0] : [...atMs];
  const at = (pick: (a: number, b: number) => number) =>
    new Date(times.reduce((a: number, b: number) => pick(a, b))).toISOString().slice(0, 16);
  const failures = outputs.map(output => `${output} ${counts.failures[output] ?? 0}`).join(', ');
  return (
    `${rows} rows of a fleet’s ${hosts.length} hosts that stand for ${standing}, from ${at(Math.min)} to ` +
    `${at(Math.max)}; failures: ${failures}; ${counts.unnamed} that nobody named taught nothing.`
  );
}

function failuresOf({counts}: ExampleSet, output: string): number {
  return counts.failures[output] ?? 0;
}

function nextVersion(version: string): string {
  const number = Number(version);
  return Number.isSafeInteger(number) ? String(number + 1) : `${version}.1`;
}

function render(
  {out, output}: Pick<TrainFlags, 'out' | 'output'>,
  {sha256, rounds, metrics}: Manifest,
  onTop: OnTop,
): string {
  return output === 'json'
    ? JSON.stringify({out, sha256, rounds, metrics, onTop})
    : `${renderMarkdown(onTopTable(onTop.outputs))}\n\n${renderMetrics(metrics)}`;
}

function invalid(path: string, reason: string): ForestayError {
  return new ForestayError('TRAINING_DATA_INVALID', `cannot train on ${path}: ${reason}`, {
    details: {path},
  });
}

function unfit(folder: string, reason: string, cause?: unknown): ForestayError {
  return new ForestayError(
    'INVALID_ARGUMENT',
    `cannot train on top of ${folder}: ${reason}; give a folder that forestay train wrote`,
    {details: {folder}, cause},
  );
}
