import test from 'ava';
import {ForestayError} from '../../core/domain/errors.ts';
import type {Actuator, AgentAddress} from '../../core/ports.ts';
import {createRig, second, vm} from '../support/partition.ts';

test('an agent that came back elsewhere is asked there after what it began', async t => {
  const rig = createRig();
  let listening = 'old:1';
  const reach = ({agent, address}: AgentAddress): void => {
    if (address === listening) return;
    throw new ForestayError('AGENT_UNREACHABLE', `${agent} not at ${address}`, {retryable: true});
  };
  const {actuator} = rig.agents;
  const moving: Actuator = {
    ...actuator,
    async execute(effect, fence) {
      reach(effect);
      return actuator.execute(effect, fence);
    },
    async query(agent, ids) {
      reach(agent);
      return actuator.query(agent, ids);
    },
    async cancel(agent, id, fence) {
      reach(agent);
      return actuator.cancel(agent, id, fence);
    },
  };
  const runtime = await rig.start({actuators: {hypervisor: moving, balancer: moving}});
  const hosts = (actuatorAddress: string) => ({
    a: {risk: 0.9, vms: [vm('v1')], actuatorAddress},
    b: {actuatorAddress},
    c: {actuatorAddress},
  });
  rig.agents.begin(({kind}) => (kind === 'start-migration' ? 'running' : 'done'));
  const began = () => rig.agents.executed.find(({kind}) => kind === 'start-migration');
  for (let count = 0; count < 60 && began() === undefined; count++) {
    await second(rig, runtime, hosts('old:1'));
  }
  const id = began()?.id ?? 'none';
  listening = 'new:2';
  rig.agents.finish(id);
  await second(rig, runtime, hosts('new:2'));
  await second(rig, runtime, hosts('new:2'));
  t.false(runtime.state.running.has(id));
});
