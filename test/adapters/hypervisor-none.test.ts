import test from 'ava';
import {createNoActuator} from '../../core/adapters/hypervisor-none.ts';
import {issue} from '../support/step-driver.ts';

test('a core without a hypervisor refuses every act and says why', async t => {
  const actuator = createNoActuator();
  const effect = issue();
  const fence = {partition: 3, epoch: 7};
  const calls = [
    () => actuator.announce(effect, fence),
    () => actuator.execute(effect, fence),
    () => actuator.query(effect, [effect.id]),
    () => actuator.cancel(effect, effect.id, fence),
    () => actuator.renewLease(effect, fence, 1_000),
  ];
  for (const call of calls) {
    const error = await t.throwsAsync(call, {
      code: 'EFFECT_UNSUPPORTED',
      message: /hypervisor none/,
    });
    t.false((error as {retryable?: boolean}).retryable);
  }
  await t.notThrowsAsync(() => actuator.close());
});
