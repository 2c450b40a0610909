import {rmSync} from 'node:fs';
import {contractHash, featuresOf} from '../core/domain/features.ts';
import type {Provenance} from '../models/artefact.ts';
import {renderMetrics} from '../models/card.ts';
import {
  type FailureData,
  featureCountOf,
  maskSensors,
  medianFeatures,
  sliceData,
} from '../models/failure/data.ts';
import {evaluateFailures} from '../models/failure/evaluation.ts';
import {type FailureFamily, outputNames} from '../models/failure/family.ts';
import {createTrainingPool, type TrainingPool} from '../models/failure/pool.ts';
import {renderReport} from '../models/failure/report.ts';
import {scoreBaseline, scoreOutputs} from '../models/failure/scoring.ts';
import {type Search, searchSettings} from '../models/failure/search.ts';
import {FAILURE_SETTINGS} from '../models/failure/settings.ts';
import {snapshotOf} from '../models/failure/snapshot.ts';
import {assembleModel, type FittedOutput} from '../models/failure/training.ts';
import type {Manifest} from '../models/manifest.ts';
import {openResults, type Results} from '../models/training/results.ts';
import type {ModelMetadata} from '../models/trees/tree-onnx.ts';
import {publishFile} from './publish.ts';
import type {TrainFlags, TrainOutput} from './train.ts';
import {publishFailureModel} from './train-artefact.ts';
import {type FailureSource, openFailureSource} from './train-failure-data.ts';
import type {Progress} from './train-progress.ts';
import {trainingFolder} from './train-state.ts';

/** Shares of rows, and of sensors in them, that are taken away before training. */
const MASKED_ROWS = 0.2;
const MASKED_SENSORS = 0.3;

const REQUIRED_METRICS = ['cpu_utilisation_ratio', 'memory_used_ratio', 'disk_busy_ratio'];

type Learned = {
  readonly fitted: readonly FittedOutput[];
  /** Of trainings on other hosts. */
  readonly again: readonly (readonly FittedOutput[])[];
  readonly search: Search | undefined;
};

/** A family of component failure: takes rows, searches if asked to, learns, judges, writes. */
export async function trainFailure(
  family: FailureFamily,
  flags: TrainFlags,
  {progress, write}: TrainOutput,
): Promise<void> {
  const source = await openFailureSource(family, flags, progress);
  const {learned: data, unseen, about} = source;
  // Before sensors are taken away: hosts that are watched have theirs.
  const snapshot = snapshotOf(data, source);
  if (flags.data === undefined) maskSensors(data, flags.seed, MASKED_ROWS, MASKED_SENSORS);
  const {fitted, again, search} = await learn(family, flags, source, progress);
  const width = featureCountOf(data);
  const model = assembleModel(width, fitted);
  const metadata: ModelMetadata = {
    name: family.name,
    featureHash: contractHash(data.contract),
    components: outputNames(data),
    requiredMetrics: REQUIRED_METRICS.filter(metric => hasMetric(data, metric)),
    seed: flags.seed,
    data: about,
  };
  const {baseline} = flags;
  const rivals = baseline === undefined ? [] : [await scoreBaseline(baseline, unseen)];
  const metrics = evaluateFailures(unseen, scoreOutputs(model, unseen), {
    alertsPerHostDay: source.alertsPerHostDay,
    rivals,
    again: again.map(each => scoreOutputs(assembleModel(width, each), unseen)),
  });
  const provenance: Provenance = {
    version: flags.modelVersion,
    gives: family.gives,
    contract: family.contract,
    metrics,
    limits: source.limits,
    usual: medianFeatures(data, sliceData(data).train),
  };
  const manifest = await publishFailureModel(flags.out, {
    model,
    metadata,
    provenance,
    snapshot,
    shown: unseen,
  });
  progress.note(`wrote ${flags.out}: ${manifest.sha256}`);
  if (flags.report !== undefined) {
    const title = `${metadata.name}, version ${manifest.version}`;
    const report = renderReport({title, about, model, fitted, metrics, unseen, search});
    await publishFile(flags.report, '--report', report);
    progress.note(`wrote ${flags.report}`);
  }
  rmSync(trainingFolder(flags.out), {recursive: true});
  write(`${render(flags, manifest)}\n`);
}

/** Settings first, if there is a budget for them, then every output; stopped, it goes on here. */
async function learn(
  family: FailureFamily,
  flags: TrainFlags,
  {learned: data, identity}: FailureSource,
  progress: Progress,
): Promise<Learned> {
  const {seed, trials, threads, repeats} = flags;
  // Rows that cannot teach are refused here, with a code, and not by every thread.
  sliceData(data);
  const folder = trainingFolder(flags.out);
  const {name} = family;
  const contract = contractHash(data.contract);
  const results = openResults(folder, {
    name,
    contract,
    settings: FAILURE_SETTINGS,
    identity,
    seed,
    trials,
  });
  if (results.known > 0) progress.note(`going on behind ${results.known} results in ${folder}`);
  const pool = createTrainingPool(data, seed, threads);
  try {
    const search = await find(flags, data, pool, results, progress);
    const settings = search?.settings ?? FAILURE_SETTINGS;
    const tasks = Array.from({length: repeats}, (_, turn) =>
      data.outputs.map((output, index) => ({turn, output, index})),
    ).flat();
    let done = 0;
    const all = await Promise.all(
      tasks.map(async ({turn, output, index}) => {
        const found = await pool.fit(index, settings, turn);
        if (turn === 0) progress.note(`${output.name}: ${describeFit(found)}`);
        progress.show('trainings', ++done / tasks.length);
        return found;
      }),
    );
    const [fitted = [], ...again] = Array.from({length: repeats}, (_, turn) =>
      all.filter((__, at) => tasks[at]?.turn === turn),
    );
    return {fitted, again, search};
  } finally {
    await pool.close();
  }
}

function describeFit({forest, trainLoss, validationLoss}: FittedOutput): string {
  const kept = forest.roots.length;
  if (kept === 0) return 'no tree helped: it says the same of every row';
  const [learned, held] = [trainLoss, validationLoss].map(losses =>
    (losses[kept - 1] ?? Number.NaN).toFixed(4),
  );
  return `${kept} trees, log-loss ${learned}, held out ${held}`;
}

async function find(
  {budget, trials, threads, seed}: TrainFlags,
  data: FailureData,
  pool: TrainingPool,
  results: Results,
  {note, show}: Progress,
): Promise<Search | undefined> {
  if (budget === 0) return undefined;
  const beganMs = performance.now();
  const usedMs = () => performance.now() - beganMs;
  const search = await searchSettings(data, pool, {
    trials,
    seed,
    threads,
    results,
    hasTime: () => usedMs() < budget,
    onTrial: (trial, share, loss) => {
      const hosts = `${Math.round(100 * share)} % of the hosts`;
      note(`trial ${trial} on ${hosts}: loss ${loss.toFixed(5)}`);
      show('of the budget', Math.min(1, usedMs() / budget));
    },
  });
  note(`best of ${trials}: trial ${search.halving.winner}, ${JSON.stringify(search.settings)}`);
  return search;
}

/** Whether a metric has a value in some row: what no row has, a host need not have either. */
function hasMetric(data: FailureData, metric: string): boolean {
  const all = featuresOf(data.contract);
  const column = all.findIndex(feature => feature.metric === metric);
  for (let at = column; at < data.features.length; at += all.length) {
    if (!Number.isNaN(data.features[at])) return true;
  }
  return false;
}

function render({out, output}: TrainFlags, {sha256, rounds, metrics}: Manifest): string {
  return output === 'json'
    ? JSON.stringify({out, sha256, rounds, metrics})
    : renderMetrics(metrics);
}
