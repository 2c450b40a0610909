import {hostName, vmName} from '../domain/telemetry.ts';
import {resource} from './actor-row.ts';
import {bandRow, isAtRisk, type PartitionState} from './partition-state.ts';
import {send, type TickDraft} from './tick-draft.ts';

/**
 * A VM shares its host's risk: it hears when it comes to be on a risky host, or on a safe one. Only
 * VMs are looked at that heard something since the last time, or whose host did: a host hears each
 * change of its band, so that for all others nothing is new.
 */
export function spreadRisk(draft: TickDraft): void {
  for (const name of candidates(draft.state)) spreadTo(draft, name);
}

/** By name. */
function candidates({actors}: PartitionState): string[] {
  const touched = actors.takeTouched();
  if (touched.size === 0) return [];
  const vms = new Set<string>();
  for (const actor of touched) {
    const host = hostName(actor);
    if (host === undefined) vms.add(vmName(actor) as string);
    else for (const vm of actors.vmsAt(host)) vms.add(vm);
  }
  return [...vms].sort();
}

function spreadTo(draft: TickDraft, name: string): void {
  const {state} = draft;
  const id = resource('vm', name);
  const actor = state.actors.vm(name);
  const host = actor && state.hosts.get(actor.context.host);
  if (actor === undefined || host === undefined) return;
  const path = actor.state;
  const risky = isAtRisk(state, host);
  const found = bandRow(state, host);
  const risk = found === undefined ? 0 : (found.table.bands.risk[found.row] as number);
  if (risky && path === 'normal') {
    send(draft, id, {type: 'risk.raised', atMs: state.timeMs, risk, host: host.name});
  } else if (!risky && path.startsWith('at-risk') && !state.actors.suspected.has(host.name)) {
    send(draft, id, {type: 'risk.cleared', atMs: state.timeMs, risk});
  }
}
