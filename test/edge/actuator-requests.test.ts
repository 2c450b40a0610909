/** What a caller may not ask of an actuator, over real gRPC, and that its table outlives it. */
import * as grpc from '@grpc/grpc-js';
import test, {type ExecutionContext} from 'ava';
import {createMemoryFiles} from '../../core/adapters/files-memory.ts';
import {createActuator} from '../../edge/actuator/actuator.ts';
import {openEffectTable} from '../../edge/actuator/effect-table.ts';
import {serveActuators} from '../../edge/actuator/service.ts';
import {ActuatorService} from '../../proto/gen/forestay/v1/actuator_pb.ts';
import {createClient} from '../../proto/grpc.ts';
import {readErrorInfo} from '../../proto/rich-errors.ts';
import {call} from '../api/server.ts';
import {issue, stepDriver} from '../support/step-driver.ts';
import {manualClock} from './manual-clock.ts';

const path = '/effects/h1';
const agent = 'h1';
const partition = 3;

async function serve(t: ExecutionContext) {
  const files = createMemoryFiles();
  const table = openEffectTable({files, path});
  const driver = stepDriver();
  const actuator = createActuator({agent, driver, table, clock: manualClock()});
  const actuators = new Map([[agent, actuator]]);
  const {address, close} = await serveActuators({listen: '127.0.0.1:0', actuators});
  const client = createClient(ActuatorService, address);
  t.teardown(async () => {
    client.close();
    await close();
  });
  return {files, driver, client};
}

type Served = Awaited<ReturnType<typeof serve>>;

const announce =
  (fields: {partition?: number; epoch?: bigint}) =>
  ({client}: Served) =>
    call(client, client.announceEpoch, {agent, partition, epoch: 7n, ...fields});
const cancel =
  (id: string) =>
  ({client}: Served) =>
    call(client, client.cancelEffect, {agent, partition, epoch: 7n, id});
const execute =
  (fields: object) =>
  ({client}: Served) => {
    const {id, kind, host, vm} = issue();
    const effect = {id, kind, host, vm, targetHost: 'h2', deadlineMs: 8_000_000_000_000n};
    const asked = {...effect, weightPercent: 0, plan: '', ...fields};
    return call(client, client.executeEffect, {agent, partition, epoch: 7n, effect: asked});
  };

for (const [title, [ask, message]] of Object.entries({
  'an epoch beyond what can be kept': [
    announce({epoch: 2n ** 60n}),
    /epoch is 1152921504606846976/,
  ],
  'an epoch just beyond it': [announce({epoch: 2n ** 53n}), /epoch is .*; 0 to 9007199254740991/],
  'a partition that there is not': [announce({partition: 64}), /partition 64 is none; .* 0 to 63/],
  'a partition far beyond': [announce({partition: 4_000_000_000}), /partition 4000000000 is none/],
  'an endless id': [cancel('x'.repeat(3_000_000)), /id has 3000000 characters; 1 to 64/],
  'no id': [cancel(''), /id has 0 characters/],
  'an effect with an endless id': [execute({id: 'x'.repeat(65)}), /id has 65 characters/],
  'an effect with an endless name': [execute({vm: 'x'.repeat(257)}), /vm has 257 characters/],
  'an effect of no kind': [
    execute({kind: 'reboot'}),
    /kind "reboot" is none; known are cordon-host/,
  ],
  'more than all the traffic': [execute({weightPercent: 101}), /weight_percent is 101, above 100/],
  'a deadline before time': [execute({deadlineMs: -1n}), /deadline_ms is -1/],
  'very many ids': [
    ({client}: Served) =>
      call(client, client.queryEffects, {agent, ids: new Array<string>(1001).fill('1/1/1/1')}),
    /ids 1001 of them; at most 1000/,
  ],
} satisfies Record<string, [(served: Served) => Promise<unknown>, RegExp]>)) {
  test(`${title} is refused, and nothing of it is kept`, async t => {
    const served = await serve(t);
    const error = await t.throwsAsync<grpc.ServiceError>(ask(served));
    t.is(error.code, grpc.status.INVALID_ARGUMENT);
    t.is(readErrorInfo(error)?.reason, 'INVALID_ARGUMENT');
    t.regex(error.details, message);
    t.true(error.details.length < 300);
    t.is(served.files.size(path), 0);
    t.notThrows(() => openEffectTable({files: served.files, path}));
  });
}

test('an effect that comes long after its deadline is not begun, and one that was begun is answered', async t => {
  const served = await serve(t);
  const id = '3/7/1/900';
  await execute({id})(served);
  const {report} = await execute({id, deadlineMs: 1n})(served);
  t.is(report?.id, id);
  t.is(served.driver.begun(id), 1);
  const late = await t.throwsAsync<grpc.ServiceError>(
    execute({id: '3/7/1/901', deadlineMs: 1n})(served),
  );
  t.is(readErrorInfo(late)?.reason, 'EFFECT_PRECONDITION');
  t.regex(
    late.details,
    /effect 3\/7\/1\/901 came to h1 \d+ s after its deadline, nothing was begun/,
  );
  t.is(served.driver.begun('3/7/1/901'), 0);
});

test('the highest epoch that can be kept is, and the agent starts again with it', async t => {
  const served = await serve(t);
  const epoch = BigInt(Number.MAX_SAFE_INTEGER);
  await announce({epoch})(served);
  const {files} = served;
  t.is(openEffectTable({files, path}).highestEpoch(partition), Number.MAX_SAFE_INTEGER);
});

test('a table never writes what it could not read again', async t => {
  const files = createMemoryFiles();
  const table = openEffectTable({files, path});
  await t.throwsAsync(table.raiseEpoch(3, 2 ** 60), {name: 'AssertionError'});
  await table.raiseEpoch(3, 7);
  t.is(openEffectTable({files, path}).highestEpoch(3), 7);
});
