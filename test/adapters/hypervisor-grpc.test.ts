import {createServer} from 'node:http';
import {type AddressInfo, createServer as createSocket, type Socket} from 'node:net';
import test, {type ExecutionContext} from 'ava';
import {systemClock} from '../../core/adapters/clock-system.ts';
import {createMemoryFiles} from '../../core/adapters/files-memory.ts';
import {createGrpcActuator} from '../../core/adapters/hypervisor-grpc.ts';
import {createActuator} from '../../edge/actuator/actuator.ts';
import type {Driver} from '../../edge/actuator/driver.ts';
import {openEffectTable} from '../../edge/actuator/effect-table.ts';
import {serveActuators} from '../../edge/actuator/service.ts';
import {actuatorContract} from '../contracts/actuator.ts';
import {effect, movable, pass, quiet} from '../simulation/support.ts';
import {issue, stepDriver} from '../support/step-driver.ts';

const fence = {partition: 3, epoch: 7};

/** Serves agents by name, all before one driver, until the test is over. */
async function serve(
  t: ExecutionContext,
  driver: Driver,
  agents: readonly string[],
  clock = systemClock,
): Promise<string> {
  const files = createMemoryFiles();
  const actuators = new Map(
    agents.map(agent => {
      const table = openEffectTable({files, path: `/effects/${agent}`});
      return [agent, createActuator({agent, driver, table, clock})];
    }),
  );
  const {address, close} = await serveActuators({listen: '127.0.0.1:0', actuators});
  t.teardown(close);
  return address;
}

function actuatorFor(t: ExecutionContext, options = {}) {
  const actuator = createGrpcActuator({deadlineMs: 10_000, ...options});
  t.teardown(() => actuator.close());
  return actuator;
}

actuatorContract(test, 'a small driver over gRPC', async t => {
  const driver = stepDriver();
  const address = await serve(t, driver, ['h1', 'h2']);
  return {
    actuator: actuatorFor(t),
    quick: () => issue({kind: 'cordon-host', vm: '', targetHost: '', address}),
    lengthy: () => issue({address}),
    pass: () => driver.finish(),
    unsupported: () => issue({kind: 'sync-back', address}),
  };
});

actuatorContract(test, 'the simulated datacenter over gRPC', async t => {
  const world = quiet();
  const {vm, source, target} = movable(world);
  const clock = {...systemClock, nowMs: () => world.nowMs};
  const agents = [...world.hosts.map(({name}) => name), 'power', 'balancer'];
  const address = await serve(t, world.drivers, agents, clock);
  const on = {host: source.name, agent: source.name, address};
  return {
    actuator: actuatorFor(t),
    quick: () => effect('cordon-host', on),
    lengthy: () => effect('start-migration', {...on, vm: vm.name, targetHost: target.name}),
    pass: () => {
      for (let second = 0; second < 300; second++) pass(world, 1);
    },
  };
});

test('numbers and names of an effect arrive at the driver as they were issued', async t => {
  let arrived: object = {};
  const driver: Driver = {
    ...stepDriver(),
    start(asked) {
      arrived = asked;
      return {id: asked.id, status: 'done', code: '', message: '', progress: 1, figures: {}};
    },
  };
  const asked = issue({
    address: await serve(t, driver, ['h1']),
    weightPercent: 40,
    deadlineMs: 1_800_000_000_123,
  });
  await actuatorFor(t).execute(asked, fence);
  t.deepEqual(arrived, {...asked, address: ''});
});

test('an agent that is not there is unreachable, and may be tried again', async t => {
  const effectFor = issue({address: '127.0.0.1:1'});
  const error = await t.throwsAsync(() => actuatorFor(t).execute(effectFor, fence), {
    code: 'AGENT_UNREACHABLE',
    message: /agent h1 at 127.0.0.1:1 does not answer/,
  });
  t.true((error as {retryable?: boolean}).retryable);
});

test('an agent that accepts and says nothing is unreachable after the deadline', async t => {
  const silent = new Set<Socket>();
  const sockets = createSocket(socket => silent.add(socket.on('error', () => {}).resume()));
  await new Promise<void>(resolve => sockets.listen(0, '127.0.0.1', resolve));
  const address = `127.0.0.1:${(sockets.address() as AddressInfo).port}`;
  const actuator = actuatorFor(t, {deadlineMs: 200});
  t.teardown(() => {
    for (const socket of silent) socket.destroy();
    sockets.close();
  });
  await t.throwsAsync(() => actuator.query({agent: 'h1', address}, ['3/7/1/1']), {
    code: 'AGENT_UNREACHABLE',
  });
});

test('another protocol on the port is an agent that does not answer', async t => {
  const web = createServer((_, response) => response.end('hello'));
  await new Promise<void>(resolve => web.listen(0, '127.0.0.1', resolve));
  t.teardown(() => web.close());
  const address = `127.0.0.1:${(web.address() as AddressInfo).port}`;
  await t.throwsAsync(
    () => actuatorFor(t, {deadlineMs: 2_000}).announce({agent: 'h1', address}, fence),
    {
      code: 'AGENT_UNREACHABLE',
    },
  );
});

test('a host whose edge announced no address cannot be acted on', async t => {
  await t.throwsAsync(() => actuatorFor(t).execute(issue(), fence), {
    code: 'EFFECT_UNSUPPORTED',
    message: /no actuator address/,
  });
});

test('more agents than connections are still all reached', async t => {
  const addresses = [
    await serve(t, stepDriver(), ['h1']),
    await serve(t, stepDriver(), ['h1']),
    await serve(t, stepDriver(), ['h1']),
  ];
  const actuator = actuatorFor(t, {clientsMax: 2});
  for (const address of [...addresses, ...addresses]) {
    const report = await actuator.execute(issue({kind: 'cordon-host', address}), fence);
    t.is(report.status, 'done');
  }
});

test('a port that is taken is named', async t => {
  const address = await serve(t, stepDriver(), ['h1']);
  await t.throwsAsync(() => serveActuators({listen: address, actuators: new Map()}), {
    code: 'PORT_IN_USE',
    message: /cannot bind the actuator service to 127.0.0.1/,
  });
  // An address for documentation, which no machine has (RFC 5737).
  await t.throwsAsync(() => serveActuators({listen: '192.0.2.1:0', actuators: new Map()}), {
    code: 'BIND_REFUSED',
    message: /not one of this machine/,
  });
});

test('an effect of a kind that the agent has never heard of is refused, not guessed', async t => {
  const asked = issue({address: await serve(t, stepDriver(), ['h1']), kind: 'teleport' as never});
  const error = await t.throwsAsync(() => actuatorFor(t).execute(asked, fence), {
    code: 'INVALID_ARGUMENT',
    message: /kind "teleport" is none; known are cordon-host/,
  });
  t.false((error as {retryable?: boolean}).retryable);
});
