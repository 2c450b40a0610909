import {create, toBinary} from '@bufbuild/protobuf';
import type {HostAnomaly} from '../core/domain/anomaly/fleet-watch.ts';
import type {ScoresRecord} from '../core/domain/records.ts';
import {bytesOf, floatsOf} from './codec-floats.ts';
import {malformed, parse, wholeNumber} from './codec-guards.ts';
import {cellSkillOf, toCellSkill} from './codec-skill.ts';
import {
  type HostAnomaly as HostAnomalyMessage,
  ScoresRecordSchema,
} from './gen/forestay/records/v1/records_pb.ts';

const CODE = 'RECORD_MALFORMED';

export function encodeScores(record: ScoresRecord): Uint8Array {
  const init = {
    outlook: record.kind === 'outlook',
    timeMs: record.timeMs,
    epoch: BigInt(record.epoch),
    tickNumber: BigInt(record.tickNumber),
    modelHash: record.modelHash,
    featureHash: record.featureHash,
    components: [...record.components],
    hosts: [...record.hosts],
    risks: bytesOf(record.risks),
    reasons: record.reasons.map(({row, component, reasons, counterfactual, decisions}) => ({
      row,
      component,
      reasons: [...reasons],
      ...(counterfactual && {
        counterfactual: {...counterfactual, changes: [...counterfactual.changes]},
      }),
      decisions: [...decisions],
    })),
    anomalies: (record.anomalies ?? []).map(({isOdd: odd, metrics, ...anomaly}) => ({
      ...anomaly,
      odd,
      metrics: [...metrics],
    })),
    skills: (record.skills ?? []).map(toCellSkill),
  };
  return toBinary(ScoresRecordSchema, create(ScoresRecordSchema, init));
}

/** `risks` may be a view of `bytes`. */
export function decodeScores(bytes: Uint8Array): ScoresRecord {
  const message = parse(ScoresRecordSchema, bytes, CODE);
  const {timeMs, modelHash, featureHash, components, hosts, risks} = message;
  const wantedBytes = hosts.length * components.length * 4;
  if (risks.length !== wantedBytes) {
    throw malformed(
      CODE,
      `scores of ${hosts.length} hosts × ${components.length} components need ${wantedBytes} bytes, ` +
        `got ${risks.length}`,
    );
  }
  return {
    kind: message.outlook ? 'outlook' : 'risk',
    timeMs,
    epoch: wholeNumber(message.epoch, 'epoch', CODE),
    tickNumber: wholeNumber(message.tickNumber, 'tick_number', CODE),
    modelHash,
    featureHash,
    hosts,
    risks: floatsOf(risks),
    components,
    reasons: message.reasons.map(({row, component, reasons, counterfactual, decisions}) => {
      if (row >= hosts.length) {
        throw malformed(CODE, `reasons of row ${row}, but there are ${hosts.length} hosts`);
      }
      return {
        row,
        component,
        reasons: reasons.map(({feature, value, usual, contribution}) => ({
          feature,
          value,
          usual,
          contribution,
        })),
        ...(counterfactual && {
          counterfactual: {
            changes: counterfactual.changes.map(({metric, value}) => ({metric, value})),
            risk: counterfactual.risk,
          },
        }),
        decisions,
      };
    }),
    ...(message.anomalies.length > 0 && {anomalies: message.anomalies.map(toAnomaly)}),
    ...(message.skills.length > 0 && {skills: message.skills.map(cellSkillOf)}),
  };
}

function toAnomaly({$typeName: _, odd, metrics, ...anomaly}: HostAnomalyMessage): HostAnomaly {
  return {
    ...anomaly,
    isOdd: odd,
    metrics: metrics.map(({metric, value, usual}) => ({metric, value, usual})),
  };
}
