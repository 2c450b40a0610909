/**
 * What an actor may ask for. An effect is data: the executor carries it out, and what came of it
 * returns through the inbox as an {@link EffectResult}.
 */
export const effectKinds = [
  'cordon-host', // no new VMs here
  'uncordon-host',
  'fence-host', // power off through the out-of-band controller; success proves that nothing runs
  'start-migration', // vm: host → targetHost
  'arm-ghost', // vm: a paused twin on targetHost, kept in sync
  'retire-ghost', // drop the twin on targetHost
  'activate-ghost', // the twin on targetHost becomes the VM; only after its primary is fenced
  'sync-back', // ghost's changes back to the repaired host
  'fail-back', // the VM runs on host again, the ghost is armed or gone
  'shift-traffic', // balancer: weightPercent of the VM's traffic to targetHost
  'restart-vm', // ordinary HA: boot on targetHost
] as const;

export type EffectKind = (typeof effectKinds)[number];

/** An effect as an actor emits it; the engine adds id and address. */
export type Effect = {
  kind: EffectKind;
  host: string;
  /** Empty for effects on a host. */
  vm: string;
  /** Empty where there is none. */
  targetHost: string;
  /** Only for shift-traffic; 0 elsewhere. */
  weightPercent: number;
  /** When the actor stops waiting. */
  deadlineMs: number;
};

/** An effect in the journal. */
export type IssuedEffect = Effect & {
  /** `partition/epoch/tick/index`: its origin, and what makes repeats harmless. */
  id: string;
  /** Agent that carries it out: a host name, `power`, or `balancer`. */
  agent: string;
  address: string;
};

/** Agents that act beside the fleet: no host may have their names. */
export const fleetAgents: readonly string[] = ['power', 'balancer'];

export type EffectStatus = 'unknown' | 'running' | 'done' | 'failed' | 'cancelled';

/** Code of an effect that was cancelled before its agent had seen it: it will never begin. */
export const NEVER_BEGUN = 'NEVER_BEGUN';

/** What an agent says of an effect. */
export type EffectReport = {
  id: string;
  status: EffectStatus;
  /** Low-cardinality reason when failed or cancelled. */
  code: string;
  message: string;
  /** 0 to 1 while running. */
  progress: number;
  /** Measured by the driver: `downtime_seconds`, `transferred_bytes`, … */
  figures: Readonly<Record<string, number>>;
};

/** `abandoned`: it was never executed and never will be. */
export const resultStatuses = ['done', 'failed', 'cancelled', 'abandoned'] as const;

/** The one final word on an effect. */
export type EffectResult = {
  id: string;
  status: (typeof resultStatuses)[number];
  code: string;
  message: string;
  figures: Readonly<Record<string, number>>;
};
