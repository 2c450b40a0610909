import type {MessageInitShape} from '@bufbuild/protobuf';
import type {EventSchema} from '../../proto/gen/forestay/v1/event_pb.ts';
import type {TransitionSchema} from '../../proto/gen/forestay/v1/inspect_pb.ts';
import {actionKinds, outcomes} from '../domain/decision.ts';
import {effectKinds, type IssuedEffect, resultStatuses} from '../domain/effects.ts';
import type {Transition} from '../domain/records.ts';
import {restStates} from '../engine/actor-states.ts';
import type {Command, FleetEvent} from '../engine/journal-events.ts';
import {toDecisionMessage} from './decision-service.ts';
import {type FilterFields, number, resource, text, word} from './filter.ts';
import {hostResource, timeField} from './fleet-messages.ts';

const kinds: Readonly<Record<FleetEvent['kind'], true>> = {
  transition: true,
  decision: true,
  effect: true,
  result: true,
  command: true,
  ownership: true,
};
const commands: Readonly<Record<Command['kind'], true>> = {
  pause: true,
  resume: true,
  'set-mode': true,
  'switch-model': true,
  'lift-restraint': true,
  'declare-host': true,
  'register-metric-set': true,
};
const states = () => [...new Set([...restStates('host'), ...restStates('vm')])];

export const eventFields: FilterFields<FleetEvent> = {
  name: text(event => `events/${event.id}`),
  kind: word(event => event.kind, Object.keys(kinds)),
  entity: resource(entityOf),
  event: text(event => (event.kind === 'transition' ? event.transition.event : '')),
  from: word(event => (event.kind === 'transition' ? event.transition.from : ''), states),
  to: word(event => (event.kind === 'transition' ? event.transition.to : ''), states),
  action: word(actionOf, [...actionKinds, ...effectKinds, ...Object.keys(commands)]),
  outcome: word(event => (event.kind === 'decision' ? event.decision.outcome : ''), outcomes),
  status: word(event => (event.kind === 'result' ? event.result.status : ''), resultStatuses),
  author: text(event => (event.kind === 'command' ? event.command.author : '')),
  partition: number(event => event.partition),
};

export function toEventMessage(event: FleetEvent): MessageInitShape<typeof EventSchema> {
  return {
    name: `events/${event.id}`,
    ...timeField('time', event.atMs),
    partition: event.partition,
    entity: entityOf(event),
    what: whatOf(event),
  };
}

type What = NonNullable<MessageInitShape<typeof EventSchema>['what']>;

function whatOf(event: FleetEvent): What {
  switch (event.kind) {
    case 'transition':
      return {case: 'transition', value: toTransitionMessage(event.transition, event.atMs)};
    case 'decision':
      return {case: 'decision', value: toDecisionMessage(event.decision)};
    case 'effect':
      return {case: 'effect', value: toEffectMessage(event.effect, event.atMs)};
    case 'result':
      return {case: 'result', value: {...event.result, figures: {...event.result.figures}}};
    case 'command': {
      const {requestId, author, kind} = event.command;
      return {case: 'command', value: {requestId, author, kind, detail: detailOf(event.command)}};
    }
    case 'ownership': {
      const {epoch, owner, address} = event.ownership;
      return {case: 'ownership', value: {epoch: BigInt(epoch), owner, address}};
    }
  }
}

export function toTransitionMessage(
  {seq, from, to, event, context}: Transition,
  atMs: number,
): MessageInitShape<typeof TransitionSchema> {
  return {...timeField('time', atMs), seq: BigInt(seq), from, to, event, context};
}

export function toEffectMessage(effect: IssuedEffect, atMs: number) {
  return {
    id: effect.id,
    ...timeField('time', atMs),
    kind: effect.kind,
    host: hostResource(effect.host),
    vm: effect.vm && `vms/${effect.vm}`,
    targetHost: hostResource(effect.targetHost),
    agent: effect.agent,
    ...timeField('deadline', effect.deadlineMs),
  };
}

/** `hosts/{host}` or `vms/{vm}`; empty for a result, which names its effect, and an owner. */
function entityOf(event: FleetEvent): string {
  switch (event.kind) {
    case 'transition':
      return event.transition.actor;
    case 'decision':
      return event.decision.entity;
    case 'effect':
      return event.effect.vm === '' ? hostResource(event.effect.host) : `vms/${event.effect.vm}`;
    case 'command':
      return event.command.kind === 'declare-host' ? hostResource(event.command.host) : '';
    case 'result':
    case 'ownership':
      return '';
  }
}

function actionOf(event: FleetEvent): string {
  if (event.kind === 'decision') return event.decision.action;
  if (event.kind === 'effect') return event.effect.kind;
  return event.kind === 'command' ? event.command.kind : '';
}

function detailOf(command: Command): string {
  switch (command.kind) {
    case 'pause':
    case 'resume':
      return command.comment;
    case 'set-mode':
      return command.mode;
    case 'switch-model':
      return `${command.modelHash} for ${command.percent} % of hosts`;
    case 'lift-restraint':
      return `${command.cell}: ${command.comment}`;
    case 'declare-host':
      return `${command.host} is ${command.state}`;
    case 'register-metric-set':
      return `${command.name}: ${command.columns.length} columns of ${command.entityKind}s`;
  }
}
