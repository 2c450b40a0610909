import {rmSync} from 'node:fs';
import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {seededRandom} from '../core/adapters/random-seeded.ts';
import {COMPONENTS} from '../core/domain/components.ts';
import {contractHash, FIRST_HOST_CONTRACT} from '../core/domain/features.ts';
import {type Dataset, simulateDataset} from '../core/simulation/dataset.ts';
import {writeArtefact} from '../models/artefact.ts';
import {renderCard, renderMetrics} from '../models/card.ts';
import {
  type FailureData,
  featureCountOf,
  maskSensors,
  medianFeatures,
  sliceData,
} from '../models/failure/data.ts';
import {evaluateFailureModel} from '../models/failure/evaluation.ts';
import {createTrainingPool} from '../models/failure/pool.ts';
import {renderReport} from '../models/failure/report.ts';
import {type Search, searchSettings} from '../models/failure/search.ts';
import {assembleModel, FAILURE_DEFAULTS, type FittedOutput} from '../models/failure/training.ts';
import type {Manifest} from '../models/manifest.ts';
import {openResults} from '../models/training/results.ts';
import type {ModelMetadata} from '../models/trees/tree-onnx.ts';
import type {TrainFlags, TrainOutput} from './train.ts';

/** Fleets that judge are drawn from the seed this far above the one that taught. */
const UNSEEN_OFFSET = 1_000_000;
/** Shares of rows, and of sensors in them, that are taken away before training. */
const MASKED_ROWS = 0.2;
const MASKED_SENSORS = 0.3;
const GOLDEN_ROWS = 16;

const REQUIRED_METRICS = ['cpu_utilisation_ratio', 'memory_used_ratio', 'disk_busy_ratio'];

const LIMITS = [
  'It has only ever seen simulated hosts: their symptoms follow what vendors and operators report, ' +
    'their rates are raised from years to an hour. On a real fleet its order of hosts may help; its ' +
    'numbers are not calibrated there.',
  'Before its first symptom a failure is not foreseeable; hangs show seconds ahead, or not at all.',
  'Intended reboots, load that outgrows a host and failures of more than one host are not in it.',
  'It reads averages of 30 seconds and 10 minutes: in a host’s first minutes its trends say little.',
];

/** The component-failure family: simulates fleets, searches if asked to, learns, judges, writes. */
export async function trainFailure(flags: TrainFlags, {note, write}: TrainOutput): Promise<void> {
  const data = simulate(flags, flags.seed, flags.fleets, note);
  maskSensors(data, flags.seed, MASKED_ROWS, MASKED_SENSORS);
  const {fitted, search} = await learn(flags, data, note);
  const unseenSeed = flags.seed + UNSEEN_OFFSET;
  const unseen = simulate(flags, unseenSeed, flags.unseenFleets, note);
  const model = assembleModel(featureCountOf(data), fitted);
  const metadata: ModelMetadata = {
    name: 'component-failure',
    featureHash: contractHash(data.contract),
    components: data.outputs,
    requiredMetrics: REQUIRED_METRICS,
    seed: flags.seed,
    data: describe(flags, data, unseen),
  };
  const metrics = evaluateFailureModel(model, unseen);
  const provenance = {
    version: flags.modelVersion,
    metrics,
    limits: LIMITS,
    usual: medianFeatures(data, sliceData(data).train),
  };
  const golden = pickRows(unseen, GOLDEN_ROWS);
  const manifest = await writeArtefact(flags.out, model, metadata, provenance, golden);
  await writeFile(join(flags.out, 'README.md'), renderCard(manifest));
  note(`wrote ${flags.out}: ${manifest.sha256}`);
  if (flags.report !== undefined) {
    const {name, data: about} = metadata;
    const title = `${name}, version ${manifest.version}`;
    const report = renderReport({title, about, model, fitted, metrics, unseen, search});
    await writeFile(flags.report, report);
    note(`wrote ${flags.report}`);
  }
  write(`${render(flags, manifest)}\n`);
}

/** Settings first, if there is a budget for them, then every output; stopped, it goes on here. */
async function learn(
  flags: TrainFlags,
  data: FailureData,
  note: TrainOutput['note'],
): Promise<{fitted: FittedOutput[]; search: Search | undefined}> {
  const {seed, fleets, hosts, minutes, rowEvery, trials, threads} = flags;
  const folder = join(flags.out, '.training');
  const results = openResults(folder, {seed, fleets, hosts, minutes, rowEvery, trials});
  if (results.known > 0) note(`going on behind ${results.known} results in ${folder}`);
  const pool = createTrainingPool(data, seed, threads);
  try {
    const search = await find(flags, data, pool, results, note);
    const settings = search?.settings ?? FAILURE_DEFAULTS;
    const fitted = await Promise.all(
      data.outputs.map(async (name, output) => {
        const found = await pool.fit(output, settings);
        const kept = found.forest.roots.length;
        const [learned, held] = [found.trainLoss, found.validationLoss].map(losses =>
          (losses[kept - 1] ?? Number.NaN).toFixed(4),
        );
        note(`${name}: ${kept} trees, log-loss ${learned}, held out ${held}`);
        return found;
      }),
    );
    rmSync(folder, {recursive: true});
    return {fitted, search};
  } finally {
    await pool.close();
  }
}

async function find(
  {budget, trials, threads, seed}: TrainFlags,
  data: FailureData,
  pool: ReturnType<typeof createTrainingPool>,
  results: ReturnType<typeof openResults>,
  note: TrainOutput['note'],
): Promise<Search | undefined> {
  if (budget === 0) return undefined;
  const endsMs = performance.now() + budget;
  const search = await searchSettings(data, pool, {
    trials,
    seed,
    threads,
    results,
    hasTime: () => performance.now() < endsMs,
    onTrial: (trial, share, loss) => {
      const leftSeconds = Math.max(0, (endsMs - performance.now()) / 1000);
      note(
        `trial ${trial} on ${Math.round(100 * share)} % of the hosts: loss ${loss.toFixed(5)}, ` +
          `${leftSeconds.toFixed(0)} s left`,
      );
    },
  });
  note(`best of ${trials}: trial ${search.halving.winner}, ${JSON.stringify(search.settings)}`);
  return search;
}

function simulate(
  {hosts, minutes, rowEvery}: TrainFlags,
  seed: number,
  fleets: number,
  note: TrainOutput['note'],
): FailureData & Dataset {
  note(`seed ${seed}: ${fleets} fleets of ${hosts} hosts, ${minutes} minutes each`);
  const data = simulateDataset({
    random: seededRandom(seed),
    fleets,
    minutesEach: minutes,
    rowEverySeconds: rowEvery,
    hosts,
  });
  note(`${data.rows} rows, ${data.failures} failures`);
  return {...data, contract: FIRST_HOST_CONTRACT, outputs: COMPONENTS};
}

function describe(
  {fleets, unseenFleets, hosts, minutes, rowEvery}: TrainFlags,
  data: Dataset,
  unseen: Dataset,
): string {
  return (
    `${fleets} simulated fleets of ${hosts} hosts over ${minutes} minutes, a row of each host every ` +
    `${rowEvery} s: ${data.rows} rows, ${data.failures} failures (70 % to learn, 15 % to stop, 15 % ` +
    `to calibrate, split by host). Judged on ${unseenFleets} other fleets: ${unseen.rows} rows, ` +
    `${unseen.failures} failures. The demo draws from other seeds again.`
  );
}

/** Rows spread over the data. */
function pickRows(data: FailureData, rows: number): Float32Array {
  const width = featureCountOf(data);
  const picked = new Float32Array(Math.min(rows, data.rows) * width);
  for (let at = 0; at < picked.length; at += width) {
    const row = Math.floor((at / picked.length) * data.rows);
    picked.set(data.features.subarray(row * width, (row + 1) * width), at);
  }
  return picked;
}

function render({out, output}: TrainFlags, {sha256, rounds, metrics}: Manifest): string {
  return output === 'json'
    ? JSON.stringify({out, sha256, rounds, metrics})
    : renderMetrics(metrics);
}
