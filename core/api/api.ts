import {ControlService} from '../../proto/gen/forestay/v1/control_pb.ts';
import {DecisionService} from '../../proto/gen/forestay/v1/decision_pb.ts';
import {DriftService} from '../../proto/gen/forestay/v1/drift_pb.ts';
import {EventService} from '../../proto/gen/forestay/v1/event_pb.ts';
import {FleetService} from '../../proto/gen/forestay/v1/fleet_pb.ts';
import {InspectService} from '../../proto/gen/forestay/v1/inspect_pb.ts';
import {SkillService} from '../../proto/gen/forestay/v1/skill_pb.ts';
import type {EventSource} from '../engine/journal-events.ts';
import {type ControlDeps, controlHandlers} from './control-service.ts';
import {decisionHandlers} from './decision-service.ts';
import {type DriftDeps, driftHandlers} from './drift-service.ts';
import {eventHandlers} from './event-service.ts';
import {fleetHandlers} from './fleet-service.ts';
import {bindService, createGrpcServer, type ServiceBinding} from './grpc-server.ts';
import {createHttpServer} from './http-server.ts';
import {type InspectDeps, inspectHandlers} from './inspect-service.ts';
import {createMetrics} from './metrics.ts';
import {RequestIds} from './request-ids.ts';
import {skillHandlers} from './skill-service.ts';
import {isReady} from './status.ts';

export type ApiDeps = Omit<ControlDeps, 'requestIds'> &
  InspectDeps &
  DriftDeps & {
    /** Where events are read. */
    events: EventSource;
    /** HOST:PORT of gRPC and of HTTP. */
    listen: string;
    http: string;
    insecure: boolean;
    /** Services that are served beside the reading ones: ingest. */
    services?: readonly ServiceBinding[];
    /** What `/version` says besides version and commit: models, statecharts. */
    versions?(): Readonly<Record<string, unknown>>;
  };

export type Api = {
  /** With the real ports. */
  grpcAddress: string;
  httpAddress: string;
  /** Ends watches, lets calls end until the deadline, then ends them too. */
  close(deadlineMs?: number): Promise<void>;
};

/**
 * Everything that is read and commanded from outside, over gRPC and HTTP.
 *
 * @throws {ForestayError} `BIND_REFUSED`, `PORT_IN_USE`; then nothing is left open.
 */
export async function createApi(deps: ApiDeps): Promise<Api> {
  const closing = new AbortController();
  const {model, clock, listen, insecure} = deps;
  const metrics = createMetrics(deps);
  const services = [
    bindService(FleetService, fleetHandlers({model, clock, closing: closing.signal})),
    bindService(DecisionService, decisionHandlers(deps)),
    bindService(EventService, eventHandlers({...deps, closing: closing.signal})),
    bindService(ControlService, controlHandlers({...deps, requestIds: new RequestIds(clock)})),
    bindService(InspectService, inspectHandlers(deps)),
    bindService(SkillService, skillHandlers(deps)),
    bindService(DriftService, driftHandlers(deps)),
    ...(deps.services ?? []),
  ];
  const closeMetrics = (error: unknown) => {
    metrics.close();
    throw error;
  };
  const ready = () => isReady(deps);
  const grpcServer = await createGrpcServer({
    listen,
    insecure,
    services,
    clock,
    isReady: ready,
  }).catch(closeMetrics);
  const httpServer = await createHttpServer({
    listen: deps.http,
    insecure,
    metrics,
    checks: () => deps.checks(),
    versions: () => ({...deps.build, ...deps.versions?.()}),
  }).catch(async error => {
    await grpcServer.close(0);
    return closeMetrics(error);
  });
  return {
    grpcAddress: grpcServer.address,
    httpAddress: httpServer.address,
    async close(deadlineMs = 5000) {
      closing.abort();
      await grpcServer.close(deadlineMs);
      await httpServer.close();
      metrics.close();
    },
  };
}
