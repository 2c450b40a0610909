import {
  type EffectReport,
  type EffectStatus,
  type IssuedEffect,
  NEVER_BEGUN,
} from '../../core/domain/effects.ts';
import {ForestayError} from '../../core/domain/errors.ts';
import type {Actuator, AgentAddress, Fence} from '../../core/ports.ts';

/** Agents of all hosts in one: they keep effects and epochs, and answer as they are told to. */
export function createFakeAgents() {
  const effects = new Map<string, {report: EffectReport}>();
  const epochs = new Map<string, number>();
  const unreachable = new Set<string>();
  const calls: string[] = [];
  const executed: IssuedEffect[] = [];
  let statusOf: (effect: IssuedEffect) => EffectStatus = () => 'running';
  let whenCalled: () => Promise<void> = async () => {};

  const reach = async (to: AgentAddress, call: string): Promise<void> => {
    calls.push(`${call} ${to.agent}`);
    await whenCalled();
    if (!unreachable.has(to.agent)) return;
    throw new ForestayError('AGENT_UNREACHABLE', `${to.agent} does not answer`, {retryable: true});
  };
  const admit = (to: AgentAddress, {epoch}: Fence): void => {
    if (epoch < (epochs.get(to.agent) ?? 0)) {
      throw new ForestayError('STALE_EPOCH', `${to.agent} has seen a higher epoch than ${epoch}`);
    }
    epochs.set(to.agent, epoch);
  };
  const reportOf = (id: string): EffectReport => effects.get(id)?.report ?? blank(id, 'unknown');

  const actuator: Actuator = {
    async announce(to, fence) {
      await reach(to, 'announce');
      admit(to, fence);
    },
    async execute(effect, fence) {
      await reach(effect, `execute ${effect.kind}`);
      admit(effect, fence);
      if (!effects.has(effect.id)) {
        executed.push(effect);
        effects.set(effect.id, {report: blank(effect.id, statusOf(effect))});
      }
      return reportOf(effect.id);
    },
    async query(to, ids) {
      await reach(to, 'query');
      return ids.map(reportOf);
    },
    async cancel(to, id, fence) {
      await reach(to, 'cancel');
      admit(to, fence);
      const known = effects.get(id);
      if (known?.report.status === 'running') known.report = blank(id, 'cancelled');
      if (known === undefined) {
        effects.set(id, {report: {...blank(id, 'cancelled'), code: NEVER_BEGUN}});
      }
      return reportOf(id);
    },
    async renewLease(to, fence) {
      await reach(to, 'renew');
      admit(to, fence);
    },
    close: async () => {},
  };

  return {
    actuator,
    calls,
    executed,
    epochs,
    unreachable,
    /** Status with which an effect begins; `running` unless told otherwise. */
    begin(with_: (effect: IssuedEffect) => EffectStatus): void {
      statusOf = with_;
    },
    /** Awaited before every answer. */
    before(wait: () => Promise<void>): void {
      whenCalled = wait;
    },
    finish(id: string, status: EffectStatus = 'done'): void {
      const known = effects.get(id);
      if (known !== undefined) known.report = blank(id, status);
    },
    finishAll(status: EffectStatus = 'done'): void {
      for (const [id, {report}] of effects)
        if (report.status === 'running') this.finish(id, status);
    },
    forget(id: string): void {
      effects.delete(id);
    },
  };
}

function blank(id: string, status: EffectStatus): EffectReport {
  return {id, status, code: '', message: '', progress: 0, figures: {}};
}
