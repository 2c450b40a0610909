import * as grpc from '@grpc/grpc-js';
import {bindFailure} from '../../core/domain/bind.ts';
import type {EffectReport, EffectStatus} from '../../core/domain/effects.ts';
import {type ErrorCode, ForestayError, isForestayError} from '../../core/domain/errors.ts';
import {
  ActuatorService,
  EffectStatus as StatusMessage,
} from '../../proto/gen/forestay/v1/actuator_pb.ts';
import {addService, type Handlers} from '../../proto/grpc.ts';
import {richServiceError} from '../../proto/rich-errors.ts';
import type {Actuator} from './actuator.ts';
import {toEffect, toEffectId, toEffectIds, toFence} from './requests.ts';

const drainMs = 5_000;

/**
 * Serves the actuators of one or more agents by name: a real host has one, a simulated datacenter
 * all of them, and its power controller and balancer, behind one port. `listen` is HOST:PORT, port
 * 0 for any. Closing refuses new calls, waits a little for those under way, then closes the actuators.
 *
 * Errors: `PORT_IN_USE`, `BIND_REFUSED`.
 */
export async function serveActuators({
  listen,
  actuators,
}: {
  listen: string;
  actuators: ReadonlyMap<string, Actuator>;
}): Promise<{address: string; close(): Promise<void>}> {
  const server = new grpc.Server();
  addService(server, ActuatorService, actuatorHandlers(actuators));
  const port = await bind(server, listen);
  return {
    address: `${listen.slice(0, listen.lastIndexOf(':'))}:${port}`,
    async close() {
      await drain(server);
      for (const actuator of actuators.values()) await actuator.close();
    },
  };
}

/** A client that does not let go is cut off. */
async function drain(server: grpc.Server): Promise<void> {
  const force = setTimeout(() => server.forceShutdown(), drainMs);
  await new Promise<void>(resolve => server.tryShutdown(() => resolve()));
  clearTimeout(force);
}

function bind(server: grpc.Server, listen: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync(listen, grpc.ServerCredentials.createInsecure(), (cause, port) => {
      if (cause === null) return resolve(port);
      reject(bindFailure('the actuator service', listen, cause));
    });
  });
}

function actuatorHandlers(
  agents: ReadonlyMap<string, Actuator>,
): Handlers<(typeof ActuatorService)['method']> {
  const find = ({agent}: {agent: string}): Actuator => {
    const actuator = agents.get(agent);
    if (actuator === undefined) throw unknownAgent(agent, agents.size);
    return actuator;
  };
  return {
    announceEpoch: unary(async request => ({
      highestEpoch: BigInt(await find(request).announce(toFence(request))),
    })),
    executeEffect: unary(async request => {
      const effect = toEffect(request.effect, request.agent);
      return {report: toMessage(await find(request).execute(effect, toFence(request)))};
    }),
    queryEffects: unary(async request => ({
      reports: (await find(request).query(toEffectIds(request.ids))).map(toMessage),
    })),
    cancelEffect: unary(async request => ({
      report: toMessage(await find(request).cancel(toEffectId(request.id), toFence(request))),
    })),
    renewLease: unary(async request => {
      await find(request).renewLease(toFence(request), request.leaseMs);
      return {};
    }),
  };
}

function unary<Request, Response>(
  answer: (request: Request) => Promise<Response>,
): grpc.handleUnaryCall<Request, Response> {
  return (call, callback) => {
    answer(call.request).then(
      response => callback(null, response),
      error => callback(toServiceError(error)),
    );
  };
}

const statusOf: Partial<Record<ErrorCode, grpc.status>> = {
  STALE_EPOCH: grpc.status.FAILED_PRECONDITION,
  EFFECT_UNSUPPORTED: grpc.status.UNIMPLEMENTED,
  EFFECT_PRECONDITION: grpc.status.FAILED_PRECONDITION,
  AGENT_UNREACHABLE: grpc.status.UNAVAILABLE,
  NOT_FOUND: grpc.status.NOT_FOUND,
  INVALID_ARGUMENT: grpc.status.INVALID_ARGUMENT,
};

function toServiceError(error: unknown): grpc.ServiceError {
  const known = isForestayError(error)
    ? error
    : new ForestayError('EFFECT_FAILED', 'the agent has a defect; its own log says more');
  const metadata = Object.entries(known.details).map(([key, value]) => [key, String(value)]);
  return richServiceError({
    status: statusOf[known.code] ?? grpc.status.INTERNAL,
    message: known.message,
    reason: known.code,
    metadata: Object.fromEntries(metadata),
  });
}

function unknownAgent(agent: string, count: number): ForestayError {
  return new ForestayError(
    'NOT_FOUND',
    `no agent ${JSON.stringify(agent.slice(0, 60))} behind this port, which serves ${count}; check the actuator address`,
    {details: {agent: agent.slice(0, 60), count}},
  );
}

const statusMessages: Readonly<Record<EffectStatus, StatusMessage>> = {
  unknown: StatusMessage.UNKNOWN,
  running: StatusMessage.RUNNING,
  done: StatusMessage.DONE,
  failed: StatusMessage.FAILED,
  cancelled: StatusMessage.CANCELLED,
};

function toMessage({status, figures, ...report}: EffectReport) {
  return {...report, status: statusMessages[status], figures: {...figures}};
}
