import type {MessageInitShape} from '@bufbuild/protobuf';
import type {DecisionSchema, DecisionService} from '../../proto/gen/forestay/v1/decision_pb.ts';
import type {Handlers} from '../../proto/grpc.ts';
import {actionKinds, type Decision, outcomes} from '../domain/decision.ts';
import {ForestayError} from '../domain/errors.ts';
import {guards} from '../domain/safety.ts';
import {type Explanation, nowOf, type ReadModel} from '../engine/read-model.ts';
import type {Clock} from '../ports.ts';
import {toExplanationFields} from './explanation-messages.ts';
import {type FilterFields, number, parseFilter, resource, text, word} from './filter.ts';
import {hostResource, riskOf, timeField} from './fleet-messages.ts';
import {unary} from './handlers.ts';
import {fillPage, lastKeyOf} from './paging.ts';

const PREFIX = 'decisions/';

const fields: FilterFields<Decision> = {
  name: text(decision => PREFIX + decision.id),
  entity: resource(decision => decision.entity),
  host: resource(decision => hostResource(decision.host)),
  // A model of one's own may have others than ours.
  component: text(decision => decision.component),
  action: word(decision => decision.action, actionKinds),
  outcome: word(decision => decision.outcome, outcomes),
  blocked_by: word(decision => decision.blockedBy, guards),
  risk: number(decision => decision.risk),
};

export function decisionHandlers({
  model,
  clock,
}: {
  model: ReadModel;
  clock: Clock;
}): Handlers<(typeof DecisionService)['method']> {
  const show = (decision: Decision) => ({
    ...toDecisionMessage(decision, model.explanations.get(decision.id)),
    ...timeField('asOfTime', nowOf(model, partitionOf(decision), clock.nowMs())),
  });
  return {
    getDecision: unary(({name}) => {
      const decision = model.decisionById.get(name.replace(PREFIX, ''));
      if (decision !== undefined) return {decision: show(decision)};
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
        decisions: page.items.map(show),
        nextPageToken: page.nextPageToken,
      };
    }),
  };
}

export function toDecisionMessage(
  decision: Decision,
  explanation?: Explanation,
): MessageInitShape<typeof DecisionSchema> {
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
    expectedInSeconds: decision.expectedInSeconds,
    ...(decision.learned === undefined ? {} : {learned: decision.learned}),
    ...trialOf(decision),
    alternatives: decision.alternatives.map(alternative => ({
      ...alternative,
      targetHost: hostResource(alternative.targetHost),
    })),
    modelHash: decision.modelHash,
    policyVersion: decision.policyVersion,
    ...toExplanationFields(explanation),
  };
}

function trialOf({trial}: Decision) {
  if (trial === undefined) return {};
  const {heldBack, propensity, episodeAtMs} = trial;
  return {trial: {heldBack, propensity, ...timeField('episodeTime', episodeAtMs)}};
}

/** `partition/epoch/tick/dN` */
function partitionOf({id}: Decision): number {
  return Number(id.slice(0, id.indexOf('/')));
}

/** Newest first. Once the caller's last one is dropped, so are all older ones. */
function* olderThan(model: ReadModel, last: string | undefined): Generator<Decision> {
  let reached = last === undefined;
  for (const decision of model.decisions.newestFirst()) {
    if (reached) yield decision;
    else reached = decision.id === last;
  }
}
