import {ForestayError} from '../core/domain/errors.ts';
import {CAUSES, riskColumn} from '../core/domain/reboot-risks.ts';
import {JUDGING_SEED_OFFSET} from '../core/simulation/seeds.ts';
import {renderMetrics} from '../models/card.ts';
import type {FailureData} from '../models/failure/data.ts';
import {evaluateFailures} from '../models/failure/evaluation.ts';
import {
  COMPONENT_FAILURE,
  COMPONENT_OUTLOOK,
  type FailureFamily,
} from '../models/failure/family.ts';
import {readOwnRows} from '../models/failure/own-rows.ts';
import {renderIntentMetrics} from '../models/intent/card.ts';
import {joinLives} from '../models/intent/data.ts';
import {columnOf, countEpisodes, evaluateIntent} from '../models/intent/evaluation.ts';
import type {JudgedRows} from '../models/registry/pairing.ts';
import {judgeFailureRows, type Scored, scoreFailureRows} from '../models/registry/score-failure.ts';
import {judgedRisks, judgeIntentRows, scoreIntentRows} from '../models/registry/score-intent.ts';
import {ALERTS_PER_HOST_DAY, openFailureSource} from './train-failure-data.ts';
import {simulateLives} from './train-intent-fleets.ts';
import type {Progress} from './train-progress.ts';

/** Rows that models of a family are judged by. */
export type Judge = {
  /** Which rows they are. */
  readonly about: string;
  readonly judged: JudgedRows;
  /** Scores all rows with the model of a folder. */
  score(folder: string): Promise<Scored>;
  /** The columns of the risks that are judged, in the order of their outputs. */
  judgedRisks(risks: Float32Array): Float32Array;
  /** How good the risks are: for programs, and for people. */
  figures(risks: Float32Array): {readonly value: unknown; readonly text: string};
};

export type JudgeFlags = {
  data?: string;
  seed: number;
  fleets?: number;
  hosts: number;
  minutes?: number;
  days: number;
};

const INTENT_FLEETS = 60;
const INTENT_MINUTES = 60;
const INTENT_THRESHOLD = 0.5;

/** @throws {ForestayError} `TRAINING_DATA_INVALID`, `INVALID_ARGUMENT`. */
export function openJudge(family: string, flags: JudgeFlags, progress: Progress): Promise<Judge> {
  const failure = [COMPONENT_FAILURE, COMPONENT_OUTLOOK].find(({name}) => name === family);
  return failure === undefined
    ? judgeIntent(flags, progress)
    : judgeFailure(failure, flags, progress);
}

async function judgeFailure(
  family: FailureFamily,
  flags: JudgeFlags,
  progress: Progress,
): Promise<Judge> {
  const {data, alertsPerHostDay, about} = await failureRows(family, flags, progress);
  return {
    about,
    judged: judgeFailureRows(data),
    score: folder => scoreFailureRows(folder, data),
    judgedRisks: risks => risks,
    figures(risks) {
      const metrics = evaluateFailures(data, risks, {alertsPerHostDay});
      return {value: metrics, text: renderMetrics(metrics)};
    },
  };
}

async function failureRows(
  family: FailureFamily,
  flags: JudgeFlags,
  progress: Progress,
): Promise<{data: FailureData; alertsPerHostDay: number; about: string}> {
  const {data: path, seed, fleets, ...shape} = flags;
  if (path !== undefined) {
    const {data, remarks} = await readOwnRows(path, family);
    for (const remark of remarks) progress.note(remark);
    const about = `${data.rows} rows of ${new Set(data.group).size} hosts of ${path}`;
    return {data, alertsPerHostDay: ALERTS_PER_HOST_DAY, about};
  }
  const unseenFleets = fleets === undefined ? {} : {unseenFleets: fleets};
  // One fleet of those that would teach: they are made all the same, and nobody learns.
  const wanted = {...shape, ...unseenFleets, seed, fleets: 1};
  const {unseen, alertsPerHostDay} = await openFailureSource(family, wanted, progress);
  const about = `${unseen.rows} rows of simulated fleets, seed ${seed + JUDGING_SEED_OFFSET}`;
  return {data: unseen, alertsPerHostDay, about};
}

async function judgeIntent(flags: JudgeFlags, progress: Progress): Promise<Judge> {
  if (flags.data !== undefined) throw withoutFile();
  const seed = flags.seed + JUDGING_SEED_OFFSET;
  const {fleets: count = INTENT_FLEETS, hosts, minutes = INTENT_MINUTES} = flags;
  const fleets = simulateLives(seed, {fleets: count, hosts, minutes}, progress);
  const lives = joinLives(fleets);
  return {
    about: `${lives.rows} rows of ${fleets.length} simulated fleets, seed ${seed}`,
    judged: judgeIntentRows(
      lives,
      fleets.map(({rows}) => rows),
    ),
    score: folder => scoreIntentRows(folder, lives),
    judgedRisks,
    figures(risks) {
      const metrics = evaluateIntent(lives, risks);
      const episodes = CAUSES.map(cause => {
        const own = columnOf(risks, lives.rows, riskColumn(cause, 30));
        return countEpisodes(lives, cause, own, INTENT_THRESHOLD);
      });
      return {value: [...metrics, ...episodes], text: renderIntentMetrics(metrics, episodes)};
    },
  };
}

function withoutFile(): ForestayError {
  return new ForestayError(
    'INVALID_ARGUMENT',
    'cannot evaluate a reboot-intent model on a file: it is judged on simulated fleets; leave out --data',
  );
}
