import * as grpc from '@grpc/grpc-js';
import {
  ActuatorService,
  type EffectReport as ReportMessage,
  EffectStatus as StatusMessage,
} from '../../proto/gen/forestay/v1/actuator_pb.ts';
import {createClient, type ServiceClient, type UnaryCall} from '../../proto/grpc.ts';
import {readErrorInfo} from '../../proto/rich-errors.ts';
import type {EffectReport, EffectStatus} from '../domain/effects.ts';
import {ForestayError, toErrorCode} from '../domain/errors.ts';
import type {Actuator, AgentAddress, Fence} from '../ports.ts';

type Client = ServiceClient<(typeof ActuatorService)['method']>;

export type GrpcActuatorOptions = {
  /** How long one call may take; an agent that is later is unreachable. */
  deadlineMs?: number;
  /** Connections that are kept, least recently used closed first. */
  clientsMax?: number;
};

const channelOptions = {
  // Our callers ask by effect id; a call that the channel repeats would only blur the errors.
  'grpc.enable_retries': 0,
  'grpc.keepalive_time_ms': 30_000,
  'grpc.keepalive_timeout_ms': 10_000,
  'grpc.initial_reconnect_backoff_ms': 250,
  'grpc.max_reconnect_backoff_ms': 5_000,
};

/**
 * Reaches agents over gRPC, each by its address; connections are opened at the first call and
 * kept.
 *
 * Errors: those of {@link Actuator}; `AGENT_UNREACHABLE` after `deadlineMs` at the latest, also
 * once closed.
 */
export function createGrpcActuator({
  deadlineMs = 5_000,
  clientsMax = 1_024,
}: GrpcActuatorOptions = {}): Actuator {
  const clients = new Map<string, Client>();
  let isClosed = false;

  const dial = ({agent, address}: AgentAddress): Client => {
    if (isClosed) throw unreachable({agent, address}, 'this core is closing');
    if (address === '') throw unaddressed(agent);
    const client = clients.get(address) ?? createClient(ActuatorService, address, channelOptions);
    clients.delete(address);
    clients.set(address, client);
    if (clients.size > clientsMax) closeOldest(clients);
    return client;
  };

  const call = <Request, Response>(
    to: AgentAddress,
    pick: (client: Client) => UnaryCall<Request, Response>,
    request: Request,
  ): Promise<Response> =>
    new Promise((resolve, reject) => {
      const client = dial(to);
      const options = {deadline: Date.now() + deadlineMs};
      pick(client).call(client, request, new grpc.Metadata(), options, (error, response) => {
        if (error !== null) reject(toForestayError(to, error));
        else if (response !== undefined) resolve(response);
      });
    });

  return {
    async announce(to, fence) {
      await call(to, client => client.announceEpoch, {agent: to.agent, ...toMessage(fence)});
    },
    async execute(effect, fence) {
      const {agent, address: _, ...fields} = effect;
      const {report} = await call(effect, client => client.executeEffect, {
        agent,
        ...toMessage(fence),
        effect: {...fields, deadlineMs: BigInt(Math.round(effect.deadlineMs))},
      });
      return toReport(report, effect.id);
    },
    async query(to, ids) {
      const {agent} = to;
      const {reports} = await call(to, client => client.queryEffects, {agent, ids: [...ids]});
      return ids.map((id, index) => toReport(reports[index], id));
    },
    async cancel(to, id, fence) {
      const {agent} = to;
      const request = {agent, ...toMessage(fence), id};
      const {report} = await call(to, client => client.cancelEffect, request);
      return toReport(report, id);
    },
    async renewLease(to, fence, leaseMs) {
      const {agent} = to;
      await call(to, client => client.renewLease, {agent, ...toMessage(fence), leaseMs});
    },
    async close() {
      isClosed = true;
      for (const client of clients.values()) client.close();
      clients.clear();
    },
  };
}

function closeOldest(clients: Map<string, Client>): void {
  for (const [address, client] of clients) {
    client.close();
    clients.delete(address);
    return;
  }
}

const toMessage = ({partition, epoch}: Fence) => ({partition, epoch: BigInt(epoch)});

const statuses: Readonly<Record<StatusMessage, EffectStatus>> = {
  [StatusMessage.UNSPECIFIED]: 'unknown',
  [StatusMessage.UNKNOWN]: 'unknown',
  [StatusMessage.RUNNING]: 'running',
  [StatusMessage.DONE]: 'done',
  [StatusMessage.FAILED]: 'failed',
  [StatusMessage.CANCELLED]: 'cancelled',
};

function toReport(message: ReportMessage | undefined, id: string): EffectReport {
  const {status, code = '', progress = 0, figures} = message ?? {};
  return {
    id,
    status: statuses[status ?? StatusMessage.UNKNOWN] ?? 'unknown',
    code,
    message: message?.message ?? '',
    progress,
    figures: {...figures},
  };
}

/** A refusal carries our own code; everything else means that the agent was not reached. */
function toForestayError(to: AgentAddress, error: grpc.ServiceError): ForestayError {
  const info = readErrorInfo(error);
  const code = toErrorCode(info?.reason);
  if (code === undefined) return unreachable(to, error.details || error.message, error);
  return new ForestayError(code, error.details, {
    retryable: error.code === grpc.status.UNAVAILABLE,
    details: {...info?.metadata},
    cause: error,
  });
}

function unreachable({agent, address}: AgentAddress, why: string, cause?: Error): ForestayError {
  return new ForestayError(
    'AGENT_UNREACHABLE',
    `agent ${agent} at ${address} does not answer: ${why}; is its edge running?`,
    {retryable: true, details: {agent, address}, cause},
  );
}

function unaddressed(agent: string): ForestayError {
  return new ForestayError(
    'EFFECT_UNSUPPORTED',
    `agent ${agent} has announced no actuator address; start its edge with one`,
    {details: {agent}},
  );
}
