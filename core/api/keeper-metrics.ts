import {Counter, Gauge, type Registry} from 'prom-client';
import type {On} from './metrics.ts';

/** What the keeper of the models does, and in which phase it is. */
export function countKeeper(registry: Registry, on: On): void {
  const steps = new Counter({
    name: 'forestay_keeper_steps_total',
    help: 'What the keeper of the models did or found.',
    labelNames: ['what'],
    registers: [registry],
  });
  const phases = new Gauge({
    name: 'forestay_keeper_phase',
    help: '1 for the phase that the keeper of the models is in.',
    labelNames: ['phase'],
    registers: [registry],
  });
  on('keeper.stepped', ({phase, what}) => {
    if (what !== 'phase') {
      steps.inc({what});
      return;
    }
    phases.reset();
    phases.set({phase}, 1);
  });
}
