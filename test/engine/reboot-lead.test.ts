/** When a reboot comes: from what agents say to what is decided, and the same in a replay. */
import test from 'ava';
import {essence, ticksOf} from '../support/journal.ts';
import {createRig, PARTITION, type Rig, second, vm} from '../support/partition.ts';
import {hexOf, recovered, rederive} from '../support/replay.ts';

const big = {memoryBytes: 40 * 2 ** 30, criticality: 1};

async function decided(
  rig: Rig,
  said: {reboot: number; rebootSoon?: number; dueInSeconds?: number},
) {
  const runtime = await rig.start();
  for (let count = 0; count < 4; count++) {
    const {dueInSeconds = Number.NaN} = said;
    const word = {...said, dueInSeconds: dueInSeconds - count};
    await second(rig, runtime, {a: {...word, vms: [vm('v1', big)]}, b: {}});
  }
  const decision = rig.ticks
    .flatMap(tick => tick.decisions)
    .find(({entity}) => entity === 'vms/v1');
  return {runtime, decision};
}

test('a decision says when the reboot is expected, as the agent’s horizons have it', async t => {
  const rig = createRig();
  const {decision} = await decided(rig, {reboot: 0.9, rebootSoon: 0.9});
  t.is(decision?.action, 'migrate');
  t.is(decision?.expectedInSeconds, 150, 'half of five minutes');
  t.regex(decision?.because ?? '', /^risk 90 % on a, expected in 2\.5 min: migrate gains/);
});

test('a VM that cannot be copied before a scheduled shutdown stays where it is', async t => {
  const soon = await decided(createRig(), {reboot: 0.9, rebootSoon: 0.9, dueInSeconds: 30});
  t.is(soon.decision?.action, 'none');
  const later = await decided(createRig(), {reboot: 0.9, rebootSoon: 0.9, dueInSeconds: 240});
  t.is(later.decision?.action, 'migrate');
  t.regex(later.decision?.because ?? '', /announced, due in 4 min|announced, due in 3\.9/);
});

test('cuts and risks that were recorded give the same decisions again', async t => {
  const rig = createRig();
  const {runtime} = await decided(rig, {reboot: 0.9, rebootSoon: 0.9, dueInSeconds: 240});
  await runtime.stop();
  const {log, policy} = rig;
  const recorded = {log, policy, partition: PARTITION, model: rig.scorer.signature()};
  const lived = await ticksOf(log, PARTITION);
  t.true(
    lived.some(({decisions}) => decisions.some(({expectedInSeconds = 0}) => expectedInSeconds > 0)),
  );
  const {ticks, state} = await rederive(recorded);
  t.deepEqual(ticks.map(hexOf), lived.map(hexOf));
  t.deepEqual(essence(state), essence(runtime.state));
  t.deepEqual(essence((await recovered(recorded)).state), essence(runtime.state));
});
