import {setImmediate as turn} from 'node:timers/promises';
import test from 'ava';
import {faultyLog} from '../support/faulty-log.ts';
import {createRig, vm} from '../support/partition.ts';

test('a poll does not begin what a tick decided before that tick is durable', async t => {
  const faulty = faultyLog();
  const rig = createRig({log: faulty.log});
  const runtime = await rig.start();
  rig.agents.begin(() => 'running');
  const durable = Promise.withResolvers<void>();
  faulty.intrude(async topic => {
    if (topic === 'journal' && runtime.state.running.size > 0) await durable.promise;
  });
  let stepping: Promise<void> | undefined;
  for (let seconds = 0; runtime.state.running.size === 0 && seconds < 60; seconds++) {
    await stepping;
    rig.pass();
    for (const host of ['a', 'b', 'c']) {
      await rig.send(host, host === 'a' ? 0.9 : 0, host === 'a' ? {vms: [vm('v1')]} : {});
    }
    stepping = runtime.step(rig.clock.nowMs());
    for (let turns = 0; turns < 5; turns++) await turn();
  }
  t.true(runtime.state.running.size > 0, 'something was decided');
  await runtime.executor.poll();
  t.deepEqual(rig.agents.executed, []);
  durable.resolve();
  await stepping;
  t.true(rig.agents.executed.length > 0);
});
