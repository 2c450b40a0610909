/**
 * The whole path, telemetry to decision: a generator in one process, a core in another, gRPC
 * between them. The loop is open and latency counts from when a message was due.
 */
import {resolve} from 'node:path';
import {type Service, startService} from '../test/services/start.ts';
import {numberOf, resultOf, wordOf, wordsOf} from './result.ts';
import {HOST_SETS, intervalMs, type Load, samplesPerMessage} from './support/load.ts';
import {STAGES} from './support/probes.ts';
import {type RunReport, runLoad} from './support/run.ts';
import type {BenchArgs, BenchOption, BenchResult, BenchVerb} from './verb.ts';

export const SHAPE_NAMES = ['wide', 'narrow'] as const;
export type Shape = (typeof SHAPE_NAMES)[number];
export const LOG_KINDS = ['segments', 'kafka'] as const;
export type LogKind = (typeof LOG_KINDS)[number];
/** Where the Kafka of a bench comes from: for its help. */
export const KAFKA_FROM =
  'for kafka one is started (Java 17, Maven) unless FORESTAY_TEST_KAFKA has the address of one';

const HOST_SET_NAMES = Object.keys(HOST_SETS) as (keyof typeof HOST_SETS)[];

/** A decision later than this is late; a sender that lags a tenth of it says nothing about that. */
export const DECISION_MS_MAX = 1000;
const LAG_SHARE_MAX = 0.1;

/** Eight edges that carry many hosts; and an edge a host, each with its VMs, once a second. */
const SHAPES: Readonly<Record<Shape, Omit<Load, 'pack' | 'herd'>>> = {
  wide: {
    edges: 8,
    cells: 8,
    hostsPerEdge: 256,
    vmsPerHost: 0,
    rounds: 4,
    hostSet: 'eight',
    samplesPerSecond: 1_000_000,
  },
  narrow: {
    edges: 10_000,
    cells: 64,
    hostsPerEdge: 1,
    vmsPerHost: 10,
    rounds: 1,
    hostSet: 'live',
    samplesPerSecond: 110_000,
  },
};

export const LOAD_OPTIONS: readonly BenchOption[] = [
  {flags: '--rate <n>', description: 'samples a second; by default of the shape'},
  {
    flags: '--host-set <name>',
    description: 'of hosts: eight metrics, or what live agents send; by default of the shape',
  },
  {flags: '--edges <n>', description: 'edges, a connection each; by default of the shape'},
  {flags: '--cells <n>', description: 'cells that the edges lie in; by default of the shape'},
  {flags: '--hosts <n>', description: 'hosts of an edge; by default of the shape'},
  {flags: '--vms <n>', description: 'VMs of a host; by default of the shape'},
  {flags: '--rounds <n>', description: 'samples of a host in a message; by default of the shape'},
  {flags: '--pack', description: 'values shuffled and compressed by the edge'},
  {flags: '--herd', description: 'all edges send at the same moment'},
  {flags: '--tick <ms>', description: 'tick of the core', default: '250'},
  {flags: '--score-every <ms>', description: 'of a host, at most; 0: on change', default: '0'},
  {
    flags: '--store-every <n>',
    description: 'batches of an edge of which one is stored',
    default: '60',
  },
  {flags: '--node <flags>', description: 'for the Node of the core, several with spaces'},
  {flags: '--profile <dir>', description: 'write a CPU profile of the core into this folder'},
  {flags: '--seconds <n>', description: 'the window that counts', default: '15'},
  {flags: '--warm-up <n>', description: 'seconds before it', default: '8'},
];

export const pipeline: BenchVerb = {
  name: 'pipeline',
  summary: 'telemetry to decision, stage by stage, with a generator that proves itself',
  options: [
    {
      flags: '--log <kinds>',
      description: `segments, kafka or both; ${KAFKA_FROM}`,
      default: 'segments',
    },
    {flags: '--shape <names>', description: 'wide, narrow or both', default: 'wide,narrow'},
    {flags: '--runs <n>', description: 'of each', default: '1'},
    ...LOAD_OPTIONS,
  ],
  run: measurePipeline,
};

async function measurePipeline({options}: BenchArgs): Promise<BenchResult> {
  const logs = wordsOf(options.log, 'log', LOG_KINDS);
  const shapes = wordsOf(options.shape, 'shape', SHAPE_NAMES);
  const runs: Record<string, number[]> = {};
  const reasons: string[] = [];
  let steal = 0;
  for (const log of logs) {
    await withLog(log, async target => {
      for (const shape of shapes) {
        const load = loadOf(shape, options);
        for (let run = 0; run < numberOf(options.runs, 'runs', 1); run++) {
          const report = await runLoad({...runOptions(options), load, log: target});
          steal = Math.max(steal, report.steal);
          reasons.push(...doubtsOf(report, load).map(doubt => `${log} ${shape}: ${doubt}`));
          const figures = figuresOf(report, load);
          add(runs, `pipeline.${log}.${shape}`, figures);
          add(runs, `pipeline.${log}`, headlinesOf(shape, shapes, figures));
        }
      }
    });
  }
  return resultOf({runs, reasons, steal, notes: NOTES});
}

const NOTES = [
  'a message carries many samples (rounds x entities of an edge); one of a VM has 8 metrics',
  'messages are made beforehand and patched with sequence and time: encoding is in `bench ingest`',
  'the store takes one batch in sixty of an edge and keeps nothing',
];

function add(runs: Record<string, number[]>, prefix: string, figures: Record<string, number>) {
  for (const [name, value] of Object.entries(figures)) {
    const values = runs[`${prefix}.${name}`] ?? [];
    runs[`${prefix}.${name}`] = values;
    values.push(value);
  }
}

/** Throughput is the wide shape's, the time to a decision that of many connections. */
function headlinesOf(shape: Shape, shapes: readonly Shape[], figures: Record<string, number>) {
  const only = shapes.length === 1;
  const {samplesPerSecond = Number.NaN, decisionP99Ms = Number.NaN} = figures;
  return {
    ...(only || shape === 'wide' ? {samplesPerSecond} : {}),
    ...(only || shape === 'narrow' ? {decisionP99Ms} : {}),
  };
}

/** Runs against a log of this kind; a Kafka is started unless FORESTAY_TEST_KAFKA names one. */
export async function withLog<Value>(
  kind: LogKind,
  run: (log: {kind: 'segments'} | {kind: 'kafka'; brokers: string[]}) => Promise<Value>,
): Promise<Value> {
  if (kind === 'segments') return run({kind});
  const shared = process.env.FORESTAY_TEST_KAFKA;
  if (!shared) process.stderr.write('starting a Kafka for this bench …\n');
  const service: Service | undefined = shared ? undefined : await startService('kafka');
  try {
    return await run({kind, brokers: (shared ?? service?.address ?? '').split(',')});
  } finally {
    await service?.stop();
  }
}

export function loadOf(shape: Shape, options: BenchArgs['options']): Load {
  const preset = SHAPES[shape];
  const chosen = (name: string, value: number) =>
    options[name] === undefined ? value : numberOf(options[name], name, 0);
  const load: Load = {
    edges: chosen('edges', preset.edges),
    cells: chosen('cells', preset.cells),
    hostsPerEdge: chosen('hosts', preset.hostsPerEdge),
    vmsPerHost: chosen('vms', preset.vmsPerHost),
    rounds: chosen('rounds', preset.rounds),
    hostSet: wordOf(options.hostSet ?? preset.hostSet, 'host-set', HOST_SET_NAMES),
    samplesPerSecond: 0,
    pack: options.pack === true,
    herd: options.herd === true,
  };
  // Fewer edges send as often as before: once a second of each host, where it was so.
  const share = (load.edges * samplesPerMessage(load)) / (preset.edges * sizeOf(preset));
  const preferred = shape === 'narrow' ? preset.samplesPerSecond * share : preset.samplesPerSecond;
  return {...load, samplesPerSecond: chosen('rate', preferred)};
}

const sizeOf = (preset: Omit<Load, 'pack' | 'herd'>): number =>
  samplesPerMessage({...preset, pack: false, herd: false});

export function runOptions(options: BenchArgs['options']) {
  return {
    warmUpMs: 1000 * numberOf(options.warmUp, 'warm-up', 0),
    windowMs: 1000 * numberOf(options.seconds, 'seconds', 1),
    tickMs: numberOf(options.tick, 'tick', 10),
    intervalMs: numberOf(options.scoreEvery, 'score-every', 0),
    sampleEvery: numberOf(options.storeEvery, 'store-every', 1),
    execArgv: [
      ...(typeof options.node === 'string' ? options.node.split(' ') : []),
      ...(typeof options.profile === 'string' ? profiling(options.profile) : []),
    ],
  };
}

const profiling = (directory: string) => ['--cpu-prof', `--cpu-prof-dir=${resolve(directory)}`];

/** Why the figures are not those of the core. */
export function doubtsOf({core, generator}: RunReport, load: Load): string[] {
  const doubts: string[] = [...core.problems, ...generator.refusals];
  const {p99} = generator.senderLagMs;
  const lagMax = LAG_SHARE_MAX * DECISION_MS_MAX;
  if (p99 > lagMax) doubts.push(`the sender lagged: p99 ${p99.toFixed(1)} ms, ${lagMax} allowed`);
  if (generator.closed > 0) doubts.push(`${generator.closed} of ${load.edges} streams ended`);
  const due = (generator.sentMessages + generator.unsentMessages) * samplesPerMessage(load);
  if (due < 0.95 * load.samplesPerSecond * core.seconds) {
    doubts.push(`only ${Math.round(due)} samples were due: the pacer fell behind`);
  }
  return doubts;
}

/** The figures of one run, by their last name. */
export function figuresOf({core, generator}: RunReport, load: Load): Record<string, number> {
  const {samples, messages, seconds, stages, cpuMs, mainCpuMs, totalCpuMs, decisionMs} = core;
  const nsPerSample = (ms: number) => (1e6 * ms) / samples;
  const restMs = mainCpuMs - cpuMs.decode - cpuMs.window - cpuMs.transition - cpuMs.request;
  const times = STAGES.flatMap(stage => [
    [`${stage}P50Ms`, stages[stage].p50],
    [`${stage}P99Ms`, stages[stage].p99],
    [`${stage}P999Ms`, stages[stage].p999],
  ]);
  return {
    samplesPerSecond: samples / seconds,
    askedPerSecond: load.samplesPerSecond,
    messagesPerSecond: messages / seconds,
    messageIntervalMs: intervalMs(load),
    decisionP50Ms: decisionMs.p50,
    decisionP99Ms: decisionMs.p99,
    decisionP999Ms: decisionMs.p999,
    ackP99Ms: generator.ackMs.p99,
    ...Object.fromEntries(times),
    coreCpuNsPerSample: nsPerSample(totalCpuMs),
    mainCpuNsPerSample: nsPerSample(mainCpuMs),
    restCpuNsPerSample: nsPerSample(restMs),
    decodeCpuNsPerSample: nsPerSample(cpuMs.decode),
    windowCpuNsPerSample: nsPerSample(cpuMs.window),
    transitionCpuNsPerSample: nsPerSample(cpuMs.transition),
    featuresCpuNsPerSample: nsPerSample(cpuMs.request),
    threadsCpuNsPerSample: nsPerSample(totalCpuMs - mainCpuMs),
    gcNsPerSample: nsPerSample(core.gcMs),
    coreCores: totalCpuMs / 1000 / seconds,
    rssMiB: core.rssBytesMax / 2 ** 20,
    loopDelayP99Ms: core.loopDelayP99Ms,
    scoresPerSecond: core.scoredRows / seconds,
    transitions: core.transitions,
    undecidedMessages: core.undecided,
    senderLagP50Ms: generator.senderLagMs.p50,
    senderLagP99Ms: generator.senderLagMs.p99,
    senderLagMaxMs: generator.senderLagMs.max,
    unsentMessages: generator.unsentMessages,
    throttles: generator.throttles,
    generatorCpuNsPerSample: 1000 * generator.cpuMicrosPerSample,
  };
}
