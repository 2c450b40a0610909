import type {HostContext, HostEvent} from '../../statecharts/events.ts';
import {freshHost} from '../../statecharts/host-rules.ts';
import type {Cell, Table} from './table.ts';

export const hostPaths = [
  'normal',
  'at-risk.watching',
  'at-risk.preparing',
  'at-risk.fencing',
  'migrating.evacuating',
  'ghost-active.away',
  'recovering.verifying',
] as const;
export type HostPath = (typeof hostPaths)[number];

type HostCell = Cell<HostPath, HostContext>;
/** No Partial: an empty cell does not compile. */
type HostCells = Record<HostPath, Record<HostEvent['type'], HostCell>>;

const suspected: HostContext = {...freshHost('x'), suspected: true};

/** A cordon that was given up on and came about is undone; one that is believed is not. */
const leftOver = (to: HostPath): HostCell => [
  {to, with: {kind: 'fence-host'}},
  {to, given: {cordoned: true}, with: {kind: 'cordon-host'}, sets: {cordoned: true}},
  {
    to,
    given: {cordoned: false},
    with: {kind: 'cordon-host'},
    asks: ['uncordon-host'],
    sets: {cordoned: false},
  },
];

/** Flags and refusals that mean the same in every state but `away`. */
const anywhere = (to: HostPath) =>
  ({
    'host.suspected': {to, sets: {suspected: true}},
    'host.heard': {to, given: {suspected: true}, sets: {suspected: false}},
    'flag.changed': {to, sets: {frozen: true}},
    'effect.failed': [
      {to, with: {kind: 'uncordon-host'}, sets: {cordoned: true}},
      {to, given: {cordoned: true}, with: {kind: 'cordon-host'}, sets: {cordoned: true}},
      {to, with: {kind: 'fence-host'}},
    ],
    'effect.completed': leftOver(to),
    'host.lost': {
      to: 'ghost-active.away',
      sets: {lost: true, cordoned: true, suspected: false, atRisk: false, deadlineMs: 0},
    },
  }) as const satisfies Partial<Record<HostEvent['type'], HostCell>>;

const fence = (to: HostPath): HostCell => [
  {to: 'at-risk.fencing', given: {suspected: true}, asks: ['fence-host']},
  {to},
];

const risk = (to: HostPath) =>
  ({
    'risk.raised': {to, sets: {atRisk: true, risk: 0.5, component: 'disk'}},
    'risk.cleared': {to, sets: {atRisk: false, risk: 0.1}},
  }) as const;

const probationOver: HostCell = [
  {
    to: 'normal',
    given: {cordoned: true},
    asks: ['uncordon-host'],
    sets: {cordoned: false, deadlineMs: 0},
  },
  {to: 'normal', given: {cordoned: false}},
  {to: 'at-risk.preparing', given: {atRisk: true, cordoned: true}},
  {to: 'at-risk.watching', given: {atRisk: true, cordoned: false}},
];

const cells: HostCells = {
  normal: {
    ...anywhere('normal'),
    'risk.raised': [
      {to: 'at-risk.watching', sets: {atRisk: true, risk: 0.5, component: 'disk'}},
      {to: 'at-risk.preparing', given: {cordoned: true}},
    ],
    'risk.cleared': '–',
    'cordon.chosen': '–',
    'uncordon.chosen': [
      {to: 'normal', given: {cordoned: true}, asks: ['uncordon-host'], sets: {cordoned: false}},
      {to: 'normal', given: {cordoned: false}},
    ],
    'evacuation.started': '–',
    'evacuation.ended': '–',
    'fence.chosen': fence('normal'),
    'host.returned': '–',
    'deadline.passed': '–',
    cancelled: '–',
  },
  'at-risk.watching': {
    ...anywhere('at-risk.watching'),
    ...risk('at-risk.watching'),
    'effect.failed': [
      {to: 'at-risk.preparing', with: {kind: 'uncordon-host'}, sets: {cordoned: true}},
      {to: 'at-risk.watching', with: {kind: 'cordon-host'}, sets: {cordoned: false}},
    ],
    'effect.completed': [
      {to: 'at-risk.watching', with: {kind: 'fence-host'}},
      {to: 'at-risk.watching', with: {kind: 'cordon-host'}, asks: ['uncordon-host']},
      {to: 'at-risk.preparing', given: {cordoned: true}, with: {kind: 'cordon-host'}},
    ],
    'risk.cleared': {to: 'normal', sets: {atRisk: false}},
    'cordon.chosen': {
      to: 'at-risk.preparing',
      asks: ['cordon-host'],
      sets: {cordoned: true, deadlineMs: 1_030_000},
    },
    'uncordon.chosen': '–',
    'evacuation.started': {to: 'migrating.evacuating', sets: {deadlineMs: 2_800_000}},
    'evacuation.ended': '–',
    'fence.chosen': fence('at-risk.watching'),
    'host.returned': '–',
    'deadline.passed': '–',
    cancelled: '–',
  },
  'at-risk.preparing': {
    ...anywhere('at-risk.preparing'),
    'risk.raised': {to: 'at-risk.preparing', sets: {risk: 0.5}},
    'risk.cleared': {to: 'normal', sets: {atRisk: false, cordoned: true}},
    'cordon.chosen': '–',
    'uncordon.chosen': {
      to: 'at-risk.watching',
      asks: ['uncordon-host'],
      sets: {cordoned: false, deadlineMs: 0},
    },
    'evacuation.started': {to: 'migrating.evacuating'},
    'evacuation.ended': '–',
    'fence.chosen': fence('at-risk.preparing'),
    'host.returned': '–',
    'deadline.passed': [
      {to: 'at-risk.preparing', asks: ['cordon-host'], sets: {attempts: 1}},
      {
        to: 'at-risk.watching',
        given: {attempts: 3},
        asks: ['uncordon-host'],
        sets: {cordoned: false},
      },
    ],
    cancelled: {to: 'at-risk.watching', asks: ['uncordon-host'], sets: {cordoned: false}},
    'effect.completed': [
      {to: 'at-risk.preparing', with: {kind: 'cordon-host'}, sets: {deadlineMs: 0}},
      {to: 'at-risk.preparing', with: {kind: 'fence-host'}, sets: {deadlineMs: 1_030_000}},
    ],
    'effect.failed': [
      {
        to: 'at-risk.preparing',
        with: {kind: 'cordon-host'},
        asks: ['cordon-host'],
        sets: {attempts: 1, cordoned: true},
      },
      {
        to: 'at-risk.watching',
        given: {attempts: 3},
        with: {kind: 'cordon-host'},
        asks: ['uncordon-host'],
        sets: {cordoned: false},
      },
      {to: 'at-risk.preparing', with: {kind: 'uncordon-host'}, sets: {cordoned: true}},
    ],
  },
  'at-risk.fencing': {
    ...anywhere('at-risk.fencing'),
    ...risk('at-risk.fencing'),
    'cordon.chosen': '–',
    'uncordon.chosen': '–',
    'evacuation.started': '–',
    'evacuation.ended': '–',
    'fence.chosen': '–',
    'host.heard': [
      {to: 'at-risk.watching', sets: {suspected: false}},
      {to: 'at-risk.preparing', given: {cordoned: true}},
      {to: 'normal', given: {atRisk: false}},
    ],
    'host.returned': '–',
    'deadline.passed': [
      {to: 'at-risk.watching', sets: {suspected: true, deadlineMs: 0}},
      {to: 'normal', given: {atRisk: false}},
    ],
    cancelled: [{to: 'at-risk.watching'}, {to: 'at-risk.preparing', given: {cordoned: true}}],
    'effect.failed': [
      {
        to: 'at-risk.fencing',
        with: {kind: 'fence-host'},
        asks: ['fence-host'],
        sets: {attempts: 1},
      },
      {to: 'at-risk.watching', given: {attempts: 3}, with: {kind: 'fence-host'}},
      {to: 'at-risk.fencing', with: {kind: 'uncordon-host'}, sets: {cordoned: true}},
    ],
  },
  'migrating.evacuating': {
    ...anywhere('migrating.evacuating'),
    ...risk('migrating.evacuating'),
    'cordon.chosen': '–',
    'uncordon.chosen': '–',
    'evacuation.started': '–',
    'evacuation.ended': [
      {to: 'at-risk.preparing', given: {cordoned: true}},
      {to: 'at-risk.watching', given: {cordoned: false}},
      {to: 'recovering.verifying', given: {atRisk: false}, sets: {deadlineMs: 1_060_000}},
    ],
    'fence.chosen': fence('migrating.evacuating'),
    'host.returned': '–',
    'deadline.passed': {to: 'at-risk.preparing', sets: {deadlineMs: 0}},
    cancelled: [{to: 'at-risk.preparing'}, {to: 'normal', given: {atRisk: false}}],
  },
  'ghost-active.away': {
    'risk.raised': '–',
    'risk.cleared': '–',
    'cordon.chosen': '–',
    'uncordon.chosen': '–',
    'evacuation.started': '–',
    'evacuation.ended': '–',
    'host.suspected': '–',
    'host.heard': '–',
    'fence.chosen': '–',
    'host.lost': '–',
    'host.returned': {
      to: 'recovering.verifying',
      sets: {lost: false, cordoned: true, deadlineMs: 1_060_000},
    },
    'flag.changed': {to: 'ghost-active.away', sets: {frozen: true}},
    'deadline.passed': '–',
    cancelled: '–',
    'effect.completed': '–',
    'effect.failed': '–',
  },
  'recovering.verifying': {
    ...anywhere('recovering.verifying'),
    ...risk('recovering.verifying'),
    'cordon.chosen': '–',
    'uncordon.chosen': '–',
    'evacuation.started': '–',
    'evacuation.ended': '–',
    'fence.chosen': fence('recovering.verifying'),
    'host.returned': '–',
    'deadline.passed': probationOver,
    cancelled: probationOver,
  },
};

export const hostTable: Table<HostPath, HostContext> = {
  kind: 'host',
  fresh: freshHost('x'),
  usual: {
    normal: {},
    'at-risk.watching': {atRisk: true},
    'at-risk.preparing': {atRisk: true, cordoned: true, deadlineMs: 1_030_000},
    'at-risk.fencing': {...suspected, atRisk: true, deadlineMs: 1_030_000},
    'migrating.evacuating': {atRisk: true, cordoned: true, deadlineMs: 1_030_000},
    'ghost-active.away': {lost: true, cordoned: true},
    'recovering.verifying': {cordoned: true, deadlineMs: 1_030_000},
  },
  event(type) {
    const fields: Partial<Record<string, object>> = {
      'risk.raised': {risk: 0.5, component: 'disk'},
      'risk.cleared': {risk: 0.1},
      'evacuation.started': {count: 3},
      'evacuation.ended': {count: 0},
      'host.lost': {proof: 'fence'},
      'flag.changed': {flag: 'frozen', on: true},
      cancelled: {by: 'operator'},
      'effect.completed': {kind: 'fence-host', effectId: '0/1/1/0', code: '', figures: {}},
      'effect.failed': {kind: 'fence-host', effectId: '0/1/1/0', code: 'X', figures: {}},
    };
    return {...fields[type]};
  },
  cells,
};
