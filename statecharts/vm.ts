import {timing} from './timing.ts';
import {freshVm} from './vm-rules.ts';
import {ask, dropGhost, of, unresolved, vmSetup, wait} from './vm-setup.ts';
import {afterProbation, failOver, lateArrival, shift, shiftEntry} from './vm-transitions.ts';

/**
 * A virtual machine. Its primary may have a ghost: a paused twin elsewhere that takes over when the
 * primary's host is proven lost. SPEC.md has every state × event.
 */
export const vmMachine = vmSetup.createMachine({
  id: 'vm',
  context: ({input}) => freshVm(input.id),
  initial: 'normal',
  on: {
    'flag.changed': {actions: 'flagged'},
    'effect.completed': {guard: 'ghostRetired', actions: 'ghostGone'},
    'host.lost': {guard: 'ghostHostLost', actions: 'ghostGone'},
  },
  states: {
    normal: {
      entry: ['entered', 'rested', dropGhost, 'waitForGhost'],
      on: {
        'risk.raised': {guard: 'here', target: 'at-risk', actions: 'raised'},
        'retire-ghost.chosen': {guard: 'hasGhost', actions: dropGhost},
        'host.lost': failOver,
        'placement.observed': [
          {guard: 'atTarget', target: 'migrating.verifying', actions: 'arrived'},
          {guard: 'here', actions: 'settled'},
          {actions: 'observed'},
        ],
        'deadline.passed': [
          {guard: 'hasGhostAndAttempts', actions: ['tried', dropGhost, 'waitForGhost']},
          {actions: 'rested'},
        ],
        'effect.completed': [
          {guard: 'ghostRetired', actions: ['ghostGone', 'rested']},
          ...lateArrival('#vm.migrating.verifying'),
        ],
        'effect.failed': {guard: 'late', actions: 'settled'},
      },
    },

    'at-risk': {
      entry: 'entered',
      initial: 'observing',
      on: {
        'risk.raised': {guard: 'here', actions: 'raised'},
        'risk.cleared': {target: 'normal', actions: 'cleared'},
        'host.lost': failOver,
        'placement.observed': [
          {guard: 'atTarget', target: 'migrating.verifying', actions: 'arrived'},
          {guard: 'here', actions: 'settled'},
          {target: 'normal', actions: 'observed'},
        ],
        'effect.completed': lateArrival('#vm.migrating.verifying'),
        'effect.failed': {guard: 'late', actions: 'settled'},
      },
      states: {
        observing: {
          entry: 'rest',
          always: [
            {guard: 'riskOver', target: '#vm.normal'},
            {guard: 'ghostReady', target: 'protected'},
          ],
          on: {
            'migration.chosen': {
              guard: 'mayMove',
              target: '#vm.migrating.pre-copy',
              actions: 'aimed',
            },
            'ghost.chosen': {guard: 'mayArm', target: 'arming-ghost', actions: 'ghostPlaced'},
            'retire-ghost.chosen': {guard: 'hasGhost', actions: dropGhost},
            'deadline.passed': {actions: 'rested'},
          },
        },
        'arming-ghost': {
          meta: {awaits: 'arm-ghost'},
          entry: ask('arm-ghost'),
          on: {
            'effect.completed': [
              {guard: of('arm-ghost'), target: 'protected', actions: 'ghostArmed'},
              // Said of an earlier ghost, not of the one that is being armed.
              {guard: 'ghostRetired'},
            ],
            'effect.failed': {
              guard: of('arm-ghost'),
              target: 'observing',
              actions: ['tried', 'ghostGone'],
            },
            'retire-ghost.chosen': {target: 'observing', actions: dropGhost},
            'deadline.passed': {target: 'observing', actions: ['tried', dropGhost]},
            cancelled: {target: 'observing', actions: dropGhost},
            'host.lost': {guard: 'ghostHostLost', target: 'observing', actions: 'ghostGone'},
          },
        },
        protected: {
          entry: 'rest',
          on: {
            'migration.chosen': {
              guard: 'mayMove',
              target: '#vm.migrating.pre-copy',
              actions: 'aimed',
            },
            'retire-ghost.chosen': {target: 'observing', actions: dropGhost},
            'deadline.passed': {actions: 'rested'},
            'host.lost': {guard: 'ghostHostLost', target: 'observing', actions: 'ghostGone'},
          },
        },
      },
    },

    migrating: {
      entry: 'entered',
      initial: 'pre-copy',
      on: {
        'risk.raised': {guard: 'here', actions: 'raised'},
        'risk.cleared': {actions: 'cleared'},
        'host.lost': failOver,
      },
      states: {
        'pre-copy': {
          meta: {awaits: 'start-migration'},
          entry: ask('start-migration'),
          on: {
            'effect.completed': {
              guard: of('start-migration'),
              target: 'verifying',
              actions: 'arrived',
            },
            'effect.failed': {
              guard: of('start-migration'),
              target: '#vm.at-risk',
              actions: ['tried', 'settled'],
            },
            'placement.observed': {guard: 'atTarget', target: 'verifying', actions: 'arrived'},
            'deadline.passed': {target: 'cancelling'},
            cancelled: {target: 'cancelling'},
            'host.lost': {guard: 'targetLost', target: 'cancelling', actions: 'targetGone'},
          },
        },
        cancelling: {
          entry: [unresolved('start-migration'), wait(timing.cancelMs)],
          on: {
            'effect.completed': lateArrival('#vm.migrating.verifying'),
            'effect.failed': {guard: 'late', target: '#vm.at-risk', actions: ['tried', 'settled']},
            'placement.observed': {guard: 'atTarget', target: 'verifying', actions: 'arrived'},
            'deadline.passed': {target: '#vm.at-risk', actions: 'tried'},
            cancelled: {target: '#vm.at-risk', actions: 'tried'},
          },
        },
        verifying: {
          meta: {awaits: 'shift-traffic'},
          entry: shiftEntry,
          on: shift('#vm.recovering.probation'),
        },
      },
    },

    'ghost-active': {
      entry: 'entered',
      initial: 'activating',
      on: {
        'risk.raised': {guard: 'here', actions: 'raised'},
        'risk.cleared': {actions: 'cleared'},
        // While the ghost serves there is no other twin to take over.
        'host.lost': {
          guard: 'primaryLost',
          target: '#vm.recovering.awaiting-restart',
          actions: ['down', 'settled'],
        },
      },
      states: {
        activating: {
          meta: {awaits: 'activate-ghost'},
          entry: [wait(timing.activateMs), ask('activate-ghost')],
          on: {
            'effect.completed': {
              guard: of('activate-ghost'),
              target: 'redirecting',
              actions: 'arrived',
            },
            'effect.failed': [
              {
                guard: {type: 'ofWithAttempts', params: {kind: 'activate-ghost'}},
                actions: ['tried', wait(timing.activateMs), ask('activate-ghost')],
              },
              {
                guard: of('activate-ghost'),
                target: '#vm.recovering.awaiting-restart',
                actions: ['down', 'settled'],
              },
            ],
            'deadline.passed': {
              target: '#vm.recovering.awaiting-restart',
              actions: ['ghostDisarmed', unresolved('activate-ghost')],
            },
            cancelled: {
              target: '#vm.recovering.awaiting-restart',
              actions: ['ghostDisarmed', unresolved('activate-ghost')],
            },
            'host.lost': [
              {
                guard: 'ghostHostLost',
                target: '#vm.recovering.awaiting-restart',
                actions: ['down', 'settled', 'ghostGone'],
              },
              {},
            ],
          },
        },
        redirecting: {
          meta: {awaits: 'shift-traffic'},
          entry: shiftEntry,
          on: shift('#vm.ghost-active.serving'),
        },
        serving: {
          entry: wait(timing.adoptMs),
          on: {
            'fail-back.chosen': {guard: 'mayReturn', target: 'syncing-back', actions: 'homeward'},
            'effect.completed': lateArrival('#vm.recovering.redirecting'),
            'effect.failed': {guard: 'late', actions: 'settled'},
            'placement.observed': [
              {guard: 'elsewhere', target: '#vm.recovering.redirecting', actions: 'observed'},
              {actions: 'settled'},
            ],
            'deadline.passed': {target: '#vm.recovering.probation', actions: 'adopted'},
            cancelled: {target: '#vm.recovering.probation', actions: 'adopted'},
          },
        },
        'syncing-back': {
          meta: {awaits: 'sync-back'},
          entry: ask('sync-back'),
          on: {
            'effect.completed': {guard: of('sync-back'), target: 'failing-back'},
            'effect.failed': {
              guard: of('sync-back'),
              target: 'serving',
              actions: ['tried', 'settled'],
            },
            'deadline.passed': {target: 'serving', actions: ['tried', 'settled']},
            cancelled: {target: 'serving', actions: 'settled'},
            'host.lost': {guard: 'targetLost', target: 'serving', actions: 'settled'},
          },
        },
        'failing-back': {
          meta: {awaits: 'fail-back'},
          entry: [wait(timing.failBackMs), ask('fail-back')],
          on: {
            'effect.completed': [
              {
                guard: {type: 'ofOnLostTarget', params: {kind: 'fail-back'}},
                target: '#vm.recovering.awaiting-restart',
                actions: ['down', 'settled'],
              },
              {
                guard: of('fail-back'),
                target: '#vm.recovering.redirecting',
                actions: 'arrived',
              },
            ],
            'effect.failed': {
              guard: of('fail-back'),
              target: 'serving',
              actions: ['tried', 'settled'],
            },
            'placement.observed': {
              guard: 'atTarget',
              target: '#vm.recovering.redirecting',
              actions: 'arrived',
            },
            'deadline.passed': {target: 'serving', actions: ['tried', unresolved('fail-back')]},
            cancelled: {target: 'serving', actions: ['tried', unresolved('fail-back')]},
            'host.lost': [
              {
                guard: 'primaryLost',
                target: '#vm.recovering.awaiting-restart',
                actions: ['down', unresolved('fail-back')],
              },
              {guard: 'targetLost', actions: 'targetGone'},
            ],
          },
        },
      },
    },

    recovering: {
      entry: ['entered', 'adopted'],
      initial: 'awaiting-restart',
      on: {
        'risk.raised': {guard: 'here', actions: 'raised'},
        'risk.cleared': {actions: 'cleared'},
      },
      states: {
        'awaiting-restart': {
          entry: [wait(timing.restMs), dropGhost],
          on: {
            'restart.chosen': {guard: 'mayRestart', target: 'restarting', actions: 'aimed'},
            'placement.observed': {target: 'redirecting', actions: 'observed'},
            'effect.completed': [
              {guard: 'lateOnLostTarget', actions: 'settled'},
              {guard: 'late', target: 'redirecting', actions: 'arrived'},
            ],
            'effect.failed': {guard: 'late', actions: ['settled', dropGhost]},
            'host.lost': {guard: 'targetLost', actions: ['targetGone', 'settled']},
            'deadline.passed': {actions: ['fresh', 'settled', dropGhost, wait(timing.restMs)]},
            cancelled: {target: '#vm.normal', actions: 'released'},
          },
        },
        restarting: {
          meta: {awaits: 'restart-vm'},
          entry: ask('restart-vm'),
          on: {
            'effect.completed': {
              guard: of('restart-vm'),
              target: 'redirecting',
              actions: 'arrived',
            },
            'effect.failed': {
              guard: of('restart-vm'),
              target: 'awaiting-restart',
              actions: ['tried', 'settled'],
            },
            'deadline.passed': {
              target: 'awaiting-restart',
              actions: ['tried', unresolved('restart-vm')],
            },
            cancelled: {
              target: 'awaiting-restart',
              actions: ['tried', unresolved('restart-vm')],
            },
            'host.lost': {
              guard: 'targetLost',
              target: 'awaiting-restart',
              actions: ['tried', 'targetGone', 'settled'],
            },
          },
        },
        redirecting: {
          meta: {awaits: 'shift-traffic'},
          entry: shiftEntry,
          on: {...shift('#vm.recovering.probation'), 'host.lost': failOver},
        },
        probation: {
          entry: wait(timing.probationMs),
          on: {
            'deadline.passed': afterProbation,
            cancelled: afterProbation,
            'host.lost': failOver,
            'placement.observed': {guard: 'elsewhere', target: 'redirecting', actions: 'observed'},
          },
        },
      },
    },
  },
});
