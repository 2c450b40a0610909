import type {MessageInitShape} from '@bufbuild/protobuf';
import type {CounterfactualSchema, ReasonSchema} from '../../proto/gen/forestay/v1/fleet_pb.ts';
import {unitOf} from '../domain/features.ts';
import type {Explanation} from '../engine/read-model.ts';

type Explained = {
  reasons: MessageInitShape<typeof ReasonSchema>[];
  counterfactual?: MessageInitShape<typeof CounterfactualSchema>;
};

/** Reasons, what raises the risk most first, and what would have to be otherwise. */
export function toExplanationFields(explanation: Explanation | undefined): Explained {
  if (explanation === undefined) return {reasons: []};
  const {reasons, counterfactual} = explanation;
  return {
    reasons: reasons
      .map(reason => ({...reason, unit: unitOf(metricOf(reason.feature))}))
      .sort((left, right) => right.contribution - left.contribution),
    ...(counterfactual && {
      counterfactual: {
        risk: counterfactual.risk,
        changes: counterfactual.changes.map(change => ({...change, unit: unitOf(change.metric)})),
      },
    }),
  };
}

/** `disk_latency_seconds.trend` → `disk_latency_seconds` */
function metricOf(feature: string): string {
  return feature.slice(0, feature.lastIndexOf('.'));
}
