import type {AppliedRisk, SampleRisks} from '../core/domain/records.ts';
import {bytesOf, copyFloats} from './codec-floats.ts';
import {malformed} from './codec-guards.ts';
import type * as records from './gen/forestay/records/v1/records_pb.ts';

const CODE = 'RECORD_MALFORMED';

/** From so many hosts on the risks of a tick are two columns instead of a message each. */
const COLUMNS_FROM = 64;

/** The fields of a tick that hold risks. */
export function toRisks(risks: readonly AppliedRisk[], samples: readonly SampleRisks[] = []) {
  const sampleRisks = samples.map(({components, hosts, host, atMs, risks: all}) => ({
    components: [...components],
    hosts: [...hosts],
    host: bytesOf(host),
    atMs: bytesOf(atMs),
    risks: bytesOf(all),
  }));
  if (risks.length < COLUMNS_FROM) {
    const rows = risks.map(({host, risks: of, learned = 0}) => ({
      host,
      risks: bytesOf(of),
      learned,
    }));
    return {risks: rows, sampleRisks};
  }
  const width = risks[0]?.risks.length ?? 0;
  const column = new Float32Array(risks.length * width);
  for (const [index, {risks: of}] of risks.entries()) column.set(of, index * width);
  return {
    hostRisks: {
      hosts: risks.map(({host}) => host),
      risks: bytesOf(column),
      learned: risks.some(({learned = 0}) => learned !== 0)
        ? bytesOf(Float32Array.from(risks, ({learned = 0}) => learned))
        : new Uint8Array(0),
    },
    sampleRisks,
  };
}

/** Kept by the engine for as long as the host lives: in memory of their own. */
export function risksOf({risks, hostRisks}: records.Tick): AppliedRisk[] {
  const rows = risks.map(({host, risks: of, learned}) => rowOf(host, floats(of), learned));
  if (hostRisks === undefined) return rows;
  const {hosts} = hostRisks;
  const column = floats(hostRisks.risks);
  const width = column.length / hosts.length;
  if (!Number.isInteger(width)) {
    throw malformed(CODE, `${hosts.length} hosts cannot have ${column.length} risks`);
  }
  const learned = floats(hostRisks.learned);
  if (learned.length !== 0 && learned.length !== hosts.length) {
    throw malformed(CODE, `${hosts.length} hosts cannot be moved by ${learned.length} values`);
  }
  const columns = hosts.map((host, index) =>
    rowOf(host, column.slice(index * width, (index + 1) * width), learned[index] ?? 0),
  );
  return [...rows, ...columns];
}

function rowOf(host: string, risks: Float32Array, learned: number): AppliedRisk {
  return learned === 0 ? {host, risks} : {host, risks, learned};
}

export function sampleRisksOf(message: records.SampleRisks): SampleRisks {
  const {components, hosts} = message;
  const host = new Uint32Array(copy(message.host, 4));
  const atMs = new Float64Array(copy(message.atMs, 8));
  const risks = floats(message.risks);
  if (atMs.length !== host.length || risks.length !== host.length * components.length) {
    throw malformed(
      CODE,
      `${host.length} samples × ${components.length} components have ${atMs.length} times and ` +
        `${risks.length} risks`,
    );
  }
  const stray = host.find(index => index >= hosts.length);
  if (stray === undefined) return {components, hosts, host, atMs, risks};
  throw malformed(CODE, `a sample is of host ${stray} of ${hosts.length}`);
}

function floats(bytes: Uint8Array): Float32Array {
  if (bytes.length % 4 === 0) return copyFloats(bytes);
  throw malformed(CODE, `risks take ${bytes.length} bytes, not a multiple of 4`);
}

function copy(bytes: Uint8Array, size: number): ArrayBuffer {
  if (bytes.length % size === 0) return new Uint8Array(bytes).buffer;
  throw malformed(
    CODE,
    `a column of samples takes ${bytes.length} bytes, not a multiple of ${size}`,
  );
}
