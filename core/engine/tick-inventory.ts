import type {VmContext} from '../../statecharts/events.ts';
import type {Inventory, InventoryHost, InventoryVm} from '../domain/telemetry.ts';
import {resource} from './actor-row.ts';
import {declareReturned, giveUpGhosts, isDown} from './host-fate.ts';
import {hostRestarted} from './host-outcomes.ts';
import {takeMissing} from './missing-vms.ts';
import {isOldNews, knownAtMs} from './old-news.ts';
import type {HostEntry, PartitionState} from './partition-state.ts';
import {isSameInventory} from './same-inventory.ts';
import {send, type TickDraft} from './tick-draft.ts';

/** The host's entry; an actor for one that is new. */
export function ensureHost(draft: TickDraft, cell: string, name: string): HostEntry {
  const {state} = draft;
  const known = state.hosts.get(name);
  if (known !== undefined) return known;
  const entry: HostEntry = {
    name,
    cell,
    facts: undefined,
    table: '',
    row: -1,
    heardAtMs: state.timeMs,
    toldAtMs: 0,
    bootAtMs: 0,
    lostBootId: '',
    failedAtMs: 0,
    clearedAtMs: 0,
    frozen: false,
  };
  state.hosts.set(name, entry);
  state.actors.start('host', name);
  return entry;
}

/** What is known of a host that no inventory has named: it is watched, never acted upon. */
export function namedOnly(host: string): InventoryHost {
  return {
    host,
    rack: '',
    cpuCores: 0,
    memoryBytes: 0,
    actuatorAddress: '',
    capabilities: [],
    migrationBytesPerSecond: 0,
    vms: [],
    bootId: '',
    observeOnly: false,
    hardware: '',
  };
}

/** Something came from a host: it is not silent. */
export function hear(draft: TickDraft, host: HostEntry): void {
  host.heardAtMs = draft.state.timeMs;
  if (!draft.state.actors.suspected.has(host.name)) return;
  send(draft, resource('host', host.name), {type: 'host.heard', atMs: draft.state.timeMs});
}

/**
 * What an edge stands for: facts of hosts, and where VMs are.
 *
 * @param madeAtMs By the edge's clock. What its spool has kept from before a loss is no sign of life.
 */
export function takeInventory(
  draft: TickDraft,
  cell: string,
  inventory: Inventory,
  madeAtMs: number,
): void {
  for (const facts of inventory.hosts) {
    const host = ensureHost(draft, cell, facts.host);
    if (isOldNews(draft.state, madeAtMs, host.lostAtMs ?? 0)) continue;
    const before = host.facts;
    host.facts = facts;
    host.toldAtMs = Math.min(madeAtMs, draft.state.timeMs);
    if (before !== undefined && before.bootId !== facts.bootId) {
      host.bootAtMs = host.toldAtMs;
      if (host.lostBootId === '') hostRestarted(draft, host);
      giveUpGhosts(draft, host);
    }
    if (before === undefined || !isSameInventory(before, facts)) draft.inventory.push(facts);
    if (showsReturn(host, facts, madeAtMs)) declareReturned(draft, host);
    // What was on its way when the host was proven lost says nothing of where its VMs are.
    if (draft.state.actors.hostContext(host.name)?.lost) continue;
    for (const vm of facts.vms) placeVm(draft, cell, host, vm, madeAtMs);
    takeMissing(draft, host, facts, madeAtMs);
  }
}

/** Another boot than the one that was lost; or life after a fence that may have come too early. */
function showsReturn(host: HostEntry, {bootId}: InventoryHost, madeAtMs: number): boolean {
  const {lostBootId, returnsAfterMs = Number.POSITIVE_INFINITY} = host;
  return lostBootId !== '' && (bootId !== lostBootId || madeAtMs > returnsAfterMs);
}

function placeVm(
  draft: TickDraft,
  cell: string,
  host: HostEntry,
  facts: InventoryVm,
  madeAtMs: number,
): void {
  const {state} = draft;
  const name = facts.vm;
  const entry = state.vms.get(name);
  const seenAtMs = Math.min(madeAtMs, state.timeMs);
  if (entry === undefined) {
    state.vms.set(name, {
      name,
      cell,
      facts,
      ...sampledAt(state, resource('vm', name)),
      movedAtMs: 0,
      seenAtMs,
      seenOn: host.name,
      failedAtMs: 0,
      dirtiedBytesPerSecond: Number.NaN,
      missing: 0,
      missingSinceMs: 0,
    });
    state.actors.start('vm', name, undefined, host.name);
    return;
  }
  if (isOldNews(state, madeAtMs, knownAtMs(entry))) return;
  entry.seenAtMs = seenAtMs;
  entry.seenOn = host.name;
  entry.facts = facts;
  entry.missing = 0;
  const id = resource('vm', name);
  const context = state.actors.vmContext(name);
  if (context === undefined) return;
  const news = tellsSomething(context, host.name, state.running.isVmBusy(name));
  if (!news && !isDown(state.actors.path(id))) return;
  send(draft, id, {
    type: 'placement.observed',
    atMs: state.timeMs,
    host: host.name,
  });
}

/** Where samples of a VM are that came before anybody said where it runs. */
function sampledAt({tables}: PartitionState, entity: string): {table: string; row: number} {
  for (const {set, rows} of tables.values()) {
    const row = rows.get(entity);
    if (row !== undefined) return {table: set.name, row};
  }
  return {table: '', row: -1};
}

/**
 * Whether seeing a VM on a host is news to its actor. An act under way explains what is seen; one
 * that was given up on does not: where the VM turns up settles it.
 */
function tellsSomething(context: VmContext, host: string, busy: boolean): boolean {
  const open = context.unresolved !== '';
  if (context.host === host) return open && !busy;
  return open || !busy;
}

/** Hosts from which nothing has come for too long are suspected; suspicion is not proof. */
export function noticeSilence(draft: TickDraft): void {
  const {state} = draft;
  const heardMs = state.timeMs - state.policy.silence.staleAfterMs;
  const silent: string[] = [];
  for (const {name, heardAtMs} of state.hosts.values()) if (heardAtMs <= heardMs) silent.push(name);
  for (const name of silent.sort()) {
    const context = state.actors.hostContext(name);
    if (context === undefined || context.suspected || context.lost) continue;
    send(draft, resource('host', name), {type: 'host.suspected', atMs: state.timeMs});
  }
}
