/** What windows and features of a host cost the core, alone, in CPU of this thread. */
import {
  COMPONENT_CONTRACT,
  extractFeatures,
  featureColumns,
  featuresOf,
} from '../core/domain/features.ts';
import {createWindows, growWindows, observe} from '../core/domain/windows.ts';
import {codec} from '../proto/codec.ts';
import {createMessages, HOST_SETS, type HostSet} from './support/load.ts';

const HOSTS = 256;
const SAMPLES = 100_000;
const LOAD = {edges: 8, cells: 1, hostsPerEdge: HOSTS, vmsPerHost: 0, rounds: 1};
const REST = {samplesPerSecond: 1000, pack: false, herd: false};

/** Nanoseconds of CPU a sample, by flat name: of eight metrics, and of what live agents send. */
export function measureWindows(): Record<string, number> {
  return {...costs('eight'), ...costs('live')};
}

function costs(hostSet: HostSet): Record<string, number> {
  const messages = createMessages({...LOAD, ...REST, hostSet}, 1, 'cell-0');
  const record = codec.decodeTelemetry(messages.bytes(3, 1.7e12));
  const block = record.kind === 'batch' ? record.batch.blocks[0] : undefined;
  if (block === undefined) throw new TypeError('the message has no hosts');
  const {columns} = HOST_SETS[hostSet];
  const windows = createWindows(columns.length);
  growWindows(windows, HOSTS);
  let atMs = 1.7e12;
  const taken = (row: number) => {
    if (row === 0) atMs += 1000;
    observe(windows, row, atMs, block.values, row, block.rows);
  };
  const count = featuresOf(COMPONENT_CONTRACT).length;
  const into = new Float32Array(HOSTS * count);
  const places = featureColumns(columns, COMPONENT_CONTRACT);
  const read = (row: number) => extractFeatures(windows, row, places, into, row * count);
  return {
    [`window.${hostSet}.takeNsPerSample`]: measure(taken),
    [`window.${hostSet}.featuresNsPerSample`]: measure(read),
  };
}

/** After as many to warm up. */
function measure(call: (row: number) => void): number {
  for (let index = 0; index < SAMPLES; index++) call(index % HOSTS);
  const before = process.cpuUsage();
  for (let index = 0; index < SAMPLES; index++) call(index % HOSTS);
  const {user, system} = process.cpuUsage(before);
  return ((user + system) * 1000) / SAMPLES;
}
