import {type EffectReport, type IssuedEffect, NEVER_BEGUN} from '../../core/domain/effects.ts';
import {ForestayError} from '../../core/domain/errors.ts';
import type {Clock} from '../ports.ts';
import type {Driver} from './driver.ts';
import {type EffectTable, running} from './effect-table.ts';
import {createLease} from './lease.ts';

/** Who asks: the epoch of the partition's owner. */
export type Fence = {partition: number; epoch: number};

/**
 * Carries out effects on one agent's host, each id once, whatever is repeated, and only for the
 * newest owner. All calls are taken in order.
 *
 * Errors: `STALE_EPOCH`; `EFFECT_UNSUPPORTED`; `EFFECT_PRECONDITION` if it comes after its deadline or its id is
 * another effect's; `AGENT_UNREACHABLE` (retryable) if too many calls wait.
 */
export type Actuator = {
  /** From now on lower epochs of this partition are refused. Gives the highest one. */
  announce(fence: Fence): Promise<number>;
  /** Begins an effect; one that is known is answered with what is known of it. */
  execute(effect: IssuedEffect, fence: Fence): Promise<EffectReport>;
  /** In the order asked; ids never seen are `unknown`. */
  query(ids: readonly string[]): Promise<readonly EffectReport[]>;
  /** An id never seen is kept as `cancelled`, so that a late {@link Actuator.execute} begins nothing. */
  cancel(id: string, fence: Fence): Promise<EffectReport>;
  /** Without another renewal in time, the VMs of this host are stopped. */
  renewLease(fence: Fence, leaseMs: number): Promise<void>;
  close(): Promise<void>;
};

export type ActuatorOptions = {
  /** Host name, `power` or `balancer`. */
  agent: string;
  driver: Driver;
  table: EffectTable;
  clock: Clock;
};

const waitingMax = 256;

/** Hosts' clocks differ a little; a call that was on its way for longer is not begun any more. */
const lateMsMax = 60_000;

export function createActuator({agent, driver, table, clock}: ActuatorOptions): Actuator {
  const inOrder = createTurns(agent);
  const lease = createLease(clock, async () => driver.stopVms?.(agent, clock.nowMs()));

  const admit = async ({partition, epoch}: Fence): Promise<void> => {
    const highest = table.highestEpoch(partition);
    if (epoch < highest) throw staleEpoch(agent, partition, epoch, highest);
    await table.raiseEpoch(partition, epoch);
  };

  /** Takes what the driver says into the table; its first final word stays. */
  const settle = async (id: string, say: () => EffectReport | Promise<EffectReport>) => {
    const report = honest(id, await attempt(id, say));
    if (report.status !== 'running') await table.end(report);
    return report;
  };

  /** Durable, for what was sent before may arrive after. */
  const refuseForGood = async (id: string): Promise<EffectReport> => {
    const message = 'cancelled before it was begun';
    const report: EffectReport = {...running(id), status: 'cancelled', code: NEVER_BEGUN, message};
    await table.end(report);
    return report;
  };

  const look = async (id: string): Promise<EffectReport> => {
    const known = table.find(id);
    if (known === undefined) return {...running(id), status: 'unknown'};
    if (known.report.status !== 'running') return known.report;
    return await settle(id, () => driver.progress(id, clock.nowMs()));
  };

  return {
    announce: fence =>
      inOrder(async () => {
        await admit(fence);
        return table.highestEpoch(fence.partition);
      }),
    execute: (effect, fence) =>
      inOrder(async () => {
        await admit(fence);
        const known = table.find(effect.id);
        if (known !== undefined) {
          requireSame(agent, effect, known.effect);
          return await look(effect.id);
        }
        if (clock.nowMs() > effect.deadlineMs + lateMsMax) throw late(agent, effect, clock.nowMs());
        if (!driver.capabilities().includes(effect.kind)) throw unsupported(agent, effect);
        await table.begin(effect);
        return await settle(effect.id, () => driver.start(effect, clock.nowMs()));
      }),
    query: ids =>
      inOrder(async () => {
        const reports: EffectReport[] = [];
        for (const id of ids) reports.push(await look(id));
        return reports;
      }),
    cancel: (id, fence) =>
      inOrder(async () => {
        await admit(fence);
        const report = await look(id);
        if (report.status === 'unknown') return await refuseForGood(id);
        if (report.status !== 'running') return report;
        return await settle(id, () => driver.cancel(id, clock.nowMs()));
      }),
    renewLease: (fence, leaseMs) =>
      inOrder(async () => {
        await admit(fence);
        lease.renew(leaseMs);
      }),
    async close() {
      lease.stop();
      await inOrder(async () => table.close());
    },
  };
}

/** The result of one act must not be told of another: a log that begins anew gives ids again. */
function requireSame(agent: string, effect: IssuedEffect, known: IssuedEffect | undefined): void {
  if (known === undefined || actOf(effect) === actOf(known)) return;
  throw new ForestayError(
    'EFFECT_PRECONDITION',
    `effect ${effect.id}, ${actOf(effect)}, was asked of ${agent}, which knows this id as ${actOf(known)}; nothing was ` +
      'begun: cores with another log ask the same agents, or a journal began anew',
    {details: {agent, id: effect.id}},
  );
}

function actOf({kind, vm, host, targetHost, weightPercent}: IssuedEffect): string {
  const weight = kind === 'shift-traffic' ? `${weightPercent} %` : '';
  return [kind, vm, host, targetHost, weight].filter(word => word !== '').join(' ');
}

function late(agent: string, {id, deadlineMs}: IssuedEffect, nowMs: number): ForestayError {
  const lateSeconds = Math.round((nowMs - deadlineMs) / 1000);
  return new ForestayError(
    'EFFECT_PRECONDITION',
    `effect ${id} came to ${agent} ${lateSeconds} s after its deadline, nothing was begun; ` +
      "if it was just issued, this host's clock is wrong",
    {details: {agent, id, lateSeconds}},
  );
}

/** A driver that throws has a defect; the effect is over all the same. */
async function attempt(
  id: string,
  say: () => EffectReport | Promise<EffectReport>,
): Promise<EffectReport> {
  try {
    return await say();
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return {...running(id), status: 'failed', code: 'DRIVER_FAILED', message};
  }
}

/** An effect was begun, so `unknown`, which means never begun, would be a lie. */
function honest(id: string, report: EffectReport): EffectReport {
  if (report.status !== 'unknown') return report;
  const message = 'it was begun before the driver started anew, which knows nothing of it';
  return {...running(id), status: 'failed', code: 'OUTCOME_LOST', message};
}

/** Runs one call after the other; more than a bound are not kept waiting. */
function createTurns(agent: string): <T>(call: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  let waiting = 0;
  return async call => {
    if (waiting >= waitingMax) throw busy(agent);
    waiting++;
    const turn = last.then(call).finally(() => {
      waiting--;
    });
    last = turn.catch(() => {});
    return await turn;
  };
}

function busy(agent: string): ForestayError {
  return new ForestayError(
    'AGENT_UNREACHABLE',
    `agent ${agent} has ${waitingMax} calls waiting, the most it keeps; ask again later`,
    {retryable: true, details: {agent, waitingMax}},
  );
}

function staleEpoch(
  agent: string,
  partition: number,
  epoch: number,
  highest: number,
): ForestayError {
  return new ForestayError(
    'STALE_EPOCH',
    `agent ${agent} refused epoch ${epoch} of partition ${partition}: it has seen ${highest}; ` +
      'another core owns the partition now',
    {details: {agent, partition, epoch, highest}},
  );
}

function unsupported(agent: string, {kind, id}: IssuedEffect): ForestayError {
  return new ForestayError(
    'EFFECT_UNSUPPORTED',
    `agent ${agent} has no driver for ${kind} (effect ${id}); give it one, or do not plan it`,
    {details: {agent, kind, id}},
  );
}
