import {timestampFromMs} from '@bufbuild/protobuf/wkt';
import type {FleetService} from '../../proto/gen/forestay/v1/fleet_pb.ts';
import type {Handlers} from '../../proto/grpc.ts';
import {ForestayError} from '../domain/errors.ts';
import {raiseOutlook} from '../domain/horizons.ts';
import {closestWord} from '../domain/spelling.ts';
import {restStates} from '../engine/actor-states.ts';
import type {HostRow, ReadModel, VmRow} from '../engine/read-model.ts';
import type {SortedNames} from '../engine/sorted-names.ts';
import type {Clock} from '../ports.ts';
import {type FilterFields, flag, number, parseFilter, resource, text, word} from './filter.ts';
import {
  hostResource,
  isMovable,
  splitPath,
  splitState,
  toHostMessage,
  toVmMessage,
} from './fleet-messages.ts';
import {unary} from './handlers.ts';
import {fillPage, lastKeyOf, type PageRequest} from './paging.ts';
import {streamChanges, type WatchEvent} from './watch.ts';

/** A guess compares with every name. */
const GUESS_AMONG_MAX = 10_000;

const hostFields: FilterFields<HostRow> = {
  name: resource(row => row.name),
  ...stateFields('host'),
  rack: text(row => row.facts?.rack ?? ''),
  risk: number(row => row.risk),
  outlook: number(worstOutlook),
  odd: flag(row => row.anomaly?.isOdd ?? false),
  cordoned: flag(row => row.actor?.context.cordoned ?? false),
  suspected: flag(row => row.actor?.context.suspected ?? false),
  lost: flag(row => row.actor?.context.lost ?? false),
  stale: flag(row => row.actor?.context.stale ?? false),
};

/** The highest risk of a part within the longer horizons; NaN without any. */
function worstOutlook({componentRisks, outlook}: HostRow): number {
  const risks = raiseOutlook(componentRisks, outlook).map(({risk}) => risk);
  return risks.length === 0 ? Number.NaN : Math.max(...risks);
}

const vmFields = (model: ReadModel): FilterFields<VmRow> => ({
  name: resource(row => row.name),
  ...stateFields('vm'),
  host: resource(row => hostResource(row.host)),
  tenant: text(row => row.facts?.tenant ?? ''),
  risk: number(row => model.hosts.get(`hosts/${row.host}`)?.risk ?? Number.NaN),
  criticality: number(row => row.facts?.criticality ?? 0),
  movable: flag(isMovable),
  ghost_armed: flag(row => row.actor?.context.ghostArmed ?? false),
});

function stateFields(kind: 'host' | 'vm'): FilterFields<HostRow | VmRow> {
  const words = (part: 'state' | 'substate') => () => [
    ...new Set(restStates(kind).map(path => splitPath(path)[part])).difference(new Set([''])),
  ];
  return {
    state: word(row => splitState(row).state, words('state')),
    substate: word(row => splitState(row).substate, words('substate')),
  };
}

export type FleetDeps = {model: ReadModel; clock: Clock; closing: AbortSignal};

/** Handlers of FleetService over a read model. A page costs what it has passed over and shows. */
export function fleetHandlers(deps: FleetDeps): Handlers<(typeof FleetService)['method']> {
  const {model} = deps;
  const host = (row: HostRow) => toHostMessage(model, row, deps.clock.nowMs());
  const vm = (row: VmRow) => toVmMessage(model, row, deps.clock.nowMs());
  const fieldsOfVm = vmFields(model);
  return {
    getHost: unary(({name}) => ({host: host(findRow(model.hosts, name))})),
    listHosts: unary(request => {
      const {items, nextPageToken} = listRows(model.hosts, model.hostNames, request, hostFields);
      return {hosts: items.map(host), nextPageToken};
    }),
    watchHosts: call => {
      const parse = (filter: string) => parseFilter(filter, hostFields);
      const source = {...deps, prefix: 'hosts/', items: model.hosts} as const;
      const request = {...call.request, parse};
      void streamChanges(call, source, request, event => ({event: toEvent(event, host)}));
    },
    getVm: unary(({name}) => ({vm: vm(findRow(model.vms, name))})),
    listVms: unary(request => {
      const {items, nextPageToken} = listRows(model.vms, model.vmNames, request, fieldsOfVm);
      return {vms: items.map(vm), nextPageToken};
    }),
    watchVms: call => {
      const parse = (filter: string) => parseFilter(filter, fieldsOfVm);
      const source = {...deps, prefix: 'vms/', items: model.vms} as const;
      const request = {...call.request, parse};
      void streamChanges(call, source, request, event => ({event: toEvent(event, vm)}));
    },
  };
}

/** The row of this resource name. @throws {ForestayError} `NOT_FOUND`, with the nearest name. */
export function findRow<Row>(rows: ReadonlyMap<string, Row>, name: string): Row {
  const row = rows.get(name);
  if (row !== undefined) return row;
  throw notFound(name, [...rows.keys()]);
}

/** `NOT_FOUND`, with the nearest of the names that there are; `name` may be a short one. */
export function notFound(name: string, names: readonly string[]): ForestayError {
  const hint = nearest(name, names) ?? counted(names.length);
  return new ForestayError('NOT_FOUND', `"${name}" is not known; ${hint}`, {details: {name}});
}

function counted(known: number): string {
  if (known === 0) return 'none is known yet';
  return known === 1
    ? 'one is known, list it for its name'
    : `${known} are known, list them for names`;
}

function nearest(name: string, names: readonly string[]): string | undefined {
  if (names.length > GUESS_AMONG_MAX) return undefined;
  const keyOf = (full: string) => (name.includes('/') ? full : full.slice(full.indexOf('/') + 1));
  const guess = closestWord(name, names.map(keyOf));
  return guess && `did you mean ${names.find(full => keyOf(full) === guess)}?`;
}

function listRows<Row extends {name: string}>(
  rows: ReadonlyMap<string, Row>,
  names: SortedNames,
  request: PageRequest,
  fields: FilterFields<Row>,
): {items: Row[]; nextPageToken: string} {
  const last = lastKeyOf(request);
  const matches = parseFilter(request.filter, fields);
  const items = names.after(last).map(name => rows.get(name) as Row);
  return fillPage(items, request, matches, row => row.name);
}

function toEvent<Row, Message>(event: WatchEvent<Row>, toMessage: (row: Row) => Message) {
  if (event.kind === 'removed') return {case: 'removed', value: event.name} as const;
  if (event.kind === 'bookmark') {
    const {atMs, resumeToken, complete} = event;
    return {
      case: 'bookmark',
      value: {time: timestampFromMs(atMs), resumeToken, complete},
    } as const;
  }
  return {case: event.kind, value: toMessage(event.item)};
}
