import type {GenService, GenServiceMethods} from '@bufbuild/protobuf/codegenv2';
import * as grpc from '@grpc/grpc-js';
import type {ExecutionContext} from 'ava';
import {systemClock} from '../../core/adapters/clock-system.ts';
import {createMemoryLog, type MemoryLog} from '../../core/adapters/log-memory.ts';
import {type Api, type ApiDeps, createApi} from '../../core/api/api.ts';
import type {InboxRecord} from '../../core/domain/records.ts';
import {createReadModel} from '../../core/engine/read-model.ts';
import {codec} from '../../proto/codec.ts';
import {createClient, type ServiceClient, type UnaryCall} from '../../proto/grpc.ts';

export type TestApi = {
  api: Api;
  log: MemoryLog;
  model: ApiDeps['model'];
  submitted: InboxRecord[];
  /** What the api's checks say; change it. */
  check: {name: string; ok: boolean; message: string};
  client<Methods extends GenServiceMethods>(service: GenService<Methods>): ServiceClient<Methods>;
};

/** A real server on free ports over a read model that the test feeds. */
export async function startApi(
  t: ExecutionContext,
  overrides: Partial<ApiDeps> = {},
): Promise<TestApi> {
  const model = createReadModel();
  const log = createMemoryLog();
  const submitted: InboxRecord[] = [];
  const check = {name: 'models', ok: true, message: ''};
  const api = await createApi({
    listen: '127.0.0.1:0',
    http: '127.0.0.1:0',
    insecure: false,
    build: {version: '0.0.0-test', commit: 'abc'},
    clock: systemClock,
    model,
    events: {log, codec},
    submit: async record => void submitted.push(record),
    cells: () => [],
    checks: () => [check],
    statechart: (machine, format) => `${format} of ${machine}`,
    ...overrides,
  });
  t.teardown(() => api.close(200));
  const client: TestApi['client'] = service => {
    const opened = createClient(service, api.grpcAddress);
    t.teardown(() => opened.close());
    return opened;
  };
  return {api, log, model, submitted, check, client};
}

/** Calls a unary method with a deadline of 5 s; rejects with the ServiceError. */
export function call<Request, Response>(
  client: grpc.Client,
  method: UnaryCall<Request, Response>,
  request: Request,
): Promise<Response> {
  return new Promise((resolve, reject) => {
    const options = {deadline: Date.now() + 5000};
    method.call(client, request, new grpc.Metadata(), options, (error, response) => {
      if (error) reject(error);
      else resolve(response as Response);
    });
  });
}
