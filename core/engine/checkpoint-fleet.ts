/**
 * VMs and actors of a checkpoint in columns: a partition has thousands that are much alike, and an
 * object each would take most of the checkpoint's bytes and of a restart's time.
 */
import type {ActorKind} from '../../statecharts/events.ts';
import type {InventoryVm} from '../domain/telemetry.ts';
import {ActorDirectory} from './actor-directory.ts';
import type {StoredActor} from './actor-row.ts';
import type {HostEntry, VmEntry} from './partition-state.ts';
import {SortedMap} from './sorted-map.ts';

export type StoredVms = {
  names: string[];
  cells: string[];
  tables: string[];
  rows: Int32Array;
  movedAtMs: Float64Array;
  seenAtMs: Float64Array;
  seenOn: string[];
  failedAtMs: Float64Array;
  dirtiedBytesPerSecond: Float64Array;
  missing: Uint8Array;
  missingSinceMs: Float64Array;
  /** Place of the VM's facts: among those of all hosts, one host after another, then `others`. */
  facts: Int32Array;
  others: InventoryVm[];
};

export function storeVms(
  hosts: ReadonlyMap<string, HostEntry>,
  vms: ReadonlyMap<string, VmEntry>,
): StoredVms {
  const places = new Map(factsOf(hosts).map((facts, place) => [facts, place]));
  const inventories = places.size;
  const others: InventoryVm[] = [];
  const entries = [...vms.values()];
  const placeOf = ({facts}: VmEntry): number =>
    places.get(facts) ?? inventories + others.push(facts) - 1;
  return {
    names: entries.map(({name}) => name),
    cells: entries.map(({cell}) => cell),
    tables: entries.map(({table}) => table),
    rows: Int32Array.from(entries, ({row}) => row),
    movedAtMs: Float64Array.from(entries, ({movedAtMs}) => movedAtMs),
    seenAtMs: Float64Array.from(entries, ({seenAtMs}) => seenAtMs),
    seenOn: entries.map(({seenOn}) => seenOn),
    failedAtMs: Float64Array.from(entries, ({failedAtMs}) => failedAtMs),
    dirtiedBytesPerSecond: Float64Array.from(entries, vm => vm.dirtiedBytesPerSecond),
    missing: Uint8Array.from(entries, ({missing}) => missing),
    missingSinceMs: Float64Array.from(entries, ({missingSinceMs}) => missingSinceMs),
    facts: Int32Array.from(entries, placeOf),
    others,
  };
}

export function fitVms(
  hosts: ReadonlyMap<string, HostEntry>,
  stored: StoredVms,
): SortedMap<VmEntry> {
  const facts = [...factsOf(hosts), ...stored.others];
  const vms = new SortedMap<VmEntry>();
  stored.names.forEach((name, at) => {
    vms.set(name, {
      name,
      cell: stored.cells[at] as string,
      facts: facts[stored.facts[at] as number] as InventoryVm,
      table: stored.tables[at] as string,
      row: stored.rows[at] as number,
      movedAtMs: stored.movedAtMs[at] as number,
      seenAtMs: stored.seenAtMs[at] as number,
      seenOn: stored.seenOn[at] as string,
      failedAtMs: stored.failedAtMs[at] as number,
      dirtiedBytesPerSecond: stored.dirtiedBytesPerSecond[at] as number,
      missing: stored.missing[at] as number,
      missingSinceMs: stored.missingSinceMs[at] as number,
    });
  });
  return vms;
}

function factsOf(hosts: ReadonlyMap<string, HostEntry>): InventoryVm[] {
  return [...hosts.values()].flatMap(({facts}) => facts?.vms ?? []);
}

/** Actors that never moved are known by their name, and VMs by where they began. */
export type StoredActors = {
  hosts: string[];
  vms: string[];
  vmHosts: string[];
  moved: StoredActor[];
};

export function storeActors(actors: ActorDirectory): StoredActors {
  const {fresh, moved} = actors.parts();
  const vms = fresh.filter(({kind}) => kind === 'vm');
  return {
    hosts: fresh.filter(({kind}) => kind === 'host').map(({name}) => name),
    vms: vms.map(({name}) => name),
    vmHosts: vms.map(({host}) => host),
    moved,
  };
}

export function fitActors({hosts, vms, vmHosts, moved}: StoredActors): ActorDirectory {
  const actors = new ActorDirectory();
  for (const host of hosts) actors.start('host', host);
  vms.forEach((vm, at) => {
    actors.start('vm', vm, undefined, vmHosts[at]);
  });
  for (const stored of moved) actors.start(stored.kind, nameOf(stored), stored);
  return actors;
}

function nameOf({id, kind}: {id: string; kind: ActorKind}): string {
  return id.slice(kind === 'host' ? 'hosts/'.length : 'vms/'.length);
}
