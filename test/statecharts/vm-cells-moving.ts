import {
  down,
  ghostRetired,
  ghostTakesOver,
  otherGhostLost,
  type Row,
  risk,
  shifting,
  unchosen,
  unrelated,
  type VmCase,
  type VmCell,
  type VmPath,
} from './vm-rows.ts';

/** A migration that was given up on ends after all. */
const lateMigration = (to: VmPath) => {
  const given = {unresolved: 'start-migration', targetHost: 'h2'} as const;
  const kind = {kind: 'start-migration'};
  return {
    'effect.completed': [
      {
        to: 'migrating.verifying',
        given,
        with: kind,
        asks: ['shift-traffic'],
        sets: {host: 'h2', unresolved: '', targetHost: ''},
      },
      {to: 'recovering.awaiting-restart', given: {...given, targetHost: ''}, with: kind},
      {to, with: kind, sets: {host: 'h1'}},
      ghostRetired(to),
    ],
    'effect.failed': [
      {to, given, with: kind, sets: {host: 'h1', unresolved: '', targetHost: ''}},
      {to, with: kind, sets: {unresolved: ''}},
    ],
  } as const satisfies Partial<Row>;
};

const placed = (to: VmPath, moved: VmCase): VmCell => [
  moved,
  {
    to: 'migrating.verifying',
    given: {unresolved: 'start-migration', targetHost: 'h2'},
    with: {host: 'h2'},
    asks: ['shift-traffic'],
    sets: {host: 'h2', unresolved: ''},
  },
  {
    to,
    given: {unresolved: 'start-migration', targetHost: 'h2'},
    with: {host: 'h1'},
    sets: {host: 'h1', unresolved: '', targetHost: ''},
  },
];

const mayNotMove: readonly VmCase[] = (
  [
    {frozen: true},
    {attempts: 3},
    {unresolved: 'start-migration'},
    {host: 'h2'},
    {ghostHost: 'h2'},
  ] as const
).map(given => ({to: 'at-risk.observing', given, with: {targetHost: 'h2'}}));

const notAtRisk = {to: 'normal', sets: {atRisk: false, deadlineMs: 0}} as const;

/** Up to a migration's end. No Partial: an empty cell does not compile. */
export const movingCells: Record<
  Extract<VmPath, 'normal' | `at-risk.${string}` | `migrating.${string}`>,
  Row
> = {
  normal: {
    ...unchosen('normal'),
    ...lateMigration('normal'),
    'risk.raised': [
      {to: 'at-risk.observing', sets: {atRisk: true, risk: 0.5, deadlineMs: 0}},
      {to: 'normal', with: {host: 'h9'}, sets: {atRisk: false}},
    ],
    'risk.cleared': '–',
    'retire-ghost.chosen': [
      {to: 'normal', given: {ghostHost: 'g1'}, asks: ['retire-ghost'], sets: {ghostHost: 'g1'}},
      {to: 'normal'},
    ],
    'host.lost': [down, ghostTakesOver, otherGhostLost('normal'), unrelated('normal')],
    'placement.observed': placed('normal', {to: 'normal', sets: {host: 'h9'}}),
    'deadline.passed': [
      {to: 'normal', given: {ghostHost: 'g1'}, asks: ['retire-ghost'], sets: {attempts: 1}},
      {to: 'normal', given: {ghostHost: 'g1', attempts: 3}, sets: {deadlineMs: 0}},
    ],
    cancelled: '–',
  },
  'at-risk.observing': {
    ...unchosen('at-risk.observing'),
    ...lateMigration('at-risk.observing'),
    'risk.raised': [
      {to: 'at-risk.observing', sets: {risk: 0.5}},
      {to: 'at-risk.observing', with: {host: 'h9'}, sets: {risk: 0}},
    ],
    'risk.cleared': notAtRisk,
    'migration.chosen': [
      {
        to: 'migrating.pre-copy',
        asks: ['start-migration'],
        sets: {targetHost: 'h2', deadlineMs: 1_500_000},
      },
      {to: 'at-risk.observing', with: {host: 'h9'}},
      ...mayNotMove,
    ],
    'ghost.chosen': [
      {
        to: 'at-risk.arming-ghost',
        asks: ['arm-ghost'],
        sets: {ghostHost: 'g1', ghostArmed: false, deadlineMs: 1_500_000},
      },
      {to: 'at-risk.observing', given: {frozen: true}},
      {to: 'at-risk.observing', given: {ghostHost: 'g9'}},
      {to: 'at-risk.observing', with: {targetHost: 'h1'}},
    ],
    'retire-ghost.chosen': [
      {to: 'at-risk.observing', given: {ghostHost: 'g1'}, asks: ['retire-ghost']},
      {to: 'at-risk.observing'},
    ],
    'host.lost': [down, otherGhostLost('at-risk.observing'), unrelated('at-risk.observing')],
    'placement.observed': placed('at-risk.observing', {to: 'normal', sets: {host: 'h9'}}),
    'deadline.passed': {to: 'at-risk.observing', given: {attempts: 3}, sets: {attempts: 0}},
    cancelled: '–',
  },
  'at-risk.arming-ghost': {
    ...unchosen('at-risk.arming-ghost'),
    'risk.raised': {to: 'at-risk.arming-ghost', sets: {risk: 0.5}},
    'risk.cleared': {...notAtRisk, asks: ['retire-ghost'], sets: {ghostArmed: false}},
    'retire-ghost.chosen': {to: 'at-risk.observing', asks: ['retire-ghost']},
    'host.lost': [
      {...down, asks: ['retire-ghost']},
      {to: 'at-risk.observing', with: {host: 'g1'}, sets: {ghostHost: ''}},
      unrelated('at-risk.arming-ghost'),
    ],
    'placement.observed': [
      {to: 'normal', asks: ['retire-ghost'], sets: {host: 'h9'}},
      {to: 'at-risk.arming-ghost', with: {host: 'h1'}},
    ],
    'deadline.passed': {to: 'at-risk.observing', asks: ['retire-ghost'], sets: {attempts: 1}},
    cancelled: {to: 'at-risk.observing', asks: ['retire-ghost'], sets: {attempts: 0}},
    'effect.completed': [
      {to: 'at-risk.protected', sets: {ghostArmed: true, ghostHost: 'g1', deadlineMs: 0}},
      {to: 'at-risk.arming-ghost', with: {kind: 'start-migration'}},
      {to: 'at-risk.arming-ghost', with: {kind: 'retire-ghost'}, sets: {ghostHost: 'g1'}},
    ],
    'effect.failed': [
      {
        to: 'at-risk.observing',
        sets: {ghostHost: '', attempts: 1, deadlineMs: 1_300_000},
      },
      {to: 'at-risk.arming-ghost', with: {kind: 'start-migration'}},
    ],
  },
  'at-risk.protected': {
    ...unchosen('at-risk.protected'),
    ...lateMigration('at-risk.protected'),
    'effect.completed': [
      {to: 'at-risk.protected', with: {kind: 'start-migration'}},
      {to: 'at-risk.protected', with: {kind: 'retire-ghost'}, sets: {ghostHost: 'g1'}},
    ],
    'risk.raised': {to: 'at-risk.protected', sets: {risk: 0.5}},
    'risk.cleared': {...notAtRisk, asks: ['retire-ghost'], sets: {ghostArmed: false}},
    'migration.chosen': [
      {to: 'migrating.pre-copy', asks: ['start-migration'], sets: {ghostArmed: true}},
      {to: 'at-risk.protected', with: {targetHost: 'g1'}},
    ],
    'retire-ghost.chosen': {
      to: 'at-risk.observing',
      asks: ['retire-ghost'],
      sets: {ghostArmed: false},
    },
    'host.lost': [
      ghostTakesOver,
      {
        to: 'at-risk.observing',
        with: {host: 'g1'},
        sets: {ghostArmed: false, ghostHost: ''},
      },
      unrelated('at-risk.protected'),
    ],
    'placement.observed': [
      {to: 'normal', asks: ['retire-ghost'], sets: {host: 'h9', ghostArmed: false}},
      {to: 'at-risk.protected', with: {host: 'h1'}},
    ],
    'deadline.passed': {to: 'at-risk.protected', given: {attempts: 2}, sets: {attempts: 0}},
    cancelled: '–',
  },
  'migrating.pre-copy': {
    ...unchosen('migrating.pre-copy'),
    ...risk('migrating.pre-copy'),
    'host.lost': [
      down,
      ghostTakesOver,
      {to: 'migrating.cancelling', with: {host: 'h2'}, sets: {targetHost: ''}},
      otherGhostLost('migrating.pre-copy'),
      unrelated('migrating.pre-copy'),
    ],
    'placement.observed': [
      {to: 'migrating.pre-copy', with: {host: 'h1'}},
      {
        to: 'migrating.verifying',
        with: {host: 'h2'},
        asks: ['shift-traffic'],
        sets: {host: 'h2', targetHost: ''},
      },
    ],
    'deadline.passed': {
      to: 'migrating.cancelling',
      sets: {unresolved: 'start-migration', deadlineMs: 1_030_000},
    },
    cancelled: {to: 'migrating.cancelling', sets: {targetHost: 'h2'}},
    'effect.completed': [
      {
        to: 'migrating.verifying',
        asks: ['shift-traffic'],
        sets: {host: 'h2', targetHost: '', atRisk: false},
      },
      {to: 'migrating.pre-copy', with: {kind: 'shift-traffic'}},
      ghostRetired('migrating.pre-copy'),
    ],
    'effect.failed': [
      {to: 'at-risk.observing', sets: {attempts: 1, targetHost: '', host: 'h1'}},
      {to: 'at-risk.protected', given: {ghostHost: 'g1', ghostArmed: true}},
      {to: 'normal', given: {atRisk: false}},
      {
        to: 'normal',
        given: {atRisk: false, ghostHost: 'g1', ghostArmed: true},
        asks: ['retire-ghost'],
      },
      {to: 'migrating.pre-copy', with: {kind: 'shift-traffic'}},
    ],
  },
  'migrating.cancelling': {
    ...unchosen('migrating.cancelling'),
    ...risk('migrating.cancelling'),
    'host.lost': [
      down,
      ghostTakesOver,
      {to: 'migrating.cancelling', with: {host: 'h2'}, sets: {targetHost: ''}},
      unrelated('migrating.cancelling'),
    ],
    'placement.observed': [
      {to: 'migrating.cancelling', with: {host: 'h1'}},
      {to: 'migrating.verifying', with: {host: 'h2'}, asks: ['shift-traffic']},
    ],
    'deadline.passed': {
      to: 'at-risk.observing',
      sets: {unresolved: 'start-migration', targetHost: 'h2', attempts: 1},
    },
    cancelled: {to: 'at-risk.observing', sets: {unresolved: 'start-migration'}},
    'effect.completed': [
      {to: 'migrating.verifying', asks: ['shift-traffic'], sets: {host: 'h2', unresolved: ''}},
      {to: 'recovering.awaiting-restart', given: {targetHost: ''}},
      {to: 'migrating.cancelling', with: {kind: 'shift-traffic'}},
    ],
    'effect.failed': [
      {to: 'at-risk.observing', sets: {host: 'h1', unresolved: '', targetHost: ''}},
      {to: 'normal', given: {atRisk: false}},
      {to: 'migrating.cancelling', with: {kind: 'shift-traffic'}},
    ],
  },
  'migrating.verifying': {
    ...unchosen('migrating.verifying'),
    ...risk('migrating.verifying'),
    ...shifting('migrating.verifying', 'recovering.probation'),
    'host.lost': [down, otherGhostLost('migrating.verifying'), unrelated('migrating.verifying')],
    'placement.observed': '–',
  },
};
