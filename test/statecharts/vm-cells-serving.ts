import {
  down,
  ghostRetired,
  otherGhostLost,
  type Row,
  risk,
  shifting,
  unchosen,
  unrelated,
  type VmPath,
} from './vm-rows.ts';

/** After a loss or a move. No Partial: an empty cell does not compile. */
export const servingCells: Record<
  Extract<VmPath, `ghost-active.${string}` | `recovering.${string}`>,
  Row
> = {
  'ghost-active.activating': {
    ...unchosen('ghost-active.activating'),
    ...risk('ghost-active.activating'),
    'host.lost': [
      {to: 'ghost-active.activating', with: {host: 'h1'}},
      {...down, with: {host: 'g1'}, sets: {ghostHost: '', targetHost: ''}},
      unrelated('ghost-active.activating'),
    ],
    'placement.observed': '–',
    'deadline.passed': {
      to: 'recovering.awaiting-restart',
      sets: {unresolved: 'activate-ghost', targetHost: 'g1', ghostArmed: false},
    },
    cancelled: {to: 'recovering.awaiting-restart', sets: {unresolved: 'activate-ghost'}},
    'effect.completed': [
      {
        to: 'ghost-active.redirecting',
        asks: ['shift-traffic'],
        sets: {host: 'g1', homeHost: 'h1', ghostHost: '', ghostArmed: false},
      },
      {to: 'ghost-active.activating', with: {kind: 'arm-ghost'}},
    ],
    'effect.failed': [
      {to: 'ghost-active.activating', asks: ['activate-ghost'], sets: {attempts: 1}},
      {to: 'recovering.awaiting-restart', given: {attempts: 3}, asks: ['retire-ghost']},
      {to: 'ghost-active.activating', with: {kind: 'start-migration'}},
    ],
  },
  'ghost-active.redirecting': {
    ...unchosen('ghost-active.redirecting'),
    ...risk('ghost-active.redirecting'),
    ...shifting('ghost-active.redirecting', 'ghost-active.serving'),
    'host.lost': [down, unrelated('ghost-active.redirecting')],
    'placement.observed': '–',
  },
  'ghost-active.serving': {
    ...unchosen('ghost-active.serving'),
    ...risk('ghost-active.serving'),
    'fail-back.chosen': [
      {
        to: 'ghost-active.syncing-back',
        asks: ['sync-back'],
        sets: {homeHost: 'h1', targetHost: 'h1', deadlineMs: 1_500_000},
      },
      {to: 'ghost-active.serving', given: {frozen: true}},
      {to: 'ghost-active.serving', with: {host: 'g1'}},
    ],
    'host.lost': [down, unrelated('ghost-active.serving')],
    'placement.observed': [
      {to: 'recovering.redirecting', asks: ['shift-traffic'], sets: {host: 'h9', homeHost: ''}},
      {
        to: 'ghost-active.serving',
        given: {unresolved: 'fail-back', targetHost: 'h1'},
        with: {host: 'g1'},
        sets: {unresolved: '', targetHost: ''},
      },
    ],
    'deadline.passed': {to: 'recovering.probation', sets: {host: 'g1', homeHost: ''}},
    cancelled: {to: 'recovering.probation', sets: {host: 'g1', homeHost: ''}},
    'effect.completed': [
      {
        to: 'recovering.redirecting',
        given: {unresolved: 'fail-back', targetHost: 'h1'},
        with: {kind: 'fail-back'},
        asks: ['shift-traffic'],
        sets: {host: 'h1', unresolved: ''},
      },
      {
        to: 'recovering.awaiting-restart',
        given: {unresolved: 'fail-back', targetHost: ''},
        with: {kind: 'fail-back'},
      },
      {to: 'ghost-active.serving', with: {kind: 'shift-traffic'}},
    ],
    'effect.failed': [
      {
        to: 'ghost-active.serving',
        given: {unresolved: 'fail-back', targetHost: 'h1'},
        with: {kind: 'fail-back'},
        sets: {unresolved: '', targetHost: ''},
      },
      {to: 'ghost-active.serving', with: {kind: 'fail-back'}},
    ],
  },
  'ghost-active.syncing-back': {
    ...unchosen('ghost-active.syncing-back'),
    ...risk('ghost-active.syncing-back'),
    'host.lost': [
      down,
      {to: 'ghost-active.serving', with: {host: 'h1'}, sets: {targetHost: ''}},
      unrelated('ghost-active.syncing-back'),
    ],
    'placement.observed': '–',
    'deadline.passed': {to: 'ghost-active.serving', sets: {attempts: 1, targetHost: ''}},
    cancelled: {to: 'ghost-active.serving', sets: {attempts: 0}},
    'effect.completed': [
      {to: 'ghost-active.failing-back', asks: ['fail-back'], sets: {deadlineMs: 1_120_000}},
      {to: 'ghost-active.syncing-back', with: {kind: 'shift-traffic'}},
    ],
    'effect.failed': [
      {to: 'ghost-active.serving', sets: {attempts: 1, host: 'g1'}},
      {to: 'ghost-active.syncing-back', with: {kind: 'shift-traffic'}},
    ],
  },
  'ghost-active.failing-back': {
    ...unchosen('ghost-active.failing-back'),
    ...risk('ghost-active.failing-back'),
    'host.lost': [
      {...down, sets: {unresolved: 'fail-back', targetHost: 'h1'}},
      {to: 'ghost-active.failing-back', with: {host: 'h1'}, sets: {targetHost: ''}},
      unrelated('ghost-active.failing-back'),
    ],
    'placement.observed': [
      {to: 'ghost-active.failing-back', with: {host: 'g1'}},
      {to: 'recovering.redirecting', with: {host: 'h1'}, asks: ['shift-traffic']},
    ],
    'deadline.passed': {
      to: 'ghost-active.serving',
      sets: {unresolved: 'fail-back', targetHost: 'h1', attempts: 1},
    },
    cancelled: {to: 'ghost-active.serving', sets: {unresolved: 'fail-back'}},
    'effect.completed': [
      {
        to: 'recovering.redirecting',
        asks: ['shift-traffic'],
        sets: {host: 'h1', homeHost: '', targetHost: ''},
      },
      {to: 'recovering.awaiting-restart', given: {targetHost: ''}},
      {to: 'ghost-active.failing-back', with: {kind: 'sync-back'}},
    ],
    'effect.failed': [
      {to: 'ghost-active.serving', sets: {attempts: 1, host: 'g1', targetHost: ''}},
      {to: 'ghost-active.failing-back', with: {kind: 'sync-back'}},
    ],
  },
  'recovering.awaiting-restart': {
    ...unchosen('recovering.awaiting-restart'),
    ...risk('recovering.awaiting-restart'),
    'restart.chosen': [
      {
        to: 'recovering.restarting',
        asks: ['restart-vm'],
        sets: {targetHost: 'h2', deadlineMs: 1_500_000},
      },
      {to: 'recovering.awaiting-restart', given: {unresolved: 'restart-vm'}},
      {to: 'recovering.awaiting-restart', given: {attempts: 3}},
      {to: 'recovering.awaiting-restart', given: {ghostHost: 'h2'}},
    ],
    'host.lost': [
      {to: 'recovering.awaiting-restart', with: {host: 'h1'}},
      {
        to: 'recovering.awaiting-restart',
        given: {unresolved: 'activate-ghost', targetHost: 'g1', ghostHost: 'g1'},
        with: {host: 'g1'},
        sets: {unresolved: '', targetHost: '', ghostHost: ''},
      },
      otherGhostLost('recovering.awaiting-restart'),
    ],
    'placement.observed': {
      to: 'recovering.redirecting',
      asks: ['shift-traffic'],
      sets: {host: 'h9', unresolved: ''},
    },
    'deadline.passed': [
      {
        to: 'recovering.awaiting-restart',
        given: {attempts: 3, unresolved: 'restart-vm', targetHost: 'h2'},
        sets: {attempts: 0, unresolved: '', targetHost: '', deadlineMs: 1_300_000},
      },
      {to: 'recovering.awaiting-restart', given: {ghostHost: 'g1'}, asks: ['retire-ghost']},
    ],
    cancelled: {to: 'normal', sets: {host: '', unresolved: ''}},
    'effect.completed': [
      {
        to: 'recovering.redirecting',
        given: {unresolved: 'restart-vm', targetHost: 'h2'},
        with: {kind: 'restart-vm'},
        asks: ['shift-traffic'],
        sets: {host: 'h2', unresolved: ''},
      },
      {
        to: 'recovering.redirecting',
        given: {unresolved: 'activate-ghost', targetHost: 'g1', ghostHost: 'g1'},
        with: {kind: 'activate-ghost'},
        asks: ['shift-traffic'],
        sets: {host: 'g1', ghostHost: ''},
      },
      {
        to: 'recovering.awaiting-restart',
        given: {unresolved: 'fail-back', targetHost: ''},
        with: {kind: 'fail-back'},
        sets: {unresolved: '', host: 'h1'},
      },
      {to: 'recovering.awaiting-restart', with: {kind: 'restart-vm'}},
      ghostRetired('recovering.awaiting-restart'),
    ],
    'effect.failed': [
      {
        to: 'recovering.awaiting-restart',
        given: {unresolved: 'activate-ghost', targetHost: 'g1', ghostHost: 'g1'},
        with: {kind: 'activate-ghost'},
        asks: ['retire-ghost'],
        sets: {unresolved: '', targetHost: ''},
      },
      {to: 'recovering.awaiting-restart', with: {kind: 'restart-vm'}},
    ],
  },
  'recovering.restarting': {
    ...unchosen('recovering.restarting'),
    ...risk('recovering.restarting'),
    'host.lost': [
      {to: 'recovering.restarting', with: {host: 'h1'}},
      {
        to: 'recovering.awaiting-restart',
        with: {host: 'h2'},
        sets: {targetHost: '', unresolved: '', attempts: 1},
      },
      unrelated('recovering.restarting'),
    ],
    'placement.observed': '–',
    'deadline.passed': {
      to: 'recovering.awaiting-restart',
      sets: {unresolved: 'restart-vm', targetHost: 'h2', attempts: 1},
    },
    cancelled: {to: 'recovering.awaiting-restart', sets: {unresolved: 'restart-vm'}},
    'effect.completed': [
      {to: 'recovering.redirecting', asks: ['shift-traffic'], sets: {host: 'h2', targetHost: ''}},
      {to: 'recovering.restarting', with: {kind: 'start-migration'}},
    ],
    'effect.failed': [
      {to: 'recovering.awaiting-restart', sets: {attempts: 1, targetHost: ''}},
      {to: 'recovering.restarting', with: {kind: 'start-migration'}},
    ],
  },
  'recovering.redirecting': {
    ...unchosen('recovering.redirecting'),
    ...risk('recovering.redirecting'),
    ...shifting('recovering.redirecting', 'recovering.probation'),
    'host.lost': [down, unrelated('recovering.redirecting')],
    'placement.observed': '–',
  },
  'recovering.probation': {
    ...unchosen('recovering.probation'),
    ...risk('recovering.probation'),
    'host.lost': [down, otherGhostLost('recovering.probation'), unrelated('recovering.probation')],
    'placement.observed': [
      {to: 'recovering.redirecting', asks: ['shift-traffic'], sets: {host: 'h9'}},
      {to: 'recovering.probation', with: {host: 'h2'}},
    ],
    'deadline.passed': [
      {to: 'normal', sets: {deadlineMs: 0}},
      {to: 'at-risk.observing', given: {atRisk: true}},
      {to: 'normal', given: {ghostHost: 'g1'}, asks: ['retire-ghost']},
    ],
    cancelled: [{to: 'normal'}, {to: 'at-risk.observing', given: {atRisk: true}}],
    'effect.completed': [
      {to: 'recovering.probation', with: {kind: 'shift-traffic'}},
      ghostRetired('recovering.probation'),
    ],
    'effect.failed': '–',
  },
};
