import type {MessageInitShape} from '@bufbuild/protobuf';
import {
  type ActorSchema,
  type ExplainEntityResponseSchema,
  type InspectService,
  StatechartFormat,
} from '../../proto/gen/forestay/v1/inspect_pb.ts';
import type {Handlers} from '../../proto/grpc.ts';
import type {Decision} from '../domain/decision.ts';
import {ForestayError} from '../domain/errors.ts';
import {type HostRow, nowOf, type ReadModel, type VmRow} from '../engine/read-model.ts';
import type {Clock} from '../ports.ts';
import {toDecisionMessage} from './decision-service.ts';
import {toEffectMessage, toTransitionMessage} from './event-messages.ts';
import {toExplanationFields} from './explanation-messages.ts';
import {riskOf, splitState, timeField} from './fleet-messages.ts';
import {findRow, notFound} from './fleet-service.ts';
import {unary} from './handlers.ts';

const DECISIONS_EXPLAINED_MAX = 5;

export type InspectDeps = {
  model: ReadModel;
  clock: Clock;
  /** The chart of a machine as text. */
  statechart(machine: 'host' | 'vm', format: 'mermaid' | 'json'): string;
};

export function inspectHandlers(deps: InspectDeps): Handlers<(typeof InspectService)['method']> {
  const {model, clock, statechart} = deps;
  return {
    getStatechart: unary(({machine, format}) => {
      if (machine !== 'host' && machine !== 'vm') {
        throw invalid('machine', `"${machine}" is no machine; machines are host and vm`);
      }
      const json = format === StatechartFormat.JSON;
      return {content: statechart(machine, json ? 'json' : 'mermaid')};
    }),
    getActor: unary(({name}) => ({actor: toActorMessage(findEntity(model, name))})),
    explainEntity: unary(({name}) => explain(model, findEntity(model, name), clock.nowMs())),
  };
}

/** By `hosts/HOST` or `vms/VM`, or by a short name that only one of them has. */
function findEntity(model: ReadModel, name: string): HostRow | VmRow {
  if (name.startsWith('hosts/')) return findRow(model.hosts, name);
  if (name.startsWith('vms/')) return findRow(model.vms, name);
  if (name !== '' && !name.includes('/')) return findByShortName(model, name);
  throw invalid('name', `"${name}" is no name of an actor; names are hosts/HOST and vms/VM`);
}

function findByShortName({hosts, vms}: ReadModel, name: string): HostRow | VmRow {
  const [host, vm] = [hosts.get(`hosts/${name}`), vms.get(`vms/${name}`)];
  if (host && vm) {
    throw invalid('name', `"${name}" is a host and a VM; write ${host.name} or ${vm.name}`);
  }
  const found = host ?? vm;
  if (found !== undefined) return found;
  throw notFound(name, [...hosts.keys(), ...vms.keys()]);
}

function toActorMessage(row: HostRow | VmRow): MessageInitShape<typeof ActorSchema> {
  const {actor} = row;
  return {
    name: row.name,
    machine: actor?.machine ?? ('vms' in row ? 'host' : 'vm'),
    machineVersion: actor?.machineVersion ?? 0,
    state: actor?.state ?? 'normal',
    context: actor?.contextJson ?? '{}',
    timers: actor && actor.dueMs > 0 ? [timeField('dueTime', actor.dueMs)] : [],
    history: (actor?.history ?? []).map(move => toTransitionMessage(move, move.atMs)),
    effects: row.effects.map(effect => toEffectMessage(effect, effect.atMs)),
  };
}

function explain(
  model: ReadModel,
  row: HostRow | VmRow,
  wallMs: number,
): MessageInitShape<typeof ExplainEntityResponseSchema> {
  const host = 'vms' in row ? row : model.hosts.get(`hosts/${row.host}`);
  const decisions = newestDecisions(model, row.name);
  return {
    name: row.name,
    state: splitState(row).state,
    host: host?.name ?? '',
    ...(host ? riskOf(host) : {}),
    ...timeField('scoreTime', host?.scoredAtMs),
    componentRisks: (host?.componentRisks ?? []).filter(({risk}) => !Number.isNaN(risk)),
    ...toExplanationFields(host?.explanation),
    modelHash: host?.modelHash ?? '',
    learnedLogOdds: host?.learned ?? 0,
    decisions: decisions.map(decision =>
      toDecisionMessage(decision, model.explanations.get(decision.id)),
    ),
    ...timeField('asOfTime', nowOf(model, row.partition, wallMs)),
  };
}

function newestDecisions(model: ReadModel, entity: string): Decision[] {
  const found: Decision[] = [];
  for (const decision of model.decisions.newestFirst()) {
    if (decision.entity === entity) found.push(decision);
    if (found.length === DECISIONS_EXPLAINED_MAX) break;
  }
  return found;
}

function invalid(field: string, message: string): ForestayError {
  return new ForestayError('INVALID_ARGUMENT', message, {details: {field}});
}
