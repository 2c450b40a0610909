/** Requests of every gRPC service, as the server reads them. */
import assert from 'node:assert/strict';
import {create, type DescMessage, fromBinary, toBinary} from '@bufbuild/protobuf';
import {ActuatorService} from '../../proto/gen/forestay/v1/actuator_pb.ts';
import {ControlService} from '../../proto/gen/forestay/v1/control_pb.ts';
import {DecisionService} from '../../proto/gen/forestay/v1/decision_pb.ts';
import {DriftService} from '../../proto/gen/forestay/v1/drift_pb.ts';
import {EventService} from '../../proto/gen/forestay/v1/event_pb.ts';
import {FleetService} from '../../proto/gen/forestay/v1/fleet_pb.ts';
import {InspectService} from '../../proto/gen/forestay/v1/inspect_pb.ts';
import {SkillService} from '../../proto/gen/forestay/v1/skill_pb.ts';
import {TelemetryService} from '../../proto/gen/forestay/v1/telemetry_pb.ts';
import type {Target} from './target.ts';

const services = [
  ActuatorService,
  ControlService,
  DecisionService,
  DriftService,
  EventService,
  FleetService,
  InspectService,
  SkillService,
  TelemetryService,
];

/** A request with something in every field that is a number, a text or bytes. */
function sampleOf(schema: DescMessage, depth = 0): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  for (const field of schema.fields) {
    const {localName, fieldKind} = field;
    if (field.oneof !== undefined) continue;
    if (fieldKind === 'scalar') fields[localName] = scalarOf(field.scalar);
    if (fieldKind === 'message' && depth < 3)
      fields[localName] = sampleOf(field.message, depth + 1);
  }
  return fields;
}

const LONG_TYPES = [3, 4, 6, 16, 18];
function scalarOf(type: number): unknown {
  if (LONG_TYPES.includes(type)) return 300n;
  if (type === 8) return true;
  if (type === 9) return 'hosts/h1';
  return type === 12 ? Buffer.from('bytes') : 7;
}

function wireTarget(schema: DescMessage): Target {
  return {
    name: `request:${schema.name}`,
    weight: 3,
    samples: [
      toBinary(schema, create(schema, sampleOf(schema))),
      toBinary(schema, create(schema, {})),
    ],
    feed(bytes) {
      let message: ReturnType<typeof fromBinary>;
      try {
        message = fromBinary(schema, bytes);
      } catch (error) {
        // The bridge answers INTERNAL with it; what else is thrown is not the reader's.
        assert.ok(error instanceof Error && !(error instanceof assert.AssertionError));
        return false;
      }
      const encoded = toBinary(schema, message);
      assert.ok(Buffer.from(toBinary(schema, fromBinary(schema, encoded))).equals(encoded));
      return true;
    },
  };
}

export const wireTargets: readonly Target[] = services
  .flatMap(service => service.methods.map(({input}) => input))
  .filter((schema, at, all) => all.indexOf(schema) === at)
  .map(wireTarget);
