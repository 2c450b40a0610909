import {createHash} from 'node:crypto';
import {readFile} from 'node:fs/promises';
import {seededRandom} from '../core/adapters/random-seeded.ts';
import {featuresOf} from '../core/domain/features.ts';
import {
  type ComponentRows,
  simulateComponentDataset,
} from '../core/simulation/component-dataset.ts';
import {DOWN_CAUSES} from '../core/simulation/outcomes.ts';
import {JUDGING_SEED_OFFSET} from '../core/simulation/seeds.ts';
import {simulateSlowDataset} from '../core/simulation/slow-dataset.ts';
import {type FailureData, splitHosts} from '../models/failure/data.ts';
import {COMPONENT_FAILURE, type FailureFamily} from '../models/failure/family.ts';
import {readOwnRows} from '../models/failure/own-rows.ts';
import type {TrainFlags} from './train.ts';
import {openTrainingAgents, type TrainingAgents} from './train-failure-agents.ts';
import type {Progress} from './train-progress.ts';

/** What teaches, what judges, and what is to be said of both. */
export type FailureSource = {
  readonly learned: FailureData;
  readonly unseen: FailureData;
  /** Groups that make a fleet; undefined: all are of one. */
  readonly hostsPerFleet?: number;
  readonly about: string;
  /** One in 1,000 host-days, as many times more as the data's failures are more frequent. */
  readonly alertsPerHostDay: number;
  /** Of the data: a training may go on only with the same. */
  readonly identity: unknown;
  readonly limits: readonly string[];
};

const CRASH = DOWN_CAUSES.indexOf('crash');
/** The budget that alerts are judged within, where failures are as frequent as they are. */
export const ALERTS_PER_HOST_DAY = 1 / 1000;
/** In time lapse what takes a year takes an hour, roughly. */
const LAPSE_RAISED = 1000;
const DEFAULTS = {
  lapse: {rowEverySeconds: 90, fleets: 600, unseenFleets: 100},
  life: {rowEverySeconds: 13 * 3600, fleets: 300, unseenFleets: 100},
};

const SIMULATED =
  'It has only ever seen simulated hosts: their symptoms follow what vendors and operators report. ' +
  'On a real fleet its order of hosts may help; its numbers are not calibrated there.';
const LAPSE_LIMITS = [
  `${SIMULATED} Rates of failures are raised about ${LAPSE_RAISED}-fold, from years to hours.`,
  'Before its first symptom a failure is not foreseeable; hangs show seconds ahead, or not at all.',
  'Whether a host is rebooted on purpose first is not in it: such rows are left out.',
  'It reads averages of 30 seconds and 10 minutes: in a host’s first minutes its trends say little.',
  'The probabilities of a reboot were there in 55 of 100 fleets, the shares of odd metrics and VMs in ' +
    '55 too, neither in 30: hosts whose agents say nothing of it are judged as well.',
];
const LIFE_LIMITS = [
  `${SIMULATED} Hosts fail three times a year there, the upper end of recorded clusters.`,
  'Of the failures of a kind a tenth to a half, and all hangs, give no sign until minutes before: ' +
    'what it says of those is the base rate of hosts like this one.',
  'A risk of a longer time is raised to that of a shorter one where its forest says less.',
  'The probabilities of a reboot were there in 55 of 100 fleets: hosts whose agents say nothing of it ' +
    'are judged as well. The shares of odd metrics and VMs were there for no host: it passes them over.',
];

/** Which rows: of a file, or of simulated fleets. */
export type SourceFlags = Pick<
  TrainFlags,
  'data' | 'seed' | 'fleets' | 'unseenFleets' | 'rowEvery' | 'minutes' | 'days' | 'hosts'
>;

/** Rows of one's own if there are, else simulated ones. */
export async function openFailureSource(
  family: FailureFamily,
  flags: SourceFlags,
  progress: Progress,
): Promise<FailureSource> {
  return flags.data === undefined
    ? simulateSource(family, flags, progress)
    : readSource(family, flags.data, progress);
}

async function readSource(
  family: FailureFamily,
  path: string,
  {note}: Progress,
): Promise<FailureSource> {
  const {data, remarks} = await readOwnRows(path, family);
  for (const remark of remarks) note(remark);
  const [learned, unseen] = splitHosts(data);
  const hosts = new Set(data.group).size;
  note(`${path}: ${data.rows} rows of ${hosts} hosts`);
  return {
    learned,
    unseen,
    about:
      `${data.rows} rows of ${hosts} hosts of one’s own, split by host: the last fifth judges; of ` +
      `the others 70 % to learn, 15 % to stop, 15 % to calibrate.`,
    alertsPerHostDay: ALERTS_PER_HOST_DAY,
    identity: createHash('sha256')
      .update(await readFile(path))
      .digest('hex'),
    limits: [
      'It knows the hosts of one file; of others only what they have in common with those.',
      ...remarks,
    ],
  };
}

async function simulateSource(
  family: FailureFamily,
  flags: SourceFlags,
  progress: Progress,
): Promise<FailureSource> {
  const isLapse = family === COMPONENT_FAILURE;
  const defaults = isLapse ? DEFAULTS.lapse : DEFAULTS.life;
  const {seed, hosts, minutes = 60, days} = flags;
  const {fleets = defaults.fleets, unseenFleets = defaults.unseenFleets} = flags;
  const rowEverySeconds = flags.rowEvery ?? defaults.rowEverySeconds;
  const agents = await openTrainingAgents();
  const simulate = (seedOfData: number, count: number) =>
    simulateFleets(
      family,
      {seed: seedOfData, fleets: count, hosts, minutes, days, rowEverySeconds, isLapse, agents},
      progress,
    );
  const learned = await simulate(seed, fleets);
  const unseen = await simulate(seed + JUDGING_SEED_OFFSET, unseenFleets);
  await agents.close();
  const time = isLapse ? `${minutes} minutes in time lapse` : `${days} days`;
  const every = isLapse ? `${rowEverySeconds} s` : `${(rowEverySeconds / 3600).toFixed(1)} h`;
  return {
    learned: learned.data,
    unseen: unseen.data,
    hostsPerFleet: hosts,
    about:
      `${fleets} simulated fleets of ${hosts} hosts over ${time}, a row of each host every ` +
      `${every}: ${learned.data.rows} rows, ${learned.failures} failures (70 % to learn, 15 % to ` +
      `stop, 15 % to calibrate, split by host). Judged on ${unseenFleets} other fleets: ` +
      `${unseen.data.rows} rows, ${unseen.failures} failures. The demo draws from other seeds again.`,
    alertsPerHostDay: isLapse ? ALERTS_PER_HOST_DAY * LAPSE_RAISED : ALERTS_PER_HOST_DAY,
    identity: {seed, fleets, hosts, minutes, days, rowEverySeconds, agents: agents.sha256},
    limits: isLapse ? LAPSE_LIMITS : LIFE_LIMITS,
  };
}

type Simulation = Pick<TrainFlags, 'seed' | 'hosts' | 'days'> & {
  minutes: number;
  fleets: number;
  rowEverySeconds: number;
  isLapse: boolean;
  agents: TrainingAgents;
};

async function simulateFleets(
  family: FailureFamily,
  {seed, fleets, hosts, minutes, days, rowEverySeconds, isLapse, agents}: Simulation,
  {note, show}: Progress,
): Promise<{data: FailureData; failures: number}> {
  const seconds = isLapse ? minutes * 60 : days * 86_400;
  const what = `seed ${seed}: ${fleets} fleets of ${hosts} hosts`;
  note(`${what}, ${isLapse ? `${minutes} minutes` : `${days} days`} each`);
  // The intent model has learned from fleets of the seeds themselves: none of them is met again.
  const random = seededRandom(seed).fork(family.name);
  const conclude = agents.concludeFor(random.fork('agents'), isLapse);
  const common = {random, fleets, hosts, contract: family.contract, conclude};
  const parts = isLapse
    ? simulateComponentDataset({...common, minutesEach: minutes, rowEverySeconds})
    : simulateSlowDataset({...common, daysEach: days, rowEveryHours: rowEverySeconds / 3600});
  const rowsMax = fleets * hosts * Math.ceil(seconds / rowEverySeconds);
  const collected = createCollection(family, rowsMax);
  let done = 0;
  for await (const part of parts) {
    collected.add(part);
    show(what, ++done / fleets);
  }
  const {data, failures} = collected.finish();
  note(`${data.rows} rows, ${failures} failures`);
  return {data, failures};
}

/** Rows of fleet after fleet in memory that threads can share. */
function createCollection(family: FailureFamily, rowsMax: number) {
  const width = featuresOf(family.contract).length;
  const outputs = family.outputs.length;
  const features = new Float32Array(new SharedArrayBuffer(4 * rowsMax * width));
  const labels = new Uint8Array(new SharedArrayBuffer(rowsMax * outputs));
  const secondsToFailure = new Float32Array(new SharedArrayBuffer(4 * rowsMax));
  const group = new Int32Array(new SharedArrayBuffer(4 * rowsMax));
  const second = new Int32Array(new SharedArrayBuffer(4 * rowsMax));
  let rows = 0;
  let failures = 0;
  return {
    add(part: ComponentRows) {
      features.set(part.features, rows * width);
      labels.set(part.labels, rows * outputs);
      group.set(part.group, rows);
      second.set(part.second, rows);
      secondsToFailure.set(
        part.secondsToDown.map((toDown, row) =>
          part.cause[row] === CRASH ? toDown : Number.POSITIVE_INFINITY,
        ),
        rows,
      );
      rows += part.rows;
      failures += part.failures;
    },
    finish: () => ({
      failures,
      data: {
        rows,
        contract: family.contract,
        outputs: family.outputs,
        features: features.subarray(0, rows * width),
        labels: labels.subarray(0, rows * outputs),
        secondsToFailure: secondsToFailure.subarray(0, rows),
        group: group.subarray(0, rows),
        second: second.subarray(0, rows),
      },
    }),
  };
}
