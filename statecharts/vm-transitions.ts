import {timing} from './timing.ts';
import {ask, of, wait} from './vm-setup.ts';

/** The primary is dead: its ghost takes over, or it waits for a restart elsewhere. */
export const failOver = [
  {
    guard: 'primaryLostGhostArmed',
    target: '#vm.ghost-active.activating',
    actions: 'failedOver',
  },
  {guard: 'primaryLost', target: '#vm.recovering.awaiting-restart', actions: ['down', 'settled']},
  {guard: 'targetLost', actions: 'targetGone'},
] as const;

export const afterProbation = [
  {guard: 'stillAtRisk', target: '#vm.at-risk'},
  {target: '#vm.normal'},
] as const;

/** An act that we no longer waited for turns out to have succeeded. */
export const lateArrival = (target: '#vm.migrating.verifying' | '#vm.recovering.redirecting') =>
  [
    {
      guard: 'lateOnLostTarget',
      target: '#vm.recovering.awaiting-restart',
      actions: ['down', 'settled'],
    },
    {guard: 'late', target, actions: 'arrived'},
  ] as const;

/** Traffic follows the VM. The balancer is asked a few times; then life goes on without it. */
export const shift = (done: '#vm.recovering.probation' | '#vm.ghost-active.serving') =>
  ({
    'effect.completed': {guard: of('shift-traffic'), target: done},
    'effect.failed': {guard: of('shift-traffic'), actions: wait(timing.retryMs)},
    'deadline.passed': [
      {
        guard: 'attemptsLeft',
        actions: ['tried', wait(timing.trafficMs), ask('shift-traffic')],
      },
      {target: done},
    ],
    cancelled: {target: done},
  }) as const;
export const shiftEntry = ['fresh', wait(timing.trafficMs), ask('shift-traffic')] as const;
