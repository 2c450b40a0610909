import type {EffectReport, IssuedEffect} from '../../core/domain/effects.ts';
import type {Driver} from '../../edge/actuator/driver.ts';

/** A driver whose migrations run until they are told to end; cordons are done at once. */
export type StepDriver = Driver & {
  /** Ends everything that runs. */
  finish(status?: 'done' | 'failed'): void;
  /** How often an effect was begun. */
  begun(id: string): number;
  /** Forgets everything, as a driver that was started anew. */
  forget(): void;
  /** Agents whose VMs were stopped. */
  readonly stopped: readonly string[];
};

export function stepDriver(): StepDriver {
  const reports = new Map<string, EffectReport>();
  const starts = new Map<string, number>();
  const stopped: string[] = [];
  const find = (id: string): EffectReport =>
    reports.get(id) ?? {id, status: 'unknown', code: '', message: '', progress: 0, figures: {}};
  return {
    stopped,
    capabilities: () => ['cordon-host', 'start-migration', 'restart-vm'],
    start({id, kind, vm}: IssuedEffect) {
      starts.set(id, (starts.get(id) ?? 0) + 1);
      if (vm === 'cursed') throw new Error('the socket is gone');
      const status = kind === 'cordon-host' ? 'done' : 'running';
      reports.set(id, {...find(id), status, progress: status === 'done' ? 1 : 0.25});
      return find(id);
    },
    progress: id => find(id),
    cancel(id) {
      reports.set(id, {...find(id), status: 'cancelled', message: 'source kept running'});
      return find(id);
    },
    async stopVms(agent) {
      stopped.push(agent);
    },
    finish(status = 'done') {
      for (const report of reports.values()) {
        if (report.status !== 'running') continue;
        const figures = {downtime_seconds: 0.25, transferred_bytes: 2 ** 33};
        reports.set(report.id, {...report, status, progress: 1, figures});
      }
    },
    begun: id => starts.get(id) ?? 0,
    forget: () => reports.clear(),
  };
}

let issued = 0;

/** An effect with an id of its own. */
export function issue(fields: Partial<IssuedEffect> = {}): IssuedEffect {
  return {
    id: `3/7/1/${issued++}`,
    kind: 'start-migration',
    host: 'h1',
    vm: 'v1',
    targetHost: 'h2',
    weightPercent: 0,
    deadlineMs: 1_800_000_000_000,
    agent: 'h1',
    address: '',
    ...fields,
  };
}
