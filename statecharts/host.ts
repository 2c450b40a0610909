import type {EffectKind} from '../core/domain/effects.ts';
import {freshHost} from './host-rules.ts';
import {hostSetup} from './host-setup.ts';
import {timing} from './timing.ts';

const of = (kind: EffectKind) => ({type: 'of', params: {kind}}) as const;
const ofWithAttempts = (kind: EffectKind) => ({type: 'ofWithAttempts', params: {kind}}) as const;
const ask = (kind: EffectKind) => ({type: 'ask', params: {kind}}) as const;
const wait = (ms: number) => ({type: 'wait', params: {ms}}) as const;

/** The end of a probation, where health lifts the cordon. */
const healed = [
  {guard: 'stillAtRisk', target: '#host.at-risk'},
  {guard: 'cordoned', target: '#host.normal', actions: ['uncordoned', ask('uncordon-host')]},
  {target: '#host.normal'},
] as const;

const fence = {guard: 'suspected', target: '#host.at-risk.fencing', actions: 'fresh'} as const;
const lose = {target: '#host.ghost-active', actions: 'lost'} as const;
const evacuate = {target: '#host.migrating'} as const;
const uncordon = ['uncordoned', ask('uncordon-host')] as const;

/** A cordon that the agent did not confirm: asked again a few times, then given up. */
const cordonAgain = ['tried', wait(timing.cordonMs), ask('cordon-host')] as const;

/**
 * A physical host. Cordoning and uncordoning count from the moment they are asked for: placement
 * must not wait for an agent; refusals lift them again. What comes late changes no belief; it is undone. SPEC.md has every state × event.
 */
export const hostMachine = hostSetup.createMachine({
  id: 'host',
  context: ({input}) => freshHost(input.id),
  initial: 'normal',
  on: {
    'flag.changed': {actions: 'flagged'},
    'host.suspected': {actions: 'suspected'},
    'host.heard': {actions: 'heard'},
    // Of an earlier cordon this says nothing of a later one: health lifts what is believed.
    'effect.failed': {guard: of('uncordon-host'), actions: 'cordoned'},
    // A cordon that was given up on came about after all.
    'effect.completed': {guard: 'cordonLeftOver', actions: ask('uncordon-host')},
  },
  states: {
    normal: {
      entry: ['entered', 'rested'],
      on: {
        'risk.raised': {target: 'at-risk', actions: 'raised'},
        'uncordon.chosen': {guard: 'cordoned', actions: uncordon},
        'fence.chosen': fence,
        'host.lost': lose,
      },
    },

    'at-risk': {
      entry: 'entered',
      initial: 'watching',
      on: {
        'risk.raised': {actions: 'raised'},
        'risk.cleared': {target: 'normal', actions: 'cleared'},
        'evacuation.started': evacuate,
        'fence.chosen': fence,
        'host.lost': lose,
      },
      states: {
        watching: {
          entry: 'rested',
          always: [
            {guard: 'riskOver', target: '#host.normal'},
            {guard: 'cordoned', target: 'preparing'},
          ],
          on: {
            'cordon.chosen': {
              target: 'preparing',
              actions: ['cordoned', wait(timing.cordonMs), ask('cordon-host')],
            },
          },
        },
        preparing: {
          on: {
            'effect.completed': {guard: of('cordon-host'), actions: 'rested'},
            'effect.failed': [
              {guard: ofWithAttempts('cordon-host'), actions: cordonAgain},
              {guard: of('cordon-host'), target: 'watching', actions: uncordon},
            ],
            'deadline.passed': [
              {guard: 'attemptsLeft', actions: cordonAgain},
              {target: 'watching', actions: uncordon},
            ],
            'uncordon.chosen': {target: 'watching', actions: uncordon},
            cancelled: {target: 'watching', actions: uncordon},
          },
        },
        fencing: {
          meta: {awaits: 'fence-host'},
          entry: [wait(timing.fenceMs), ask('fence-host')],
          on: {
            'risk.cleared': {actions: 'cleared'},
            'evacuation.started': {},
            'fence.chosen': {},
            // A host that talks is not dead: the power stays on.
            'host.heard': {target: 'watching', actions: 'heard'},
            'effect.failed': [
              {
                guard: ofWithAttempts('fence-host'),
                actions: ['tried', wait(timing.fenceMs), ask('fence-host')],
              },
              {guard: of('fence-host'), target: 'watching'},
            ],
            'deadline.passed': {target: 'watching'},
            cancelled: {target: 'watching'},
          },
        },
      },
    },

    migrating: {
      entry: ['entered', 'fresh'],
      initial: 'evacuating',
      on: {
        'risk.raised': {actions: 'raised'},
        'risk.cleared': {actions: 'cleared'},
        'fence.chosen': fence,
        'host.lost': lose,
      },
      states: {
        evacuating: {
          entry: wait(timing.evacuationMs),
          on: {
            'evacuation.ended': [
              {guard: 'stillAtRisk', target: '#host.at-risk'},
              {target: '#host.recovering'},
            ],
            'deadline.passed': {target: '#host.at-risk'},
            cancelled: {target: '#host.at-risk'},
          },
        },
      },
    },

    'ghost-active': {
      entry: ['entered', 'rested'],
      initial: 'away',
      states: {
        away: {
          on: {
            'host.suspected': {},
            'host.heard': {},
            'effect.failed': {},
            'effect.completed': {},
            'host.returned': {target: '#host.recovering', actions: 'returned'},
          },
        },
      },
    },

    recovering: {
      entry: ['entered', 'fresh'],
      initial: 'verifying',
      on: {
        'risk.raised': {actions: 'raised'},
        'risk.cleared': {actions: 'cleared'},
        'fence.chosen': fence,
        'host.lost': lose,
      },
      states: {
        verifying: {
          entry: wait(timing.probationMs),
          on: {
            'deadline.passed': healed,
            cancelled: healed,
          },
        },
      },
    },
  },
});
