/**
 * All actors of a partition, by resource name (`hosts/h01`, `vms/v17`).
 *
 * A1 An actor moves only through {@link ActorDirectory.send}, so every move is seen and numbered.
 * A2 Effects that it emits are collected in emission order.
 * A3 An actor that throws, or was stored in a state that this version does not know, is quarantined:
 *    it is kept as it was and hears nothing more.
 * A4 Where VMs are is indexed by host, and follows every start, event and removal.
 */

import {background, type RunningActor, startActor} from '../../statecharts/actor.ts';
import type {HostContext, HostEvent, VmContext, VmEvent} from '../../statecharts/events.ts';
import {machines} from '../../statecharts/registry.ts';
import type {Effect, EffectKind} from '../domain/effects.ts';
import {ForestayError, isForestayError} from '../domain/errors.ts';

export type ActorKind = 'host' | 'vm';

export type StoredActor = {
  id: string;
  kind: ActorKind;
  machineVersion: number;
  seq: number;
  state: string;
  context: string;
  quarantined: string;
};

export type Move = {
  actor: string;
  kind: ActorKind;
  seq: number;
  from: string;
  to: string;
  context: string;
};

type Entry = {
  kind: ActorKind;
  actor: RunningActor;
  seq: number;
  quarantined: string;
  /** Hosts under which a VM is indexed. */
  places: readonly string[];
  /** As it stands: made again only when it heard something. */
  at: {state: string; context: string};
  /** Of `at`; absent: the present one. */
  machineVersion?: number;
};

export class ActorDirectory {
  readonly #actors = new Map<string, Entry>();
  /** Names of the VMs that live on a host, or have their ghost or their target there. */
  readonly #vmsAt = new Map<string, Set<string>>();
  #emitted: Effect[] = [];

  has(id: string): boolean {
    return this.#actors.has(id);
  }

  /** Starts an actor in its initial state, or in the stored one. */
  start(kind: ActorKind, name: string, stored?: StoredActor, host = ''): void {
    const id = resource(kind, name);
    this.#place(id, []);
    const onEffect = (effect: Effect) => this.#emitted.push(effect);
    try {
      const actor = startActor(kind, name, onEffect, {...restoredFrom(stored), host});
      const {seq, quarantined} = stored ?? {seq: 0, quarantined: ''};
      this.#actors.set(id, {kind, actor, at: actor.serialise(), seq, quarantined, places: []});
    } catch (error) {
      if (stored === undefined || !isForestayError(error, 'ACTOR_QUARANTINED')) throw error;
      this.#actors.set(id, parked(kind, name, stored));
    }
    this.#place(id);
  }

  remove(id: string): void {
    this.#place(id, []);
    this.#actors.get(id)?.actor.stop();
    this.#actors.delete(id);
  }

  /**
   * Sends an event; gives the move, if the actor's state or context changed, and what it emitted.
   * An actor that fails is quarantined and the error given back.
   */
  send(
    id: string,
    event: HostEvent | VmEvent,
  ): {move?: Move; effects: readonly Effect[]; error?: ForestayError} {
    const entry = this.#actors.get(id);
    if (entry === undefined || entry.quarantined !== '') return {effects: []};
    const before = entry.at;
    this.#emitted = [];
    try {
      entry.actor.send(event);
    } catch (error) {
      return {effects: [], error: this.#quarantine(id, entry, event.type, error)};
    }
    const after = entry.actor.serialise();
    entry.at = after;
    const effects = this.#emitted;
    if (after.state === before.state && after.context === before.context) return {effects};
    this.#place(id);
    entry.seq++;
    const move = {
      actor: id,
      kind: entry.kind,
      seq: entry.seq,
      from: before.state,
      to: after.state,
      context: after.context,
    };
    return {move, effects};
  }

  #quarantine(id: string, entry: Entry, event: string, error: unknown): ForestayError {
    entry.quarantined = event;
    this.#place(id);
    return new ForestayError(
      'ACTOR_QUARANTINED',
      `actor ${id} failed on ${event} and hears nothing more; restart the core after mending it`,
      {details: {actor: id, event}, cause: error},
    );
  }

  path(id: string): string {
    return this.#actors.get(id)?.at.state ?? '';
  }

  /** Whether the actor still waits for an effect of this kind, or lets it run by itself. */
  wants(id: string, kind: EffectKind): boolean {
    return background.includes(kind) || this.#actors.get(id)?.actor.awaits() === kind;
  }

  hostContext(name: string): HostContext | undefined {
    return this.#actors.get(resource('host', name))?.actor.context() as HostContext | undefined;
  }

  vmContext(name: string): VmContext | undefined {
    return this.#actors.get(resource('vm', name))?.actor.context() as VmContext | undefined;
  }

  /** Number of VMs whose actor says that they run on a host. */
  vmsOn(host: string): number {
    return this.vmsAt(host).filter(name => this.vmContext(name)?.host === host).length;
  }

  /** VMs that live on a host, or have their ghost or their target there, by name. */
  vmsAt(host: string): string[] {
    return [...(this.#vmsAt.get(host) ?? [])].sort();
  }

  /** A4. An actor that is not there, or is a host, has no places. */
  #place(id: string, places?: readonly string[]): void {
    const entry = this.#actors.get(id);
    if (entry?.kind !== 'vm') return;
    const name = id.slice(id.indexOf('/') + 1);
    const now = places ?? placesOf(entry.actor.context() as VmContext);
    for (const host of entry.places) {
      const vms = this.#vmsAt.get(host);
      vms?.delete(name);
      if (vms?.size === 0) this.#vmsAt.delete(host);
    }
    for (const host of now) {
      const vms = this.#vmsAt.get(host) ?? new Set();
      this.#vmsAt.set(host, vms.add(name));
    }
    entry.places = now;
  }

  /** Deadlines that have passed, hosts before VMs, each by name. */
  due(nowMs: number): string[] {
    const due: string[] = [];
    for (const [id, entry] of this.#actors) {
      const {deadlineMs} = entry.actor.context();
      if (deadlineMs > 0 && deadlineMs <= nowMs && entry.quarantined === '') due.push(id);
    }
    return due.sort();
  }

  /** All actors as rows, by id. */
  stored(): StoredActor[] {
    return [...this.#actors]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([id, {kind, at, seq, quarantined, machineVersion}]) => ({
        id,
        kind,
        machineVersion: machineVersion ?? machines[kind].version,
        seq,
        quarantined,
        ...at,
      }));
  }
}

function placesOf({host, ghostHost, targetHost}: VmContext): string[] {
  return [...new Set([host, ghostHost, targetHost])].filter(name => name !== '');
}

/** `host`, `h01` → `hosts/h01`. */
export function resource(kind: ActorKind, name: string): string {
  return kind === 'host' ? `hosts/${name}` : `vms/${name}`;
}

function restoredFrom(stored: StoredActor | undefined) {
  if (stored === undefined) return {};
  const {machineVersion: version, state, context} = stored;
  return {restored: {version, state, context}};
}

/** An actor that nobody can run: readers see a fresh one, the store keeps what was stored. */
function parked(kind: ActorKind, name: string, stored: StoredActor): Entry {
  const {state, context, seq, machineVersion} = stored;
  const quarantined = stored.quarantined || 'restore';
  const actor = startActor(kind, name, () => {});
  return {kind, actor, at: {state, context}, seq, quarantined, machineVersion, places: []};
}
