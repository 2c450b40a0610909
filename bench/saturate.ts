/**
 * How much one core carries: the rate rises until decisions come late, then halves the interval
 * around the knee, and what it found must hold three times.
 */
import {
  DECISION_MS_MAX,
  doubtsOf,
  figuresOf,
  KAFKA_FROM,
  LOAD_OPTIONS,
  LOG_KINDS,
  loadOf,
  runOptions,
  SHAPE_NAMES,
  withLog,
} from './pipeline.ts';
import {numberOf, resultOf, wordOf} from './result.ts';
import type {Load} from './support/load.ts';
import {runLoad} from './support/run.ts';
import type {BenchArgs, BenchResult, BenchVerb} from './verb.ts';

const CONFIRMATIONS = 3;
/** After a confirmation that failed, the next one is tried at this share of the rate. */
const STEP_BACK = 0.92;
/** Of what was asked for, this much must be decided within the window. */
const DONE_MIN = 0.97;

export const saturate: BenchVerb = {
  name: 'saturate',
  summary: 'the highest rate whose decisions are in time, confirmed three times',
  options: [
    {flags: '--log <kind>', description: `segments or kafka; ${KAFKA_FROM}`, default: 'segments'},
    {flags: '--shape <name>', description: 'wide or narrow', default: 'wide'},
    {flags: '--from <n>', description: 'samples a second to begin with', default: '200000'},
    {flags: '--to <n>', description: 'the highest rate that is tried', default: '8000000'},
    {flags: '--factor <n>', description: 'of the ramp', default: '1.5'},
    {
      flags: '--bisections <n>',
      description: 'between the last that held and the first that did not',
      default: '3',
    },
    {
      flags: '--slo <ms>',
      description: 'p99 from due to decision',
      default: String(DECISION_MS_MAX),
    },
    ...LOAD_OPTIONS.filter(
      ({flags}) => !flags.startsWith('--rate') && !flags.startsWith('--edges'),
    ),
  ],
  run: measureKnee,
};

type Trial = {rate: number; held: boolean; figures: Record<string, number>; why: string};
type Try = (rate: number) => Promise<Trial>;

async function measureKnee({options}: BenchArgs): Promise<BenchResult> {
  const kind = wordOf(options.log, 'log', LOG_KINDS);
  const shape = wordOf(options.shape, 'shape', SHAPE_NAMES);
  const sloMs = numberOf(options.slo, 'slo', 1);
  return withLog(kind, async log => {
    const trials: Trial[] = [];
    const attempt: Try = async rate => {
      const load: Load = loadOf(shape, {...options, rate: String(rate)});
      const report = await runLoad({...runOptions(options), load, log});
      const figures = figuresOf(report, load);
      const doubts = doubtsOf(report, load);
      const why = doubts[0] ?? shortfall(figures, rate, sloMs);
      const trial = {rate, held: why === '', figures, why};
      trials.push(trial);
      return trial;
    };
    const knee = await findKnee(attempt, {
      from: numberOf(options.from, 'from', 1),
      to: numberOf(options.to, 'to', 1),
      factor: numberOf(options.factor, 'factor', 1.01),
      bisections: numberOf(options.bisections, 'bisections', 0),
    });
    const confirmed = await confirm(attempt, knee);
    return describeKnee(`saturate.${kind}.${shape}`, confirmed, trials);
  });
}

/** Why a rate did not hold; empty if it did. */
function shortfall(figures: Record<string, number>, rate: number, sloMs: number): string {
  const {samplesPerSecond = 0, decisionP99Ms = 0} = figures;
  if (samplesPerSecond < DONE_MIN * rate) return `${Math.round(samplesPerSecond)}/s were decided`;
  if (decisionP99Ms > sloMs) return `decisions took ${Math.round(decisionP99Ms)} ms`;
  return '';
}

/** The highest rate that held; 0 if none did. */
export async function findKnee(
  attempt: (rate: number) => Promise<{held: boolean}>,
  {from, to, factor, bisections}: {from: number; to: number; factor: number; bisections: number},
): Promise<number> {
  let [held, broken] = [0, Number.POSITIVE_INFINITY];
  for (let rate = from; rate <= to; rate *= factor) {
    if (!(await attempt(Math.round(rate))).held) {
      broken = rate;
      break;
    }
    held = rate;
  }
  for (let step = 0; step < bisections && Number.isFinite(broken); step++) {
    const middle = Math.round((held + broken) / 2);
    if ((await attempt(middle)).held) held = middle;
    else broken = middle;
  }
  return Math.round(held);
}

/** Runs at the knee that held one after another; steps back until three of them do. */
async function confirm(attempt: Try, knee: number): Promise<Trial[]> {
  for (let rate = knee; rate > knee / 2; rate = Math.round(rate * STEP_BACK)) {
    const trials: Trial[] = [];
    while (trials.length < CONFIRMATIONS) {
      const trial = await attempt(rate);
      if (!trial.held) break;
      trials.push(trial);
    }
    if (trials.length === CONFIRMATIONS) return trials;
  }
  return [];
}

function describeKnee(prefix: string, confirmed: readonly Trial[], trials: readonly Trial[]) {
  const names = ['samplesPerSecond', 'decisionP99Ms', 'coreCores', 'coreCpuNsPerSample', 'rssMiB'];
  const valuesOf = (name: string) => confirmed.map(({figures}) => figures[name] ?? Number.NaN);
  return resultOf({
    runs: Object.fromEntries(names.map(name => [`${prefix}.${name}`, valuesOf(name)])),
    reasons: confirmed.length === 0 ? ['no rate held three times'] : [],
    notes: trials.map(({rate, held, why}) => `${rate}/s ${held ? 'held' : `did not: ${why}`}`),
  });
}
