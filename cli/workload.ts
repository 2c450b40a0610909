import type {Vm, Workload} from '../proto/gen/forestay/v1/fleet_pb.ts';
import {formatBytes} from './table.ts';

/** What was declared, and what was learned of it, if that says something. */
export function criticalityOf({criticality, workload}: Vm): string {
  const declared = criticality.toFixed(2);
  if (!workload?.because) return declared;
  const {criticalityFactor: factor, weighedCriticality: weighed, because} = workload;
  return `${weighed.toFixed(2)} = ${declared} declared × ${factor.toFixed(2)} learned (${because})`;
}

/** How a VM works, as labels and texts; a text is empty where nothing is known. */
export function workloadFacts(workload: Workload | undefined): (readonly [string, string])[] {
  if (workload === undefined) return [];
  const {kind, dirtyClass, dirtyBytesPerSecond: dirtied, dirtySource} = workload;
  return [
    ['workload', kind === 'unknown' ? 'not known yet' : `${kind}: ${reasonOf(workload)}`],
    ['needs', needsOf(workload)],
    [
      'dirty rate',
      dirtied === undefined
        ? 'not known'
        : `${dirtyClass}: ${sources[dirtySource] ?? ''}${formatBytes(Math.round(dirtied))}/s`,
    ],
  ];
}

const sources: Readonly<Record<string, string>> = {writes: 'at least ', migration: 'last time '};

function reasonOf({variation, fullShare, dailyShare, observed}: Workload): string {
  const parts = [
    variation !== undefined && `CPU varies by ${percent(variation)} of its mean`,
    fullShare ? `full ${percent(fullShare)} of the time` : '',
    dailyShare !== undefined && `${percent(dailyShare)} of it follows the time of day`,
    `watched for ${(Number(observed?.seconds ?? 0) / 3600).toFixed(1)} h`,
  ];
  return parts.filter(Boolean).join(', ');
}

function needsOf(workload: Workload): string {
  const {cpuCores, memoryBytes} = workload;
  const rate = (bytes: number | undefined) =>
    bytes === undefined ? undefined : `${formatBytes(Math.round(bytes))}/s`;
  const needs = [
    ['', cpuCores === undefined ? undefined : `${cpuCores.toFixed(1)} cores`],
    ['', memoryBytes === undefined ? undefined : formatBytes(Math.round(memoryBytes))],
    ['reads ', rate(workload.readBytesPerSecond)],
    ['writes ', rate(workload.writeBytesPerSecond)],
    ['receives ', rate(workload.receiveBytesPerSecond)],
    ['sends ', rate(workload.transmitBytesPerSecond)],
  ] as const;
  return needs.flatMap(([what, need]) => (need === undefined ? [] : `${what}${need}`)).join(', ');
}

const percent = (ratio: number): string => `${Math.round(100 * ratio)} %`;
