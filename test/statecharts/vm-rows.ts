import type {VmContext, VmEvent} from '../../statecharts/events.ts';
import type {Cell} from './table.ts';

export const vmPaths = [
  'normal',
  'at-risk.observing',
  'at-risk.arming-ghost',
  'at-risk.protected',
  'migrating.pre-copy',
  'migrating.cancelling',
  'migrating.verifying',
  'ghost-active.activating',
  'ghost-active.redirecting',
  'ghost-active.serving',
  'ghost-active.syncing-back',
  'ghost-active.failing-back',
  'recovering.awaiting-restart',
  'recovering.restarting',
  'recovering.redirecting',
  'recovering.probation',
] as const;
export type VmPath = (typeof vmPaths)[number];

export type VmCell = Cell<VmPath, VmContext>;
export type VmCase = Exclude<VmCell, '–' | readonly unknown[]>;
export type Row = Record<VmEvent['type'], VmCell>;

/** Where nobody chooses anything, and what means the same everywhere. */
export const unchosen = (to: VmPath) =>
  ({
    'migration.chosen': '–',
    'ghost.chosen': '–',
    'retire-ghost.chosen': '–',
    'restart.chosen': '–',
    'fail-back.chosen': '–',
    'flag.changed': {to, sets: {frozen: true}},
  }) as const satisfies Partial<Row>;

export const risk = (to: VmPath) =>
  ({
    'risk.raised': [
      {to, sets: {atRisk: true, risk: 0.5}},
      {to, with: {host: 'h9', risk: 0.9}, sets: {risk: 0}},
    ],
    'risk.cleared': {to, sets: {atRisk: false}},
  }) as const satisfies Partial<Row>;

export const ghostRetired = (to: VmPath): VmCase => ({
  to,
  given: {ghostHost: 'g1'},
  with: {kind: 'retire-ghost'},
  sets: {ghostHost: ''},
});

export const down = {
  to: 'recovering.awaiting-restart',
  sets: {atRisk: false, ghostArmed: false},
} as const;
export const otherGhostLost = (to: VmPath): VmCase => ({
  to,
  given: {ghostHost: 'g9', ghostArmed: false},
  with: {host: 'g9'},
  sets: {ghostHost: ''},
});
export const unrelated = (to: VmPath): VmCase => ({to, with: {host: 'h99'}});

export const ghostTakesOver: VmCase = {
  to: 'ghost-active.activating',
  given: {ghostHost: 'g1', ghostArmed: true},
  asks: ['activate-ghost'],
  sets: {homeHost: 'h1', targetHost: 'g1', deadlineMs: 1_030_000},
};

/** Traffic is being shifted; it goes on to `to` whatever the balancer says. */
export const shifting = (at: VmPath, to: VmPath) =>
  ({
    'deadline.passed': [
      {to: at, asks: ['shift-traffic'], sets: {attempts: 1, deadlineMs: 1_030_000}},
      {to, given: {attempts: 3}},
    ],
    cancelled: {to},
    'effect.completed': [
      {to, with: {kind: 'shift-traffic'}},
      {to: at, with: {kind: 'start-migration'}},
      ghostRetired(at),
    ],
    'effect.failed': [
      {to: at, with: {kind: 'shift-traffic'}, sets: {deadlineMs: 1_002_000}},
      {to: at, with: {kind: 'start-migration'}, sets: {deadlineMs: 1_010_000}},
    ],
  }) as const satisfies Partial<Row>;
