import {create, type DescService, toBinary} from '@bufbuild/protobuf';
import * as grpc from '@grpc/grpc-js';
import test, {type ExecutionContext} from 'ava';
import {
  IngestRequestSchema,
  RegisterMetricSetRequestSchema,
  TelemetryService,
} from '../../proto/gen/forestay/v1/telemetry_pb.ts';
import {addService, createClient, type Handlers, toServiceDefinition} from '../../proto/grpc.ts';

type Methods = (typeof TelemetryService)['method'];

async function serve(t: ExecutionContext, handlers: Handlers<Methods>) {
  const server = new grpc.Server();
  addService(server, TelemetryService, handlers);
  const port = await new Promise<number>((resolve, reject) => {
    const credentials = grpc.ServerCredentials.createInsecure();
    server.bindAsync('127.0.0.1:0', credentials, (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  const client = createClient(TelemetryService, `127.0.0.1:${port}`);
  t.teardown(() => {
    client.close();
    server.forceShutdown();
  });
  return client;
}

const options = () => ({deadline: Date.now() + 5000});

test('a definition has the path, the directions and the name of each method', t => {
  const definition = toServiceDefinition(TelemetryService as DescService);
  t.deepEqual(Object.keys(definition), ['ingest', 'registerMetricSet']);
  t.like(definition.ingest, {
    path: '/forestay.v1.TelemetryService/Ingest',
    requestStream: true,
    responseStream: true,
    originalName: 'ingest',
  });
  t.like(definition.registerMetricSet, {requestStream: false, responseStream: false});
});

test('serialisers take fields, messages and bytes alike, and give Buffers', t => {
  const {registerMetricSet} = toServiceDefinition(TelemetryService as DescService);
  const serialise = registerMetricSet?.requestSerialize as (value: unknown) => Buffer;
  const message = create(RegisterMetricSetRequestSchema, {name: 'a.v1', columns: ['x']});
  const bytes = toBinary(RegisterMetricSetRequestSchema, message);
  const inside = new Uint8Array([9, ...bytes, 9]).subarray(1, -1);
  for (const value of [{name: 'a.v1', columns: ['x']}, message, bytes, inside]) {
    const serialised = serialise(value);
    t.true(Buffer.isBuffer(serialised));
    t.deepEqual([...serialised], [...bytes]);
  }
});

test('a unary call goes there and back with types', async t => {
  const client = await serve(t, {
    ingest: call => call.end(),
    registerMetricSet: ({request}, callback) =>
      callback(null, {metricSetHash: request.columns.length, scored: request.name === 'a'}),
  });
  const request = {name: 'a', columns: ['x', 'y']};
  const hash = await new Promise((resolve, reject) => {
    client.registerMetricSet(request, new grpc.Metadata(), options(), (error, response) =>
      error ? reject(error) : resolve([response?.metricSetHash, response?.scored]),
    );
  });
  t.deepEqual(hash, [2, true]);
});

test('a bidirectional stream goes there and back with types', async t => {
  const client = await serve(t, {
    registerMetricSet: (_call, callback) => callback(null, {}),
    ingest(call) {
      call.on('data', ({request}) => {
        const seq = request.case === 'batch' ? request.value.seq : 0n;
        call.write({response: {case: 'ack', value: {seq}}});
      });
      call.on('end', () => call.end());
    },
  });
  const call = client.ingest(options());
  const seqs: bigint[] = [];
  call.on('data', ({response}) => seqs.push(response.value.seq));
  const batch = (seq: bigint) => ({request: {case: 'batch' as const, value: {seq}}});
  call.write(batch(1n));
  call.write(toBinary(IngestRequestSchema, create(IngestRequestSchema, batch(2n))));
  call.end();
  await new Promise(resolve => call.once('status', resolve));
  t.deepEqual(seqs, [1n, 2n]);
});

test.serial(
  'a client goes straight to its server, whatever proxy the environment names',
  async t => {
    const names = ['http_proxy', 'grpc_proxy', 'no_proxy', 'no_grpc_proxy'];
    const before = names.map(name => [name, process.env[name]] as const);
    t.teardown(() => {
      for (const [name, value] of before) {
        if (value === undefined) delete process.env[name];
        else process.env[name] = value;
      }
    });
    for (const name of names) process.env[name] = name.startsWith('no') ? '' : 'http://127.0.0.1:9';
    const client = await serve(t, {
      ingest: call => call.end(),
      registerMetricSet: (_call, callback) => callback(null, {scored: true}),
    });
    const response = await new Promise<{scored: boolean}>((resolve, reject) => {
      client.registerMetricSet({}, new grpc.Metadata(), options(), (error, answer) =>
        error ? reject(error) : resolve(answer as {scored: boolean}),
      );
    });
    t.true(response.scored);
  },
);
