/**
 * What the agents of simulated fleets conclude, so that a model learns from it what it is served
 * with: the same steps, rules and watches as in edge/intent.ts and edge/oddness.ts, but the intent
 * model is asked for all hosts of a fleet at once.
 *
 * Not every agent has both: hosts that say nothing of it, or only half, must be judged as well. So
 * fleets differ, by the shares of {@link KINDS}.
 */
import {fileURLToPath} from 'node:url';
import {createHostOddness, type HostOddness} from '../core/domain/anomaly/host-oddness.ts';
import {
  createIntentStep,
  INTENT_COLUMNS,
  type IntentStep,
  takeIntentSample,
} from '../core/domain/intent-step.ts';
import {HOST_METRICS} from '../core/domain/metric-sets.ts';
import {CAUSES, HORIZONS_MINUTES, RISK_OUTPUTS, riskColumn} from '../core/domain/reboot-risks.ts';
import type {Random} from '../core/ports.ts';
import type {Datacenter} from '../core/simulation/datacenter.ts';
import type {Conclude} from '../core/simulation/training-fleet.ts';
import type {SimulatedHost} from '../core/simulation/world.ts';
import {ANSWER_MS_MAX, SKIPPED_STEPS_MAX} from '../edge/intent.ts';
import {readIntentArtefact} from '../edge/intent-artefact.ts';
import {type NetworkSession, openNetwork} from '../models/network/network-session.ts';

export type TrainingAgents = {
  /**
   * @param random Decides what the agents of each fleet have.
   * @param isWatched Whether hosts are sampled without gaps: else nobody can say what is odd.
   */
  concludeFor(random: Random, isWatched?: boolean): Conclude;
  /** Of the intent model: other models make other rows. */
  readonly sha256: string;
  close(): Promise<void>;
};

const INTENT_MODEL = fileURLToPath(new URL('../models/artefacts/reboot-intent', import.meta.url));
const FALSE_ALARMS_PER_DAY = 1;
/** Shares of fleets, by what their agents have. */
const KINDS = [
  {share: 0.4, hasIntent: true, hasOddness: true},
  {share: 0.15, hasIntent: true, hasOddness: false},
  {share: 0.15, hasIntent: false, hasOddness: true},
  {share: 0.3, hasIntent: false, hasOddness: false},
] as const;

const placeOf = (column: string) => HOST_METRICS.columns.indexOf(column);
const ODD_METRICS = placeOf('anomalous_metrics_ratio');
const ODD_VMS = placeOf('anomalous_vms_ratio');
const RISKS = CAUSES.flatMap(cause =>
  HORIZONS_MINUTES.map(minutes => ({
    place: placeOf(`reboot_${cause}_${minutes}m_probability`),
    output: riskColumn(cause, minutes),
  })),
);

/**
 * Loads the shipped intent model. What both conclude takes about 3 µs a host and second.
 *
 * @throws {ForestayError} `MODEL_UNREADABLE`, `MODEL_HASH_MISMATCH`, `MODEL_SIGNATURE_MISMATCH`.
 */
export async function openTrainingAgents(): Promise<TrainingAgents> {
  const {model, manifest} = await readIntentArtefact(INTENT_MODEL);
  const network = await openNetwork(model);
  return {
    concludeFor:
      (random, isWatched = true) =>
      (fleet, datacenter) => {
        const {hasIntent, hasOddness} = drawKind(random.fork(`fleets/${fleet}`));
        const intent = hasIntent ? createIntents(network, datacenter) : undefined;
        const oddness = hasOddness && isWatched ? createOddness(datacenter) : undefined;
        return () => {
          oddness?.();
          return intent?.();
        };
      },
    sha256: manifest.sha256,
    close: () => network.release(),
  };
}

function drawKind(random: Random): (typeof KINDS)[number] {
  const drawn = random.next();
  let below = 0;
  for (const kind of KINDS) {
    below += kind.share;
    if (drawn < below) return kind;
  }
  return KINDS[0];
}

/** What an agent remembers: it dies with its host, which is down for many samples, and begins anew. */
function createLives<Life>(begin: () => Life) {
  const lives = new Map<number, Life>();
  return {
    /** Undefined while the host is not heard. */
    of({index, state}: SimulatedHost): Life | undefined {
      if (state !== 'up') {
        lives.delete(index);
        return undefined;
      }
      const life = lives.get(index) ?? begin();
      lives.set(index, life);
      return life;
    },
  };
}

function createOddness(datacenter: Datacenter): () => undefined {
  const lives = createLives(() => createHostOddness({falseAlarmsPerDay: FALSE_ALARMS_PER_DAY}));
  return () => {
    const {nowMs, hosts, vms} = datacenter;
    const heard = new Map<SimulatedHost, HostOddness>();
    for (const host of hosts) {
      const oddness = lives.of(host);
      if (oddness === undefined) continue;
      heard.set(host, oddness);
      oddness.observeHost(nowMs, host.values);
    }
    for (const {name, host, state} of vms) {
      if (state === 'dead') continue;
      heard.get(host)?.observeVm(name, nowMs, datacenter.readVm(name));
    }
    for (const [{values}, oddness] of heard) {
      const {metricsRatio, vmsRatio} = oddness.now();
      values[ODD_METRICS] = metricsRatio;
      values[ODD_VMS] = vmsRatio;
    }
  };
}

type IntentLife = {
  readonly step: IntentStep;
  readonly state: Float32Array;
  /** The newest answer, and the end of its step; NaN: none. */
  readonly risks: Float32Array;
  answeredMs: number;
};

/** As in edge/intent.ts an answer is used from the next sample on: nobody waits for the model. */
function createIntents(
  network: NetworkSession,
  datacenter: Datacenter,
): () => Promise<void> | undefined {
  const stateLength = 2 * network.signature.hidden;
  const lives = createLives(
    (): IntentLife => ({
      step: createIntentStep(HOST_METRICS.columns),
      state: new Float32Array(stateLength),
      risks: new Float32Array(RISK_OUTPUTS.length),
      answeredMs: Number.NaN,
    }),
  );
  const rows = new Float32Array(datacenter.hosts.length * INTENT_COLUMNS);
  const asked: {life: IntentLife; endedMs: number}[] = [];

  const ask = async (): Promise<void> => {
    const count = asked.length;
    const states = new Float32Array(count * stateLength);
    const risks = new Float32Array(count * RISK_OUTPUTS.length);
    for (const [at, {life}] of asked.entries()) states.set(life.state, at * stateLength);
    await network.run(count, rows.subarray(0, count * INTENT_COLUMNS), risks, states);
    for (const [at, {life, endedMs}] of asked.entries()) {
      life.state.set(states.subarray(at * stateLength, (at + 1) * stateLength));
      for (let output = 0; output < RISK_OUTPUTS.length; output++) {
        const risk = risks[at * RISK_OUTPUTS.length + output] as number;
        life.risks[output] = Math.min(1, Math.max(0, risk));
      }
      life.answeredMs = endedMs;
    }
  };

  return () => {
    asked.length = 0;
    const {nowMs, hosts} = datacenter;
    for (const host of hosts) {
      const life = lives.of(host);
      if (life === undefined) continue;
      const endedMs = life.step.endsMs;
      const offset = asked.length * INTENT_COLUMNS;
      const ended = takeIntentSample(life.step, nowMs, host.values, rows, offset);
      if (ended - 1 > SKIPPED_STEPS_MAX) beginAnew(life);
      else if (ended > 0) asked.push({life, endedMs});
      writeRisks(life, nowMs, host.values);
    }
    return asked.length === 0 ? undefined : ask();
  };
}

function beginAnew(life: IntentLife): void {
  life.state.fill(0);
  life.answeredMs = Number.NaN;
}

function writeRisks({risks, answeredMs}: IntentLife, nowMs: number, values: Float32Array): void {
  const isKnown = nowMs - answeredMs <= ANSWER_MS_MAX;
  for (const {place, output} of RISKS) {
    values[place] = isKnown ? (risks[output] as number) : Number.NaN;
  }
}
