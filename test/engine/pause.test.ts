import test from 'ava';
import {essence} from '../support/journal.ts';
import {createRig, PARTITION, second, vm} from '../support/partition.ts';
import {hexOf, recovered, rederive} from '../support/replay.ts';

const RISKY = {a: {risk: 0.9, vms: [vm('v1')]}, b: {}, c: {}};

test('an act that a pause calls off is cancelled at its agent, and a replay knows of it', async t => {
  const rig = createRig();
  const runtime = await rig.start();
  rig.agents.begin(({kind}) => (kind === 'start-migration' ? 'running' : 'done'));
  const isMoving = () => runtime.state.actors.path('vms/v1') === 'migrating.pre-copy';
  for (let count = 0; count < 60 && !isMoving(); count++) await second(rig, runtime, RISKY);
  t.true(isMoving());
  await rig.command({kind: 'pause', comment: 'a drill'});
  for (let count = 0; count < 3; count++) await second(rig, runtime, RISKY);
  t.true(rig.agents.calls.includes('cancel a'));
  t.is(runtime.state.actors.path('vms/v1'), 'at-risk.observing');
  t.deepEqual([...runtime.state.running.values()], []);
  const {log, policy, scorer} = rig;
  const recorded = {log, partition: PARTITION, policy, model: scorer.signature()};
  const again = await rederive(recorded);
  t.deepEqual(again.ticks.map(hexOf), rig.ticks.map(hexOf));
  const {state} = await recovered(recorded);
  t.deepEqual(essence(state), essence(runtime.state));
});
