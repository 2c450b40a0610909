/** People who look after the simulated hosts: they find out what broke and tell the core. */
import type {Component} from '../core/domain/components.ts';
import type {Datacenter} from '../core/simulation/datacenter.ts';
import type {Outage} from '../core/simulation/world.ts';

/** What somebody found out: the part that a host failed of. */
export type Finding = {
  readonly host: string;
  readonly part: Component;
  /** Whether the host runs again. */
  readonly isBack: boolean;
};

/** Gives, whenever it is asked, failures that staff has come to know of since, `afterMs` after each. */
export function createStaff(
  datacenter: Datacenter,
  afterMs: number,
): (nowMs: number) => readonly Finding[] {
  const known = new Set<Outage>();
  return nowMs =>
    datacenter.hosts.flatMap(({name: host, outages}) =>
      outages.flatMap(outage => {
        const {cause, component: part, fromMs} = outage;
        const isNew = cause === 'failed' && !known.has(outage) && nowMs >= fromMs + afterMs;
        if (!isNew || part === undefined) return [];
        known.add(outage);
        return [{host, part, isBack: datacenter.isReporting(host)}];
      }),
    );
}
