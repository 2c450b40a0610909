/**
 * What it costs to change models while hosts are scored: ticks and answers before, in and after a
 * switch, and the CPU of a challenger that scores what the champion scored.
 */
import {setTimeout as sleep} from 'node:timers/promises';
import {createScoringPool} from '../core/adapters/scorer-piscina.ts';
import {PARTITION_COUNT} from '../core/domain/hash.ts';
import {listen} from '../core/events.ts';
import type {Log, Scorer} from '../core/ports.ts';
import {quantile} from '../models/metrics.ts';
import {watchSteal} from './machine.ts';
import {DECISION_MS_MAX} from './pipeline.ts';
import {median, numberOf, resultOf} from './result.ts';
import {followDecisions} from './support/decision-times.ts';
import {openSwitchingEngine, type SwitchingEngine} from './support/switching-engine.ts';
import type {BenchArgs, BenchResult, BenchVerb} from './verb.ts';

/** Opening: the switch whose model nobody has open yet. */
const PHASES = ['before', 'opening', 'switching', 'after'] as const;
type Phase = (typeof PHASES)[number];

/** After every partition has taken the command, until hosts have their risks of the new model. */
const SETTLE_MS = 1000;
const SWITCH_MS_MAX = 30_000;
/** Hosts are forecast every five minutes: then a challenger scores them too. */
const SHADOWS_AN_HOUR = 12;
const SHADOW_CALLS = 400;

export const models: BenchVerb = {
  name: 'models',
  summary: 'a switch of models while hosts are scored, its answers checked; the cost of a shadow',
  options: [
    {flags: '--hosts <n>', description: 'that are scored', default: '2000'},
    {
      flags: '--rate <n>',
      description: 'samples of a host a second, each of which is scored',
      default: '1',
    },
    {flags: '--threads <n>', description: 'that score', default: '1'},
    {flags: '--runs <n>', description: 'engines, one after the other', default: '3'},
    {flags: '--switches <n>', description: 'there and back, of an engine', default: '6'},
    {flags: '--seconds <n>', description: 'before a switch, and after it', default: '5'},
  ],
  run: measureModels,
};

type Asked = {hosts: number; rate: number; threads: number; switches: number; seconds: number};

async function measureModels({options}: BenchArgs): Promise<BenchResult> {
  const asked: Asked = {
    hosts: numberOf(options.hosts, 'hosts', 1),
    rate: numberOf(options.rate, 'rate', 0.01),
    threads: numberOf(options.threads, 'threads', 1),
    switches: numberOf(options.switches, 'switches', 1),
    seconds: numberOf(options.seconds, 'seconds', 1),
  };
  const steal = watchSteal();
  const runs: Record<string, number[]> = {};
  for (let run = 0; run < numberOf(options.runs, 'runs', 1); run++) {
    for (const [name, value] of Object.entries(await measureRun(asked))) {
      runs[name] = [...(runs[name] ?? []), value];
    }
  }
  const waited = Math.max(...(runs['switch.decisionMs.before.p99'] ?? []));
  const wrong = (runs['switch.wrongRisks'] ?? []).reduce((sum, count) => sum + count, 0);
  const {hosts, rate, threads, switches} = asked;
  return resultOf({
    runs,
    reasons:
      waited > DECISION_MS_MAX
        ? [
            `decisions took ${Math.round(waited)} ms (p99) before any switch: the machine is too busy`,
          ]
        : [],
    failures: wrong === 0 ? [] : [`${wrong} risks are not what the model of their host gives`],
    notes: [
      `${hosts} hosts, ${rate} samples of each a second, ${threads} scoring threads, ${switches} switches a run, log in memory`,
      'the first switch of a run opens the model, the others find it open; both last from the command until a second after all partitions have it',
      'decision: from the log to the end of the tick that applied the risks; answer: from the request; tick: waiting included',
    ],
    steal: steal(),
  });
}

const noTimes = (): Record<Phase, number[]> => ({
  before: [],
  opening: [],
  switching: [],
  after: [],
});

/** Durations in milliseconds, by what goes on meanwhile. */
function createTimes(log: Log) {
  let phase: Phase | undefined;
  const times = {
    tick: noTimes(),
    answer: noTimes(),
    decision: noTimes(),
  };
  const take = (of: keyof typeof times, durationMs: number) => {
    if (phase !== undefined) times[of][phase].push(durationMs);
  };
  const decisions = followDecisions(log, durationMs => take('decision', durationMs));
  const stops = [
    () => decisions.stop(),
    listen('tick.completed', ({durationMs}) => take('tick', durationMs)),
    listen('scores.applied', ({durationMs}) => take('answer', durationMs)),
  ];
  return {
    enter: (next: Phase | undefined) => {
      phase = next;
    },
    figures(): Record<string, number> {
      for (const stop of stops) stop();
      return Object.fromEntries(
        Object.entries(times).flatMap(([of, phases]) => figuresOf(of, phases)),
      );
    },
  };
}

/** A phase that was not met has no figure. */
function figuresOf(of: string, phases: Readonly<Record<Phase, number[]>>): [string, number][] {
  const met = PHASES.filter(phase => phases[phase].length > 0);
  const before = quantileOf(phases.before, 0.99);
  const ratioOf = (phase: Phase): [string, number][] =>
    phase === 'before'
      ? []
      : [[`switch.${of}.p99Ratio.${phase}`, quantileOf(phases[phase], 0.99) / before]];
  return met.flatMap((phase): [string, number][] => [
    [`switch.${of}Ms.${phase}.p50`, quantileOf(phases[phase], 0.5)],
    [`switch.${of}Ms.${phase}.p99`, quantileOf(phases[phase], 0.99)],
    ...ratioOf(phase),
  ]);
}

async function measureRun(asked: Asked): Promise<Record<string, number>> {
  const engine = await openSwitchingEngine({...asked, perSecond: asked.rate});
  try {
    // Inventories, the first windows, code that is not compiled yet.
    await sleep(2000 * asked.seconds);
    const cpu = process.cpuUsage();
    const fromMs = performance.now();
    await sleep(1000 * asked.seconds);
    const {user, system} = process.cpuUsage(cpu);
    const servingCores = (user + system) / 1000 / (performance.now() - fromMs);
    const times = createTimes(engine.log);
    const takenMs: number[] = [];
    engine.recorded.keepTicks();
    for (let at = 0; at < asked.switches; at++) {
      takenMs.push(await switchOnce(engine, times, at, asked.seconds));
    }
    const {risks, wrong, alike} = await engine.recorded.check(engine.folderOf);
    return {
      ...times.figures(),
      'switch.takenMs.opening': takenMs[0] as number,
      ...(takenMs.length > 1 ? {'switch.takenMs.switching': median(takenMs.slice(1))} : {}),
      'switch.checkedRisks': risks,
      'switch.wrongRisks': wrong,
      'switch.indistinctRisks': alike,
      ...(await shadowCost(engine, asked, servingCores)),
    };
  } finally {
    await engine.close();
  }
}

/** @returns Milliseconds from the command until every partition has taken it. */
async function switchOnce(
  engine: SwitchingEngine,
  times: ReturnType<typeof createTimes>,
  at: number,
  seconds: number,
): Promise<number> {
  const hash = engine.hashes[(at + 1) % 2] as string;
  times.enter('before');
  await sleep(1000 * seconds);
  times.enter(at === 0 ? 'opening' : 'switching');
  const fromMs = performance.now();
  await engine.ask(hash);
  while (!engine.serves(hash) && performance.now() - fromMs < SWITCH_MS_MAX) await sleep(5);
  const takenMs = engine.serves(hash) ? performance.now() - fromMs : Number.NaN;
  await sleep(SETTLE_MS);
  times.enter('after');
  await sleep(1000 * seconds);
  times.enter(undefined);
  return takenMs;
}

/** A pool of its own, so that nothing else is counted; batches as large as a partition's. */
async function shadowCost(
  engine: SwitchingEngine,
  {hosts, rate, threads}: Asked,
  servingCores: number,
): Promise<Record<string, number>> {
  const pool = createScoringPool({threads});
  try {
    const [champion, challenger] = [
      await pool.open(engine.folderOf(engine.hashes[0])),
      await pool.open(engine.folderOf(engine.hashes[1])),
    ];
    const rows = Math.ceil(hosts / PARTITION_COUNT);
    const microsOf = (scorer: Scorer) => cpuMicrosPerRow(scorer, rows);
    await microsOf(challenger);
    const [serving, shadow] = [await microsOf(champion), await microsOf(challenger)];
    const shadowMs = SHADOWS_AN_HOUR * shadow;
    const servingMs = (servingCores * 3_600_000 * 1000) / hosts;
    return {
      'shadow.cpuMsPer1000Rows': shadow,
      'shadow.championCpuMsPer1000Rows': serving,
      'shadow.cpuMsPer1000HostsHour': shadowMs,
      'serving.cpuMsPer1000HostsHour': servingMs,
      'shadow.ratioOfServing': shadowMs / servingMs,
      'shadow.ratioOfScoring': (SHADOWS_AN_HOUR / (3600 * rate)) * (shadow / serving),
    };
  } finally {
    await pool.close();
  }
}

/** Of the whole process, by row in microseconds, which is by thousand rows in milliseconds. */
async function cpuMicrosPerRow(scorer: Scorer, rows: number): Promise<number> {
  const {hash, featureCount} = scorer.signature();
  const features = Float32Array.from({length: rows * featureCount}, (_, at) => (at % 97) / 97);
  const before = process.cpuUsage();
  for (let call = 0; call < SHADOW_CALLS; call++) await scorer.score(hash, rows, features);
  const {user, system} = process.cpuUsage(before);
  return (user + system) / (SHADOW_CALLS * rows);
}

function quantileOf(values: readonly number[], share: number): number {
  return quantile(Float64Array.from(values).sort(), share) ?? Number.NaN;
}
