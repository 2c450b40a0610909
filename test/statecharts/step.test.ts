/** A step of an actor at rest is what XState's own running actor does. */
import test from 'ava';
import {type AnyStateMachine, createActor} from 'xstate';
import type {Effect} from '../../core/domain/effects.ts';
import {firstState, stepActor} from '../../statecharts/actor.ts';
import type {ActorKind, EmittedEffect} from '../../statecharts/events.ts';
import {machines, type RestState} from '../../statecharts/registry.ts';
import fc from '../support/fast-check.ts';
import {type AnyEvent, hostEvents, vmEvents} from './walk.ts';

const events = {host: hostEvents, vm: vmEvents};

/** XState as its manual has it: made once, started, sent one event after the other. */
function runningActor(kind: ActorKind, {context}: RestState) {
  const machine: AnyStateMachine = machines[kind].machine;
  const snapshot = machine.resolveState({value: 'normal', context});
  const actor = createActor(machine, {input: {id: context.id}, snapshot}).start();
  let effects: Effect[] = [];
  actor.on('effect', ({effect}: EmittedEffect) => effects.push(effect));
  return (event: AnyEvent) => {
    effects = [];
    actor.send(event);
    const {value, context: at} = actor.getSnapshot();
    return {value, context: at, effects};
  };
}

const asValue = (path: string): unknown =>
  path
    .split('.')
    .reduceRight<unknown>(
      (inner, name) => (inner === undefined ? name : {[name]: inner}),
      undefined,
    );

for (const kind of ['host', 'vm'] as const) {
  test(`a ${kind} steps as an actor runs that XState keeps`, t => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom<AnyEvent>(...events[kind]), {minLength: 1, maxLength: 80}),
        sent => {
          let rest: RestState = firstState(kind, 'x', kind === 'vm' ? 'h1' : '');
          const run = runningActor(kind, rest);
          for (const event of sent) {
            const before = structuredClone(rest);
            const step = stepActor(kind, rest, event);
            t.deepEqual(rest, before, 'what was given is left as it was');
            t.deepEqual(
              {value: asValue(step.state), context: step.context, effects: step.effects},
              run(event),
            );
            rest = {state: step.state, context: step.context};
          }
        },
      ),
      {numRuns: 300},
    );
  });
}
