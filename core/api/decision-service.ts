import type {MessageInitShape} from '@bufbuild/protobuf';
import type {DecisionSchema, DecisionService} from '../../proto/gen/forestay/v1/decision_pb.ts';
import type {Handlers} from '../../proto/grpc.ts';
import type {Decision} from '../domain/decision.ts';
import {ForestayError} from '../domain/errors.ts';
import type {ReadModel} from '../engine/read-model.ts';
import {type FilterFields, parseFilter} from './filter.ts';
import {hostResource, riskOf, timeField} from './fleet-messages.ts';
import {unary} from './handlers.ts';
import {fillPage, lastKeyOf} from './paging.ts';

const PREFIX = 'decisions/';

const fields: FilterFields<Decision> = {
  name: decision => PREFIX + decision.id,
  entity: decision => decision.entity,
  host: decision => hostResource(decision.host),
  component: decision => decision.component,
  action: decision => decision.action,
  outcome: decision => decision.outcome,
  blocked_by: decision => decision.blockedBy,
  risk: decision => decision.risk,
};

export function decisionHandlers(model: ReadModel): Handlers<(typeof DecisionService)['method']> {
  return {
    getDecision: unary(({name}) => {
      const decision = model.decisionById.get(name.replace(PREFIX, ''));
      if (decision !== undefined) return {decision: toDecisionMessage(decision)};
      throw new ForestayError(
        'NOT_FOUND',
        `"${name}" is not among the last ${model.decisions.size} decisions; older ones are in the store`,
        {details: {name}},
      );
    }),
    listDecisions: unary(request => {
      const matches = parseFilter(request.filter, fields);
      const items = olderThan(model, lastKeyOf(request));
      const page = fillPage(items, request, matches, decision => decision.id);
      return {
        decisions: page.items.map(toDecisionMessage),
        nextPageToken: page.nextPageToken,
      };
    }),
  };
}

export function toDecisionMessage(decision: Decision): MessageInitShape<typeof DecisionSchema> {
  return {
    name: PREFIX + decision.id,
    ...timeField('time', decision.atMs),
    entity: decision.entity,
    host: hostResource(decision.host),
    ...riskOf(decision),
    component: decision.component,
    action: decision.action,
    targetHost: hostResource(decision.targetHost),
    because: decision.because,
    outcome: decision.outcome,
    blockedBy: decision.blockedBy,
    alternatives: decision.alternatives.map(alternative => ({
      ...alternative,
      targetHost: hostResource(alternative.targetHost),
    })),
    modelHash: decision.modelHash,
    policyVersion: decision.policyVersion,
  };
}

/** Newest first. Once the caller's last one is dropped, so are all older ones. */
function* olderThan(model: ReadModel, last: string | undefined): Generator<Decision> {
  let reached = last === undefined;
  for (const decision of model.decisions.newestFirst()) {
    if (reached) yield decision;
    else reached = decision.id === last;
  }
}
