/** People and programs at work on hosts: their steps made, their reboots carried out. */
import type {Episode} from './faults.ts';
import {firstReboot, type Occasion} from './occasions.ts';
import {applyStep, COUNTERS} from './people.ts';
import type {SimulatedHost} from './world.ts';

/** Makes all steps up to `atMs`; forgets occasions that have no more and end in nothing. */
export function goAboutUntil(host: SimulatedHost, atMs: number): void {
  const {occasions} = host;
  if (occasions.length === 0 || (occasions[0] as Occasion).beginsMs > atMs) return;
  for (const occasion of occasions) {
    if (occasion.beginsMs > atMs) break;
    makeSteps(host, occasion, atMs);
  }
  const over = occasions.filter(isOver);
  if (over.length === 0) return;
  host.occasions = occasions.filter(occasion => !isOver(occasion));
  for (const {regression} of over) bringFault(host, regression);
}

function isOver({next, steps, rebootMs}: Occasion): boolean {
  return next >= steps.length && rebootMs === Number.POSITIVE_INFINITY;
}

function makeSteps(host: SimulatedHost, occasion: Occasion, atMs: number): void {
  const {steps} = occasion;
  for (; occasion.next < steps.length; occasion.next++) {
    const step = steps[occasion.next] as Occasion['steps'][number];
    if (step.atMs > atMs) return;
    const isCounted = (COUNTERS as readonly string[]).includes(step.does);
    // Who looks only now sees what is left of it.
    const left = isCounted ? Math.exp((step.atMs - atMs) / 60_000) : 1;
    applyStep(host.people, host.changes, {...step, amount: step.amount * left});
  }
}

/** The occasion whose time has come to take its host down. */
export function dueReboot(host: SimulatedHost): Occasion | undefined {
  return host.occasions.find(({rebootMs}) => rebootMs === host.rebootsAtMs);
}

/** Occasions that begin while a host is down take place nowhere; those under way end with it. */
export function leaveUntil(host: SimulatedHost, returnsAtMs: number): void {
  if (host.occasions.length === 0) return;
  host.occasions = host.occasions.filter(({beginsMs}) => beginsMs >= returnsAtMs);
  host.rebootsAtMs = firstReboot(host.occasions);
}

export function bringFault(host: SimulatedHost, regression: Episode | undefined): void {
  if (regression === undefined) return;
  host.episodes = [...host.episodes, regression].sort((a, b) => a.onsetMs - b.onsetMs);
}
