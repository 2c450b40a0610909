/**
 * Hosts that are gone for good: what is kept of each in its cell's layer and in the proof of prediction is
 * bounded, and who replaces machines for years would run out of it. A host that comes back later is a
 * new one there; its place in the fleet it never lost.
 */
import {forgetPlace} from '../domain/cell-layer.ts';
import {DAY_MS} from '../domain/outage-history.ts';
import {forgetHost} from '../domain/skill/skill-state.ts';
import type {HostEntry, PartitionState} from './partition-state.ts';

const GONE_AFTER_MS = 30 * DAY_MS;

/** Whether nothing was heard of a host for thirty days, on the time of the ticks. */
export function isGone({timeMs}: PartitionState, {heardAtMs}: HostEntry): boolean {
  return timeMs - heardAtMs >= GONE_AFTER_MS;
}

/**
 * Forgets what its cell keeps of hosts that are gone. O(hosts).
 *
 * @param passedMs Since it was asked before. After a day without ticks nobody was heard as nobody
 *   listened: hosts have until the next time to be heard.
 */
export function forgetGone(state: PartitionState, passedMs: number): void {
  if (passedMs >= DAY_MS) return;
  for (const host of state.hosts.values()) {
    if (!isGone(state, host)) continue;
    const layer = state.layers.get(host.cell);
    const skill = state.skills.get(host.cell);
    if (layer !== undefined) forgetPlace(layer, host.name);
    if (skill !== undefined) forgetHost(skill, host.name);
  }
}
