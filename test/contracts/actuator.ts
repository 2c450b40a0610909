import assert from 'node:assert/strict';
import type {ExecutionContext, TestFn} from 'ava';
import type {EffectReport, IssuedEffect} from '../../core/domain/effects.ts';
import type {Actuator} from '../../core/ports.ts';

/** What a test of the contract gets. Each effect is a new one, for an agent that is there. */
export type ActuatorUnderTest = {
  actuator: Actuator;
  /** Done at once. */
  quick(): IssuedEffect;
  /** Takes a while, can be cancelled, and will succeed. */
  lengthy(): IssuedEffect;
  /** Lets that while pass. */
  pass(): void;
  /** Some effect that the agent has no driver for, if there is one. */
  unsupported?(): IssuedEffect;
};

const fence = {partition: 3, epoch: 7};

/** The cases that every {@link Actuator} that acts must pass. */
export function actuatorContract(
  test: TestFn,
  name: string,
  prepare: (t: ExecutionContext) => Promise<ActuatorUnderTest>,
): void {
  const contract = (
    title: string,
    body: (t: ExecutionContext, under: ActuatorUnderTest) => Promise<void>,
  ) => test(`${name}: ${title}`, async t => body(t, await prepare(t)));

  const query = async ({actuator}: ActuatorUnderTest, effect: IssuedEffect, id = effect.id) => {
    const [report] = await actuator.query(effect, [id]);
    assert(report !== undefined);
    return report;
  };
  const statusOf = ({status}: EffectReport) => status;

  contract('an effect that is done at once says so, and so does its repeat', async (t, under) => {
    const effect = under.quick();
    const report = await under.actuator.execute(effect, fence);
    t.is(report.status, 'done');
    t.is(report.id, effect.id);
    t.deepEqual(await under.actuator.execute(effect, fence), report);
    t.deepEqual(await query(under, effect), report);
  });

  contract('a long effect runs, then is done with what was measured', async (t, under) => {
    const effect = under.lengthy();
    t.is(statusOf(await under.actuator.execute(effect, fence)), 'running');
    t.is(statusOf(await under.actuator.execute(effect, fence)), 'running');
    t.is(statusOf(await query(under, effect)), 'running');
    under.pass();
    const report = await query(under, effect);
    t.is(report.status, 'done', report.message);
    t.true(Number.isFinite(report.figures.downtime_seconds));
    t.deepEqual(await under.actuator.execute(effect, fence), report);
  });

  contract(
    'effects are reported in the order asked; one never seen is unknown',
    async (t, under) => {
      const [first, second] = [under.quick(), under.lengthy()];
      await under.actuator.execute(first, fence);
      await under.actuator.execute({...second, agent: first.agent}, fence);
      const ids = [second.id, '3/7/9/9', first.id];
      const reports = await under.actuator.query(first, ids);
      t.deepEqual(
        reports.map(({id}) => id),
        ids,
      );
      t.deepEqual(reports.map(statusOf), ['running', 'unknown', 'done']);
    },
  );

  contract('a running effect is cancelled, and stays cancelled', async (t, under) => {
    const effect = under.lengthy();
    await under.actuator.execute(effect, fence);
    t.is(statusOf(await under.actuator.cancel(effect, effect.id, fence)), 'cancelled');
    under.pass();
    t.is(statusOf(await query(under, effect)), 'cancelled');
    t.is(statusOf(await under.actuator.execute(effect, fence)), 'cancelled');
  });

  contract('cancelling what has ended changes nothing', async (t, under) => {
    const effect = under.quick();
    await under.actuator.execute(effect, fence);
    t.is(statusOf(await under.actuator.cancel(effect, effect.id, fence)), 'done');
  });

  contract('what was cancelled before it was begun never begins', async (t, under) => {
    const effect = under.quick();
    const report = await under.actuator.cancel(effect, effect.id, fence);
    t.is(`${report.status} ${report.code}`, 'cancelled NEVER_BEGUN');
    t.deepEqual(await query(under, effect), report);
    t.deepEqual(await under.actuator.execute(effect, fence), report, 'a call that was delayed');
  });

  contract('after a newer owner has spoken, an older one is refused', async (t, under) => {
    const effect = under.quick();
    const {actuator} = under;
    await actuator.announce(effect, {partition: 3, epoch: 8});
    const stale = {code: 'STALE_EPOCH', message: /epoch 7 of partition 3.* seen 8/};
    const refusals = [
      () => actuator.announce(effect, fence),
      () => actuator.execute(effect, fence),
      () => actuator.cancel(effect, effect.id, fence),
      () => actuator.renewLease(effect, fence, 1_000),
    ];
    for (const refusal of refusals) {
      const error = await t.throwsAsync(refusal, stale);
      t.false((error as {retryable?: boolean}).retryable);
    }
    t.is(statusOf(await query(under, effect)), 'unknown');
    t.is(statusOf(await actuator.execute(effect, {partition: 3, epoch: 8})), 'done');
  });

  contract('partitions have fences of their own', async (t, under) => {
    const effect = under.quick();
    await under.actuator.announce(effect, {partition: 4, epoch: 50});
    t.is(statusOf(await under.actuator.execute(effect, fence)), 'done');
  });

  contract('an agent that is not behind the address is named', async (t, under) => {
    const elsewhere = {...under.quick(), agent: 'nobody'};
    await t.throwsAsync(() => under.actuator.execute(elsewhere, fence), {
      code: 'NOT_FOUND',
      message: /no agent "nobody"/,
    });
  });

  contract('an effect without a driver is refused and not remembered', async (t, under) => {
    const effect = under.unsupported?.();
    if (effect === undefined) {
      t.pass('this agent can do everything');
      return;
    }
    await t.throwsAsync(() => under.actuator.execute(effect, fence), {
      code: 'EFFECT_UNSUPPORTED',
      message: /no driver for/,
    });
    t.is(statusOf(await query(under, effect)), 'unknown');
  });

  contract('once closed it reaches nobody', async (t, under) => {
    await under.actuator.close();
    await t.throwsAsync(() => under.actuator.query(under.quick(), ['3/7/0/0']), {
      code: 'AGENT_UNREACHABLE',
    });
  });
}
