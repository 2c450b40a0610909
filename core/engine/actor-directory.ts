/**
 * All actors of a partition, by resource name (`hosts/h01`, `vms/v17`).
 *
 * A1 An actor moves only through {@link ActorDirectory.send}, so every move is seen and numbered.
 * A2 Effects that it emits are collected in emission order.
 * A3 An actor that throws, or was stored in a state that this version does not know, is quarantined:
 *    it is kept as it was and hears nothing more.
 * A4 Where VMs are is indexed by host, and follows every start, event and removal. So is who is in
 *    trouble, whose host is silent, and when whose deadline passes.
 * A5 An actor is a row: state, context, number of moves. Its machine is asked where an event leads;
 *    nothing is kept running.
 */
import {background, contextText, type Step, stepActor} from '../../statecharts/actor.ts';
import type {
  ActorKind,
  HostContext,
  HostEvent,
  VmContext,
  VmEvent,
} from '../../statecharts/events.ts';
import {awaitedEffect} from '../../statecharts/registry.ts';
import type {Effect, EffectKind} from '../domain/effects.ts';
import {ForestayError} from '../domain/errors.ts';
import {
  type DirectoryRow,
  freshRow,
  isTroubled,
  placesOf,
  resource,
  type StoredActor,
  storedActor,
  storedRow,
} from './actor-row.ts';
import {Deadlines} from './deadlines.ts';

export type Move = {
  actor: string;
  kind: ActorKind;
  seq: number;
  from: string;
  to: string;
  context: string;
};

/** Where an actor is: dotted state and context. */
export type ActorAt<Context> = {readonly state: string; readonly context: Context};

export class ActorDirectory {
  readonly #rows = new Map<string, DirectoryRow>();
  /** The same by name: whoever looks at thousands has names and makes no ids of them. */
  readonly #hosts = new Map<string, DirectoryRow>();
  readonly #vms = new Map<string, DirectoryRow>();
  /** Names of the VMs that live on a host, or have their ghost or their target there. */
  readonly #vmsAt = new Map<string, Set<string>>();
  readonly #deadlines = new Deadlines();
  readonly #suspected = new Set<string>();
  readonly #troubled = new Set<string>();
  #touched = new Set<string>();

  has(id: string): boolean {
    return this.#rows.has(id);
  }

  /** Starts an actor in its initial state, or in the stored one. */
  start(kind: ActorKind, name: string, stored?: StoredActor, host = ''): void {
    const id = resource(kind, name);
    this.remove(id);
    const row = stored === undefined ? freshRow(kind, name, host) : storedRow(kind, name, stored);
    this.#rows.set(id, row);
    this.#named(kind).set(name, row);
    this.#index(id, row);
    this.#touched.add(id);
  }

  remove(id: string): void {
    const row = this.#rows.get(id);
    if (row === undefined) return;
    this.#place(row, []);
    this.#deadlines.set(id, 0);
    this.#suspected.delete(row.name);
    this.#troubled.delete(id);
    this.#rows.delete(id);
    this.#named(row.kind).delete(row.name);
  }

  #named(kind: ActorKind): Map<string, DirectoryRow> {
    return kind === 'host' ? this.#hosts : this.#vms;
  }

  /**
   * Sends an event; gives the move, if the actor's state or context changed, and what it emitted.
   * An actor that fails is quarantined and the error given back.
   */
  send(
    id: string,
    event: HostEvent | VmEvent,
  ): {move?: Move; effects: readonly Effect[]; error?: ForestayError} {
    const row = this.#rows.get(id);
    if (row !== undefined) this.#touched.add(id);
    if (row === undefined || row.quarantined !== '') return {effects: []};
    const {kind, state: from, context: before} = row;
    let step: Step;
    try {
      step = stepActor(kind, row, event);
    } catch (error) {
      return {effects: [], error: this.#quarantine(id, row, event.type, error)};
    }
    const {state: to, context, effects} = step;
    row.state = to;
    row.context = context;
    if (from === to && isEqual(before, context)) return {effects};
    this.#index(id, row);
    row.seq++;
    row.fresh = false;
    const move = {actor: id, kind, seq: row.seq, from, to, context: contextText(context)};
    return {move, effects};
  }

  #quarantine(id: string, row: DirectoryRow, event: string, error: unknown): ForestayError {
    row.quarantined = event;
    this.#index(id, row);
    return new ForestayError(
      'ACTOR_QUARANTINED',
      `actor ${id} failed on ${event} and hears nothing more; restart the core after mending it`,
      {details: {actor: id, event}, cause: error},
    );
  }

  path(id: string): string {
    return this.#rows.get(id)?.state ?? '';
  }

  /** Whether the actor still waits for an effect of this kind, or lets it run by itself. */
  wants(id: string, kind: EffectKind): boolean {
    if (background.includes(kind)) return true;
    const row = this.#rows.get(id);
    return row !== undefined && awaitedEffect(row.kind, row.state) === kind;
  }

  /** As they stand; the context is never changed in place. */
  host(name: string): ActorAt<HostContext> | undefined {
    return this.#hosts.get(name) as ActorAt<HostContext> | undefined;
  }

  vm(name: string): ActorAt<VmContext> | undefined {
    return this.#vms.get(name) as ActorAt<VmContext> | undefined;
  }

  hostContext(name: string): HostContext | undefined {
    return this.host(name)?.context;
  }

  vmContext(name: string): VmContext | undefined {
    return this.vm(name)?.context;
  }

  /** Number of VMs whose actor says that they run on a host. */
  vmsOn(host: string): number {
    return this.vmsAt(host).filter(name => this.vmContext(name)?.host === host).length;
  }

  /** VMs that live on a host, or have their ghost or their target there, by name. */
  vmsAt(host: string): string[] {
    return [...(this.#vmsAt.get(host) ?? [])].sort();
  }

  /** Names of the hosts whose actor thinks that they are silent. */
  get suspected(): ReadonlySet<string> {
    return this.#suspected;
  }

  /** Actors that are not `normal`, hosts that are cordoned, silent or lost, VMs with a ghost. */
  get troubled(): ReadonlySet<string> {
    return this.#troubled;
  }

  /** Actors that were started or heard something since this was last asked. */
  takeTouched(): ReadonlySet<string> {
    const touched = this.#touched;
    this.#touched = new Set();
    return touched;
  }

  /** Deadlines that have passed, hosts before VMs, each by name. */
  due(nowMs: number): string[] {
    return this.#deadlines.due(nowMs);
  }

  /** All actors as rows, by id. */
  stored(): StoredActor[] {
    return this.#sorted().map(([id, row]) => storedActor(id, row));
  }

  /** The same in two parts: those that never moved as they were started, and the rest. */
  parts(): {fresh: {kind: ActorKind; name: string; host: string}[]; moved: StoredActor[]} {
    const fresh: {kind: ActorKind; name: string; host: string}[] = [];
    const moved: StoredActor[] = [];
    for (const [id, row] of this.#sorted()) {
      const {kind, name, context, fresh: isFresh, quarantined} = row;
      if (!isFresh || quarantined !== '') moved.push(storedActor(id, row));
      else fresh.push({kind, name, host: kind === 'vm' ? (context as VmContext).host : ''});
    }
    return {fresh, moved};
  }

  #sorted(): [string, DirectoryRow][] {
    return [...this.#rows].sort(([a], [b]) => (a < b ? -1 : 1));
  }

  /** A4, after a row has changed. */
  #index(id: string, row: DirectoryRow): void {
    const {kind, name, context, quarantined} = row;
    this.#deadlines.set(id, quarantined === '' ? context.deadlineMs : 0);
    if (kind === 'host') keep(this.#suspected, name, (context as HostContext).suspected);
    else this.#place(row, placesOf(context as VmContext));
    keep(this.#troubled, id, isTroubled(row));
  }

  #place(row: DirectoryRow, places: readonly string[]): void {
    if (isEqualList(row.places, places)) return;
    for (const host of row.places) {
      const vms = this.#vmsAt.get(host);
      vms?.delete(row.name);
      if (vms?.size === 0) this.#vmsAt.delete(host);
    }
    for (const host of places) {
      const vms = this.#vmsAt.get(host) ?? new Set();
      this.#vmsAt.set(host, vms.add(row.name));
    }
    row.places = places;
  }
}

function keep<Item>(items: Set<Item>, item: Item, isThere: boolean): void {
  if (isThere) items.add(item);
  else items.delete(item);
}

function isEqualList(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((item, index) => item === b[index]);
}

/** Whether two contexts give the same text. */
function isEqual<Context extends HostContext | VmContext>(a: Context, b: Context): boolean {
  return a === b || contextText(a) === contextText(b);
}
