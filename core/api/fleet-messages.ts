import type {MessageInitShape} from '@bufbuild/protobuf';
import {durationFromMs, type Timestamp, timestampFromMs} from '@bufbuild/protobuf/wkt';
import type {
  AnomalySchema,
  HostSchema,
  VmSchema,
  WorkloadSchema,
} from '../../proto/gen/forestay/v1/fleet_pb.ts';
import {unitOf} from '../domain/features.ts';
import {raiseOutlook} from '../domain/horizons.ts';
import {learnedCriticality, weighedCriticality} from '../domain/workload-profile.ts';
import {type HostRow, nowOf, type ReadModel, type VmRow} from '../engine/read-model.ts';
import {toExplanationFields} from './explanation-messages.ts';

/** `at-risk.watching` → `at-risk` and `watching`. An actor that never moved is normal. */
export function splitState({actor}: HostRow | VmRow): {state: string; substate: string} {
  return splitPath(actor?.state ?? 'normal');
}

export function splitPath(path: string): {state: string; substate: string} {
  const dot = path.indexOf('.');
  if (dot < 0) return {state: path, substate: ''};
  return {state: path.slice(0, dot), substate: path.slice(dot + 1)};
}

/** `wallMs` is the core's time. */
export function toHostMessage(
  model: ReadModel,
  row: HostRow,
  wallMs: number,
): MessageInitShape<typeof HostSchema> {
  const {facts, actor} = row;
  const context = actor?.context;
  const vms = [...row.vms].sort();
  return {
    name: row.name,
    ...splitState(row),
    ...timeField('stateTime', context?.enteredAtMs),
    ...riskOf(row),
    componentRisks: row.componentRisks.filter(({risk}) => !Number.isNaN(risk)),
    reasons: toExplanationFields(row.explanation).reasons,
    // Another model's, so each is shown as no less than what is said of a shorter time.
    outlook: raiseOutlook(row.componentRisks, row.outlook),
    learnedLogOdds: row.learned,
    ...timeField('scoreTime', row.scoredAtMs),
    ...anomalyField(row),
    rack: facts?.rack ?? '',
    cpuCores: facts?.cpuCores ?? 0,
    memoryBytes: facts?.memoryBytes ?? 0,
    vms,
    movableVms: vms.filter(name => isMovable(model.vms.get(name))).length,
    capabilities: [...(facts?.capabilities ?? [])],
    actuatorAddress: facts?.actuatorAddress ?? '',
    bootId: facts?.bootId ?? '',
    observeOnly: facts?.observeOnly ?? false,
    hardware: facts?.hardware ?? '',
    cordoned: context?.cordoned ?? false,
    suspected: context?.suspected ?? false,
    lost: context?.lost ?? false,
    stale: context?.stale ?? false,
    frozen: context?.frozen ?? false,
    silenced: context?.silenced ?? false,
    partition: row.partition,
    ...timeField('updateTime', row.updatedAtMs),
    ...timeField('asOfTime', nowOf(model, row.partition, wallMs)),
  };
}

/** Nothing while it is not watched. */
function anomalyField({anomaly}: HostRow): {anomaly?: MessageInitShape<typeof AnomalySchema>} {
  if (anomaly === undefined) return {};
  const {isOdd, metrics, learnedRows, neededRows} = anomaly;
  return {
    anomaly: {
      ...known('score', anomaly.score),
      ...known('threshold', anomaly.threshold),
      odd: isOdd,
      metrics: metrics.map(found => ({...found, unit: unitOf(found.metric)})),
      ...known('rackOddRatio', anomaly.rackOddRatio),
      ...known('oddVmsRatio', anomaly.oddVmsRatio),
      learnedRows,
      neededRows,
      ...timeField('observeTime', anomaly.atMs),
    },
  };
}

/** `wallMs` is the core's time. */
export function toVmMessage(
  model: ReadModel,
  row: VmRow,
  wallMs: number,
): MessageInitShape<typeof VmSchema> {
  const {facts, actor} = row;
  const context = actor?.context;
  const host = model.hosts.get(`hosts/${row.host}`);
  return {
    name: row.name,
    ...splitState(row),
    ...timeField('stateTime', context?.enteredAtMs),
    host: hostResource(row.host),
    targetHost: hostResource(context?.targetHost),
    ghostHost: hostResource(context?.ghostHost),
    ghostArmed: context?.ghostArmed ?? false,
    homeHost: hostResource(context?.homeHost),
    ...(host ? riskOf(host) : {}),
    cpuCores: facts?.cpuCores ?? 0,
    memoryBytes: facts?.memoryBytes ?? 0,
    criticality: facts?.criticality ?? 0,
    ...workloadField(row),
    tenant: facts?.tenant ?? '',
    antiAffinityGroup: facts?.antiAffinityGroup ?? '',
    movable: isMovable(row),
    pinnedReason: facts?.pinnedReason ?? '',
    ...timeField('deadline', actor?.dueMs),
    stale: context?.stale ?? false,
    frozen: context?.frozen ?? false,
    silenced: context?.silenced ?? false,
    partition: row.partition,
    ...timeField('updateTime', row.updatedAtMs),
    ...timeField('asOfTime', nowOf(model, row.partition, wallMs)),
  };
}

/** Nothing until its samples have told something. */
function workloadField({facts, workload}: VmRow): {
  workload?: MessageInitShape<typeof WorkloadSchema>;
} {
  if (workload === undefined || facts === undefined) return {};
  const {factor, because} = learnedCriticality(workload);
  return {
    workload: {
      kind: workload.kind,
      observed: durationFromMs(workload.observedMs),
      ...known('cpuCores', workload.cpuRatio * facts.cpuCores),
      ...known('memoryBytes', workload.memoryRatio * facts.memoryBytes),
      ...known('readBytesPerSecond', workload.readBytesPerSecond),
      ...known('writeBytesPerSecond', workload.writeBytesPerSecond),
      ...known('receiveBytesPerSecond', workload.receiveBytesPerSecond),
      ...known('transmitBytesPerSecond', workload.transmitBytesPerSecond),
      ...known('variation', workload.variation),
      ...known('fullShare', workload.fullShare),
      daily: workload.isDaily,
      ...known('dailyShare', workload.dailyShare),
      dirtyClass: workload.dirtyClass,
      ...known('dirtyBytesPerSecond', workload.dirtyBytesPerSecond),
      dirtySource: workload.dirtySource,
      criticalityFactor: factor,
      weighedCriticality: weighedCriticality(facts.criticality, workload),
      because,
    },
  };
}

function known<Name extends string>(name: Name, value: number): {[Key in Name]?: number} {
  const field = Number.isNaN(value) ? {} : {[name]: value};
  return field as {[Key in Name]?: number};
}

export function isMovable(vm: VmRow | undefined): boolean {
  return vm?.facts?.pinnedReason === '';
}

/** `h01` → `hosts/h01`; empty stays empty. */
export function hostResource(host: string | undefined): string {
  return host ? `hosts/${host}` : '';
}

/** Nothing if it was never scored. */
export function riskOf({risk}: {risk: number}): {risk?: number} {
  return Number.isNaN(risk) ? {} : {risk};
}

/** The field, or nothing for 0, which means that it never happened. */
export function timeField<Name extends string>(
  name: Name,
  ms: number | undefined,
): {[Key in Name]?: Timestamp} {
  const field = ms ? {[name]: timestampFromMs(ms)} : {};
  return field as {[Key in Name]?: Timestamp};
}
