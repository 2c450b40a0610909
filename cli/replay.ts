import {type Command, InvalidArgumentError, Option} from 'commander';
import {systemClock} from '../core/adapters/clock-system.ts';
import {seededRandom} from '../core/adapters/random-seeded.ts';
import {type ForestayError, formatError} from '../core/domain/errors.ts';
import type {MetricSet} from '../core/domain/metric-sets.ts';
import {addClientOptions, type ClientOptions, type Connection, withCore} from './client.ts';
import {wholeNumber} from './numbers.ts';
import {addOutputOption, type Format as OutputFormat, printValue} from './output.ts';
import {ReplayEdge} from './replay-edge.ts';
import {CSV_MAPPING, type Mapping, readMapping, SMD_MAPPING} from './replay-mapping.ts';
import {type Format, findRecordings, mergeRows, type ReplayRow} from './replay-rows.ts';
import {readTotals, settleTotals, type Totals} from './replay-totals.ts';

type ReplayOptions = ClientOptions & {
  format: Format;
  mapping?: string;
  files: string;
  cell: string;
  /** 0: as fast as the core takes it. */
  speed: number;
  batchRows: number;
  rows: number;
  skipBadRows?: true;
  drainTimeout: number;
  output: OutputFormat;
};

const PRESETS: Readonly<Record<Format, Mapping>> = {smd: SMD_MAPPING, csv: CSV_MAPPING};
const EDGE = 'replay';
const PROGRESS_MS = 2_000;
/** A paced replay keeps no row back for longer. */
const HOLD_MS_MAX = 100;

/** `forestay replay`: recorded data as hosts, through the path that telemetry takes. */
export function registerReplay(program: Command): void {
  const command = program
    .command('replay')
    .description('stream recorded data as hosts to a core, and account for every row')
    .argument('<dir>', 'folder of the files')
    .addOption(
      new Option('--format <name>', 'what the files are: smd (machine-X-Y_{train,test}.csv) or csv')
        .choices(['smd', 'csv'])
        .makeOptionMandatory(),
    )
    .option('--mapping <file>', 'YAML: columns, ignore, timestamp, intervalSeconds, start, host')
    .option('--files <glob>', 'only these files of the folder', '*')
    .option('--cell <name>', 'cell that the hosts belong to', 'replay')
    .addOption(
      new Option('--speed <n>', 'times faster than recorded, 1 for real time, or max')
        .argParser(parseSpeed)
        .default(0, 'max'),
    )
    .option('--batch-rows <n>', 'rows sent at once', wholeNumber(1), 256)
    .option('--rows <n>', 'stop after so many rows', wholeNumber(1), Number.POSITIVE_INFINITY)
    .option('--skip-bad-rows', 'count and leave out rows that cannot be read')
    .option('--drain-timeout <seconds>', 'wait so long for the store', wholeNumber(1), 120)
    .action(replay);
  addClientOptions(addOutputOption(command, ['table', 'json', 'ndjson', 'yaml']));
}

async function replay(folder: string, options: ReplayOptions): Promise<void> {
  const preset = PRESETS[options.format];
  const mapping = options.mapping === undefined ? preset : readMapping(options.mapping, preset);
  const recordings = findRecordings(folder, options.format, options.files);
  const note = (line: string) => process.stderr.write(`replay: ${line}\n`);
  const bad = countBadRows(options, note);
  await withCore(options, async core => {
    const before = await readTotals(core, options.cell);
    const edge = await openEdge(core.server(), options, note);
    try {
      const rows = mergeRows(recordings, mapping, bad.take);
      await stream(rows, edge.edge, options, await createRegistrar(core, note), note);
      await edge.edge.finish();
    } finally {
      await edge.close();
    }
    if (bad.count() > 0)
      note(`${bad.count()} bad ${bad.count() === 1 ? 'row was' : 'rows were'} left out`);
    const {sentSamples, ackedSamples} = edge.edge;
    const settled = await settleTotals(core, options, before, ackedSamples);
    const totals: Totals = {sentSamples, ackedSamples, ...settled.counts};
    await printValue(options.output, totals, () => describe(totals));
    if (settled.error !== undefined) throw settled.error;
  });
}

function countBadRows({skipBadRows}: ReplayOptions, note: (line: string) => void) {
  let count = 0;
  return {
    count: () => count,
    take: (error: ForestayError) => {
      if (!skipBadRows) throw error;
      // The first ones say what is wrong; more of the same would hide the rest.
      if (++count <= 5) note(formatError(error));
    },
  };
}

async function openEdge(server: string, options: ReplayOptions, note: (line: string) => void) {
  const [{codec}, {createGrpcLinks}] = await Promise.all([
    import('../proto/codec.ts'),
    import('../edge/link-grpc.ts'),
  ]);
  const links = createGrpcLinks(server, 'replay');
  const edge = new ReplayEdge({
    edge: EDGE,
    cell: options.cell,
    // Counts on from replay to replay without a folder to keep it in.
    incarnation: Math.floor(systemClock.nowMs() / 1000),
    dial: links.dial,
    codec,
    clock: systemClock,
    random: seededRandom(systemClock.nowMs()),
    batchRowsMax: options.batchRows,
    ackMsMax: Math.max(60_000, options.timeout * 1000),
    note,
  });
  return {
    edge,
    async close() {
      await edge.close();
      links.close();
    },
  };
}

/** Makes each metric set known before its first row. */
async function createRegistrar(core: Connection, note: (line: string) => void) {
  const {TelemetryService} = await import('../proto/gen/forestay/v1/telemetry_pb.ts');
  const telemetry = core.client(TelemetryService);
  const known = new Set<number>();
  return async ({name, kind, columns, hash}: MetricSet): Promise<void> => {
    if (known.has(hash)) return;
    const request = {requestId: '', name, entityKind: kind, columns: [...columns]};
    const {scored} = await core.call(telemetry, telemetry.registerMetricSet, request);
    known.add(hash);
    const fate = scored ? 'scored' : 'no model takes it: stored and shown as unscored';
    note(`metric set ${name}: ${columns.length} columns, ${fate}`);
  };
}

async function stream(
  rows: AsyncIterable<ReplayRow>,
  edge: ReplayEdge,
  {speed, rows: rowsMax}: ReplayOptions,
  register: (set: MetricSet) => Promise<void>,
  note: (line: string) => void,
): Promise<void> {
  const startMs = systemClock.monotonicMs();
  let firstMs: number | undefined;
  let noteMs = startMs + PROGRESS_MS;
  let count = 0;
  for await (const row of rows) {
    await register(row.set);
    firstMs ??= row.atMs;
    if (speed > 0) await pace(edge, startMs + (row.atMs - firstMs) / speed);
    await edge.add(row);
    if (systemClock.monotonicMs() > noteMs) {
      note(`${edge.sentSamples} samples sent, ${edge.ackedSamples} acknowledged`);
      noteMs += PROGRESS_MS;
    }
    if (++count >= rowsMax) return;
  }
}

async function pace(edge: ReplayEdge, dueMs: number): Promise<void> {
  const waitMs = dueMs - systemClock.monotonicMs();
  if (waitMs <= 0) return;
  if (waitMs > HOLD_MS_MAX) edge.flush();
  await systemClock.sleep(waitMs);
}

function describe(totals: Totals): string {
  return Object.entries(totals)
    .map(([name, value]) => `${name.padEnd(16)}${value}`)
    .join('\n');
}

function parseSpeed(text: string): number {
  if (text === 'max') return 0;
  const speed = Number(text);
  if (speed > 0 && Number.isFinite(speed)) return speed;
  throw new InvalidArgumentError('Expected a number above 0, or max.');
}
