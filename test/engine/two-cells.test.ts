/** An edge that was started again with another cell: its host lives on in another partition. */
import test from 'ava';
import {createReadModel, heardElsewhere} from '../../core/engine/read-model.ts';
import {applyTick} from '../../core/engine/read-model-fold.ts';
import {codec} from '../../proto/codec.ts';
import {createRig, hostBatch, hostFacts, PARTITION, second, vm} from '../support/partition.ts';

const OTHER = PARTITION + 1;

/** Host a with v1 in one partition, then in another one for as long as it is heard. */
async function moveCell({heardSeconds, seconds}: {heardSeconds: number; seconds: number}) {
  const model = createReadModel();
  const rig = createRig({
    runtime: {
      onTick: (tick, {partition}, nextOffset) => applyTick(model, partition, tick, nextOffset),
      heardElsewhere: (host, partition) => heardElsewhere(model, host, partition),
    },
  });
  const former = await rig.start();
  const present = await rig.start({partition: OTHER});
  const vms = [vm('v1')];
  await second(rig, former, {a: {vms}, b: {}});
  for (let count = 1; count <= seconds; count++) {
    if (count <= heardSeconds) {
      const batch = hostBatch('a', count, [{atMs: rig.clock.nowMs()}], {
        incarnation: 2,
        inventory: {hosts: [hostFacts('a', {vms})]},
      });
      await rig.log.append('telemetry', OTHER, [codec.encodeTelemetry({kind: 'batch', batch})]);
    }
    await second(rig, former, {b: {}});
    await present.executor.poll();
    await present.step(rig.clock.nowMs());
  }
  const fences = rig.agents.executed.filter(({kind}) => kind === 'fence-host');
  return {fences, former};
}

test('a host that is heard in another cell is not fenced for its silence in the former one', async t => {
  const {fences, former} = await moveCell({heardSeconds: 120, seconds: 120});
  t.true(former.state.actors.hostContext('a')?.suspected);
  t.deepEqual(fences, []);
  t.false(former.state.actors.hostContext('a')?.lost);
});

test('once it is silent there as well it is', async t => {
  const {fences} = await moveCell({heardSeconds: 5, seconds: 120});
  t.true(fences.length > 0);
});
