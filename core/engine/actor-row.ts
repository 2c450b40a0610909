/** An actor of a partition as a row: what the directory keeps of it and a checkpoint stores. */
import {contextText, firstState} from '../../statecharts/actor.ts';
import type {ActorKind, HostContext, VmContext} from '../../statecharts/events.ts';
import {machines, migrateSnapshot, type RestState} from '../../statecharts/registry.ts';
import {isForestayError} from '../domain/errors.ts';

/** As text, with the version of the machine that can read it. */
export type StoredActor = {
  id: string;
  kind: ActorKind;
  machineVersion: number;
  seq: number;
  state: string;
  context: string;
  quarantined: string;
};

export type DirectoryRow = RestState & {
  kind: ActorKind;
  name: string;
  seq: number;
  /** As it was started: it has never moved. */
  fresh: boolean;
  quarantined: string;
  /** Hosts under which a VM is indexed. */
  places: readonly string[];
  /** What was stored, of one that cannot be understood (directory A3). */
  stored: StoredActor | undefined;
};

/** Whether the planner must look at it: not `normal`, or cordoned, silent, lost, with a ghost. */
export function isTroubled({kind, state, context}: RestState & {kind: ActorKind}): boolean {
  if (state !== 'normal') return true;
  if (kind === 'vm') return (context as VmContext).ghostHost !== '';
  const {cordoned, suspected, lost} = context as HostContext;
  return cordoned || suspected || lost;
}

/** Hosts where a VM lives, or has its ghost or its target. */
export function placesOf({host, ghostHost, targetHost}: VmContext): string[] {
  return [...new Set([host, ghostHost, targetHost])].filter(name => name !== '');
}

/** `host`, `h01` → `hosts/h01`. */
export function resource(kind: ActorKind, name: string): string {
  return kind === 'host' ? `hosts/${name}` : `vms/${name}`;
}

/** The row as it is stored; one that could not be understood as it was stored before. */
export function storedActor(
  id: string,
  {kind, state, context, seq, quarantined, stored}: DirectoryRow,
): StoredActor {
  const {version: machineVersion} = machines[kind];
  const at = stored ?? {machineVersion, state, context: contextText(context)};
  return {
    id,
    kind,
    machineVersion: at.machineVersion,
    seq,
    state: at.state,
    context: at.context,
    quarantined,
  };
}

/** An actor in its initial state; `host` is where a VM begins. */
export function freshRow(kind: ActorKind, name: string, host: string): DirectoryRow {
  const {state, context} = firstState(kind, name, host);
  return {
    kind,
    name,
    state,
    context,
    seq: 0,
    fresh: true,
    quarantined: '',
    places: [],
    stored: undefined,
  };
}

/** One that nobody can run: readers see a fresh one in its state, the store keeps what was stored. */
export function storedRow(kind: ActorKind, name: string, stored: StoredActor): DirectoryRow {
  const {machineVersion, state, seq, quarantined} = stored;
  const row = {...freshRow(kind, name, ''), seq, quarantined, fresh: false};
  try {
    return {...row, ...migrateSnapshot(kind, machineVersion, state, stored.context)};
  } catch (error) {
    if (!isForestayError(error, 'ACTOR_QUARANTINED')) throw error;
    return {...row, state, quarantined: quarantined || 'restore', stored};
  }
}
