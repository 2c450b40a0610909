import type {EffectKind, EffectReport, IssuedEffect} from '../../core/domain/effects.ts';

type Eventually<T> = T | Promise<T>;

/**
 * What acts on a host: a hypervisor, a power controller, a balancer. Time comes from the caller,
 * so that a simulated driver stands still when the simulation does.
 *
 * A driver keeps nothing durable: the actuator's table remembers effects across restarts, and
 * gives the driver each id once. What goes wrong is a `failed` report with a low-cardinality code
 * and a message that says what was found; a method that throws is a defect of the driver.
 */
export type Driver = {
  /** The effects it can carry out here and now; the others are never begun. */
  capabilities(): readonly EffectKind[];
  /**
   * Looks first (already there, already moving, gone?), then begins. Answers at once: `done` or
   * `failed` if that settles it, else `running`. `done` has been verified: the state is as asked.
   */
  start(effect: IssuedEffect, nowMs: number): Eventually<EffectReport>;
  /** What is known of an effect; `unknown` if it was not begun since the driver started. */
  progress(id: string, nowMs: number): Eventually<EffectReport>;
  /**
   * Asks a running effect to stop and to undo what it changed. Past the point of no return it goes
   * on, and the report says so: only the report's status counts.
   */
  cancel(id: string, nowMs: number): Eventually<EffectReport>;
  /**
   * Stops or pauses every VM of this agent's host at once, because the lease ran out: the core may
   * start them elsewhere after it. Absent where a driver runs no VMs (power, balancer).
   */
  stopVms?(agent: string, nowMs: number): Eventually<void>;
};
