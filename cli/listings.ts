import {type Timestamp, timestampMs} from '@bufbuild/protobuf/wkt';
import {shortHash} from '../core/domain/hash.ts';
import {type Decision, DecisionSchema} from '../proto/gen/forestay/v1/decision_pb.ts';
import {
  type ComponentRisk,
  type Host,
  HostSchema,
  type Vm,
  VmSchema,
} from '../proto/gen/forestay/v1/fleet_pb.ts';
import {worstOf} from './outlook.ts';
import type {Listing} from './output.ts';
import {formatAge, formatBytes, formatOutcome, formatRisk} from './table.ts';

export const hostListing: Listing<typeof HostSchema> = {
  schema: HostSchema,
  key: 'hosts',
  columns: [
    {title: 'HOST', cell: host => shortName(host.name)},
    {title: 'STATE', cell: host => host.state},
    {title: 'RISK', cell: host => formatRisk(host.risk)},
    {title: 'WORST', cell: host => formatPart(worstOf(host.componentRisks))},
    {title: 'OUTLOOK', cell: host => formatPart(worstOf(host.outlook))},
    {title: 'VMS', cell: host => String(host.vms.length)},
    {title: 'MOVABLE', cell: host => `${host.movableVms}/${host.vms.length}`},
    {title: 'FLAGS', cell: host => flagsOf(host) || '-'},
    {title: 'SCORED', cell: host => ageOf(host.scoreTime, host)},
    {title: 'SUBSTATE', cell: host => host.substate || '-', wide: true},
    {title: 'RACK', cell: host => host.rack || '-', wide: true},
    {title: 'HARDWARE', cell: host => host.hardware || '-', wide: true},
    {title: 'CPU', cell: host => String(host.cpuCores), wide: true},
    {title: 'MEMORY', cell: host => formatBytes(host.memoryBytes), wide: true},
    {title: 'ACTUATOR', cell: host => host.actuatorAddress || '-', wide: true},
  ],
};

export const vmListing: Listing<typeof VmSchema> = {
  schema: VmSchema,
  key: 'vms',
  columns: [
    {title: 'VM', cell: vm => shortName(vm.name)},
    {title: 'STATE', cell: vm => vm.state},
    {title: 'HOST', cell: vm => shortName(vm.host) || '-'},
    {title: 'RISK', cell: vm => formatRisk(vm.risk)},
    {title: 'TARGET', cell: vm => shortName(vm.targetHost) || '-'},
    {title: 'GHOST', cell: ghostOf},
    {title: 'MOVABLE', cell: vm => vm.pinnedReason || (vm.movable ? 'yes' : '-')},
    {title: 'SUBSTATE', cell: vm => vm.substate || '-', wide: true},
    {title: 'CPU', cell: vm => String(vm.cpuCores), wide: true},
    {title: 'MEMORY', cell: vm => formatBytes(vm.memoryBytes), wide: true},
    {title: 'CRITICALITY', cell: vm => vm.criticality.toFixed(2), wide: true},
    {title: 'TENANT', cell: vm => vm.tenant || '-', wide: true},
    {title: 'UPDATED', cell: vm => ageOf(vm.updateTime, vm), wide: true},
  ],
};

export const decisionListing: Listing<typeof DecisionSchema> = {
  schema: DecisionSchema,
  key: 'decisions',
  columns: [
    {title: 'DECISION', cell: decision => shortName(decision.name)},
    {title: 'AGE', cell: decision => ageOf(decision.time, decision)},
    {title: 'ENTITY', cell: decision => decision.entity},
    {title: 'ACTION', cell: actionOf},
    {title: 'OUTCOME', cell: outcomeOf},
    {title: 'RISK', cell: decision => formatRisk(decision.risk)},
    {title: 'BECAUSE', cell: decision => decision.because},
    {title: 'MODEL', cell: decision => shortHash(decision.modelHash), wide: true},
    {title: 'POLICY', cell: decision => String(decision.policyVersion), wide: true},
  ],
};

/** `hosts/h01` → `h01` */
export function shortName(resource: string): string {
  return resource.slice(resource.indexOf('/') + 1);
}

export function toMs(time: Timestamp | undefined): number | undefined {
  return time && timestampMs(time);
}

/** The age of a time, in the fleet's own time if it has one. */
function ageOf(
  time: Timestamp | undefined,
  {asOfTime}: {asOfTime?: Timestamp | undefined},
): string {
  return formatAge(toMs(time), toMs(asOfTime) ?? Date.now());
}

/** `cordoned, stale` */
export function flagsOf(item: Host | Vm): string {
  const flags = ['cordoned', 'suspected', 'lost', 'stale', 'frozen', 'silenced', 'observeOnly'];
  return flags
    .filter(flag => (item as unknown as Record<string, unknown>)[flag] === true)
    .join(', ');
}

function formatPart(worst: ComponentRisk | undefined): string {
  return worst ? `${worst.component} ${worst.risk.toFixed(2)}` : '-';
}

function ghostOf({ghostHost, ghostArmed}: Vm): string {
  return ghostHost ? `${shortName(ghostHost)}${ghostArmed ? ' armed' : ''}` : '-';
}

export function actionOf({action, targetHost}: Decision): string {
  return targetHost ? `${action} → ${shortName(targetHost)}` : action;
}

export function outcomeOf({outcome, blockedBy}: Decision): string {
  return formatOutcome(outcome, blockedBy);
}
