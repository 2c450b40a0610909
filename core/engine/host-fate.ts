import type {Component} from '../domain/components.ts';
import {vmName} from '../domain/telemetry.ts';
import {clearUsage} from '../domain/usage.ts';
import {resource} from './actor-row.ts';
import {hostBlamed, hostLost, hostReturned} from './host-outcomes.ts';
import {bandRow, type HostEntry, type PartitionState, type VmEntry} from './partition-state.ts';
import {clearSamples} from './set-table.ts';
import {send, type TickDraft} from './tick-draft.ts';

/**
 * A host is proven gone: it was fenced, an operator said so, or its lease ran out. Every VM that
 * lived there, or had its ghost or its target there, hears it.
 */
export function declareLost(
  draft: TickDraft,
  host: HostEntry,
  proof: 'fence' | 'operator' | 'lease',
  {askedAtMs = draft.state.timeMs, part = ''}: {askedAtMs?: number; part?: Component | ''} = {},
): void {
  const {state} = draft;
  const context = state.actors.hostContext(host.name);
  if (context === undefined || context.lost) return;
  hostLost(draft, host, proof, part);
  host.lostBootId = host.facts?.bootId ?? '';
  host.lostAtMs = askedAtMs;
  // It started anew while it was fenced: nobody knows which of its lives the fence has ended.
  if (host.bootAtMs > askedAtMs) host.returnsAfterMs = state.timeMs;
  send(draft, resource('host', host.name), {type: 'host.lost', atMs: state.timeMs, proof});
  for (const name of state.actors.vmsAt(host.name)) {
    tellArrival(draft, host, name);
    loseVm(draft, host, name);
  }
}

/** What a VM had on a host is gone: it ran there, or its ghost or its target was there. */
export function loseVm(draft: TickDraft, host: HostEntry, name: string): void {
  const {timeMs: atMs} = draft.state;
  send(draft, resource('vm', name), {type: 'host.lost', atMs, host: host.name});
}

/**
 * A host started anew, and nobody had declared it lost: no ghost outlives that, and a VM that is
 * believed to be protected is not. Retired, not only forgotten, as one may be armed there since.
 */
export function giveUpGhosts(draft: TickDraft, host: HostEntry): void {
  const {state} = draft;
  for (const name of state.actors.vmsAt(host.name)) {
    if (state.actors.vmContext(name)?.ghostHost !== host.name) continue;
    send(draft, resource('vm', name), {type: 'retire-ghost.chosen', atMs: state.timeMs});
  }
}

/**
 * A VM that was on its way when its host was lost may have arrived: who saw it last knows, although
 * nobody asked while the move was under way.
 */
function tellArrival(draft: TickDraft, lost: HostEntry, name: string): void {
  const {state} = draft;
  const vm = state.vms.get(name);
  if (vm === undefined || state.actors.vmContext(name)?.host !== lost.name) return;
  const seenOn = seenElsewhere(state, vm, lost);
  if (seenOn === undefined) return;
  const {timeMs: atMs} = state;
  send(draft, resource('vm', name), {type: 'placement.observed', atMs, host: seenOn.name});
}

/** The host that was the last to name a VM, in the life that it has now, if it is another one. */
export function seenElsewhere(
  state: PartitionState,
  vm: VmEntry,
  than: HostEntry,
): HostEntry | undefined {
  if (vm.seenAtMs < vm.movedAtMs) return undefined; // it was seen before it moved to where it is
  const seenOn = state.hosts.get(vm.seenOn);
  if (seenOn === undefined || seenOn === than || !isOfThisLife(vm, seenOn)) return undefined;
  return state.actors.hostContext(vm.seenOn)?.lost === false ? seenOn : undefined;
}

/**
 * A VM that is taken for down may have been seen since: its host came back and started it while a
 * restart elsewhere was under way, which explained all that was seen.
 */
export function findDownVms(draft: TickDraft): void {
  const {state} = draft;
  const {actors, timeMs: atMs} = state;
  for (const id of [...actors.troubled].filter(id => isDown(actors.path(id))).sort()) {
    const name = vmName(id) ?? '';
    const vm = state.vms.get(name);
    const host = state.hosts.get(vm?.seenOn ?? '');
    if (vm === undefined || host === undefined || !isOfThisLife(vm, host)) continue;
    if (vm.seenAtMs <= (actors.vmContext(name)?.enteredAtMs ?? atMs)) continue;
    if (actors.hostContext(host.name)?.lost !== false) continue;
    send(draft, id, {type: 'placement.observed', atMs, host: host.name});
  }
}

/** Whether a VM is known to run nowhere. */
export function isDown(path: string | undefined): boolean {
  return path === 'recovering.awaiting-restart';
}

/** Whether a VM was seen on a host since that one started; what ran before is gone. */
function isOfThisLife({seenAtMs}: VmEntry, {bootAtMs, lostAtMs = 0}: HostEntry): boolean {
  return seenAtMs >= bootAtMs && seenAtMs >= lostAtMs;
}

/** An operator's word: that a host is gone, or back, and which of its parts has failed. */
export function takeDeclaration(
  draft: TickDraft,
  host: HostEntry,
  {state: said, part}: {state: 'lost' | 'returned'; part?: Component},
): void {
  const isLost = draft.state.actors.hostContext(host.name)?.lost === true;
  if (said === 'lost' && !isLost) {
    declareLost(draft, host, 'operator', part === undefined ? {} : {part});
    return;
  }
  if (part !== undefined) hostBlamed(draft, host, said, part);
  if (said === 'returned') declareReturned(draft, host);
}

/** It started anew, or an operator says that it is back. */
export function declareReturned(draft: TickDraft, host: HostEntry): void {
  const {state} = draft;
  if (!state.actors.hostContext(host.name)?.lost) return;
  hostReturned(draft, host);
  host.lostBootId = '';
  delete host.returnsAfterMs;
  forgetFormerLife(draft, host);
  send(draft, resource('host', host.name), {type: 'host.returned', atMs: state.timeMs});
}

/** A host that was repaired is not judged by what its old parts did. */
function forgetFormerLife({state}: TickDraft, host: HostEntry): void {
  const found = bandRow(state, host);
  if (found === undefined) return;
  clearSamples(found.table, found.row);
  clearUsage(found.table.usage, found.row);
}
