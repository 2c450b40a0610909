import {existsSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {rename, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {deserialize, serialize} from 'node:v8';
import {isSystemError} from '../core/domain/errors.ts';
import {CAUSES, riskColumn} from '../core/domain/reboot-risks.ts';
import {JUDGING_SEED_OFFSET} from '../core/simulation/seeds.ts';
import {writeIntentArtefact} from '../models/intent/artefact.ts';
import {renderIntentCard, renderIntentMetrics} from '../models/intent/card.ts';
import {
  goldenRows,
  joinLives,
  type Lives,
  mediansOf,
  sliceFleets,
  teachingFleets,
} from '../models/intent/data.ts';
import {
  columnOf,
  countEpisodes,
  evaluateIntent,
  type IntentEpisodes,
} from '../models/intent/evaluation.ts';
import {renderIntentReport} from '../models/intent/report.ts';
import {judgeRule} from '../models/intent/rule.ts';
import {type IntentSearch, searchIntent} from '../models/intent/search.ts';
import {predictLives} from '../models/intent/serving.ts';
import {INTENT_DEFAULTS, type IntentModel, trainIntent} from '../models/intent/training.ts';
import type {NetworkCheckpoint} from '../models/network/train.ts';
import {openResults} from '../models/training/results.ts';
import {publish, publishFile} from './publish.ts';
import type {TrainFlags, TrainOutput} from './train.ts';
import {simulateLives} from './train-intent-fleets.ts';
import type {Progress} from './train-progress.ts';
import {trainingFolder} from './train-state.ts';

const FLEETS = 200;
const UNSEEN_FLEETS = 30;
const MINUTES = 120;
/** Two hours of one host. */
const GOLDEN_ROWS = 30;
/** The policy's own, and one that alerts earlier. */
const THRESHOLDS = [0.5, 0.75];

const LIMITS = [
  'It has only ever seen simulated hosts and simulated people: what precedes reboots on a real fleet ' +
    'has to be learned there. Its probabilities are calibrated for the rates of the simulation, which ' +
    'are raised from years to hours.',
  'A reboot that is announced by seconds, or a crash without a symptom, is told by seconds or not.',
  'It begins anew with every boot and every life of the agent, and knows little in the first minutes.',
];

/** The reboot-intent family: simulates fleets, searches if asked to, learns, judges, writes. */
export async function trainIntentFamily(
  flags: TrainFlags,
  {progress, write}: TrainOutput,
): Promise<void> {
  const {fleets = FLEETS, unseenFleets = UNSEEN_FLEETS, seed} = flags;
  const {minutes = MINUTES} = flags;
  const {hosts} = flags;
  const taught = simulateLives(seed, {fleets, hosts, minutes}, progress);
  const {model, search} = await learn({...flags, fleets, minutes}, taught, progress);
  const judging = {fleets: unseenFleets, hosts, minutes};
  const unseen = joinLives(simulateLives(seed + JUDGING_SEED_OFFSET, judging, progress));
  const risks = await predictLives(model, unseen);
  const metrics = evaluateIntent(unseen, risks);
  const episodes = episodesOf(unseen, risks);
  const rule = judgeRule(unseen);
  const data =
    `${fleets} simulated fleets of ${hosts} hosts over ${minutes} minutes, a row of each host ` +
    `every 10 s: ${taught.reduce((sum, {rows}) => sum + rows, 0)} rows (70 % to learn, 15 % to stop, ` +
    `15 % to calibrate, split by fleet). Judged on ${unseenFleets} other fleets: ${unseen.rows} rows.`;
  const provenance = {
    version: flags.modelVersion,
    seed,
    data,
    metrics: [...metrics, ...episodes, rule],
    limits: LIMITS,
    usual: mediansOf(taught),
  };
  const manifest = await publish(flags.out, '--out', async folder => {
    const written = await writeIntentArtefact(
      folder,
      model,
      provenance,
      goldenRows(unseen, GOLDEN_ROWS),
    );
    await writeFile(join(folder, 'README.md'), renderIntentCard(written, metrics, episodes, rule));
    return written;
  });
  progress.note(`wrote ${flags.out}: ${manifest.sha256}`);
  if (flags.report !== undefined) {
    const report = {about: data, model, metrics, episodes, rule, unseen, risks, search};
    await publishFile(flags.report, '--report', renderIntentReport(report));
    progress.note(`wrote ${flags.report}`);
  }
  rmSync(trainingFolder(flags.out), {recursive: true});
  write(
    flags.output === 'json'
      ? `${JSON.stringify({out: flags.out, sha256: manifest.sha256, metrics, episodes, rule})}\n`
      : `${renderIntentMetrics(metrics, episodes, rule)}\n`,
  );
}

/** A search first, if there is a budget for it; stopped, both go on behind what they had done. */
async function learn(
  flags: TrainFlags & {fleets: number; minutes: number},
  fleets: readonly Lives[],
  progress: Progress,
): Promise<{model: IntentModel; search: IntentSearch | undefined}> {
  const {seed, trials, hosts, minutes} = flags;
  const slices = sliceFleets(fleets);
  const folder = trainingFolder(flags.out);
  const options = {...INTENT_DEFAULTS, seed};
  const results = openResults(folder, {...options, trials, hosts, minutes, fleets: flags.fleets});
  const endsMs = performance.now() + flags.budget;
  const search =
    flags.budget === 0
      ? undefined
      : await searchIntent(teachingFleets(fleets), slices.validation, {
          trials,
          options,
          results,
          hasTime: () => performance.now() < endsMs,
          onTrial: (trial, share, loss) =>
            progress.note(
              `trial ${trial} on ${Math.round(100 * share)} % of the fleets: ${loss.toFixed(5)}`,
            ),
        });
  const chosen = {...options, ...search?.settings};
  const checkpoint = join(folder, 'checkpoint.bin');
  const settings = JSON.stringify(chosen);
  const from = readCheckpoint(checkpoint, settings);
  if (from !== undefined) progress.note(`going on behind epoch ${from.epochs.length}`);
  const model = await trainIntent(
    slices,
    chosen,
    async reached => {
      const {epoch, trainingLoss, validationLoss} = reached.epochs.at(-1) as {
        epoch: number;
        trainingLoss: number;
        validationLoss: number;
      };
      progress.note(
        `epoch ${epoch}: loss ${trainingLoss.toFixed(4)}, held out ${validationLoss.toFixed(4)}`,
      );
      progress.show('epochs', epoch / chosen.epochs);
      // A kill leaves the one before, whole.
      writeFileSync(`${checkpoint}.new`, serialize({settings, reached}));
      await rename(`${checkpoint}.new`, checkpoint);
    },
    from,
  );
  return {model, search};
}

/** Undefined if there is none, or one of other settings: a longer search may find better ones. */
function readCheckpoint(path: string, settings: string): NetworkCheckpoint | undefined {
  if (!existsSync(path)) return undefined;
  try {
    const kept = deserialize(readFileSync(path));
    return kept.settings === settings ? kept.reached : undefined;
  } catch (error) {
    if (isSystemError(error)) throw error;
    // Damaged from outside: a kill leaves the one before. It only costs time.
    return undefined;
  }
}

function episodesOf(unseen: Lives, risks: Float32Array): IntentEpisodes[] {
  return CAUSES.flatMap(cause => {
    const own = columnOf(risks, unseen.rows, riskColumn(cause, 30));
    return THRESHOLDS.map(threshold => countEpisodes(unseen, cause, own, threshold));
  });
}
