import type {Effect, EffectKind} from '../core/domain/effects.ts';

/** The card's five states, verbatim: the only top-level states of both machines. */
export const states = ['normal', 'at-risk', 'migrating', 'ghost-active', 'recovering'] as const;
export type StateName = (typeof states)[number];

/** Every event carries the tick's time: a machine has no clock. */
type At = {atMs: number};

/** Results of an actor's own effects, as the engine hands them on. */
export type EffectEvent = At & {
  type: 'effect.completed' | 'effect.failed';
  kind: EffectKind;
  effectId: string;
  code: string;
  /** Measured by the driver, e.g. `downtime_seconds`. */
  figures: Readonly<Record<string, number>>;
};

/** The flags that the engine sets from outside; a machine stores them and holds back while frozen. */
export type Flag = 'stale' | 'frozen' | 'silenced';
export type FlagEvent = At & {type: 'flag.changed'; flag: Flag; on: boolean};

/** What a host actor hears. */
export type HostEvent =
  | (At & {type: 'risk.raised'; risk: number; component: string})
  | (At & {type: 'risk.cleared'; risk: number})
  /** The planner chose to keep new VMs away / to let them in again. */
  | (At & {type: 'cordon.chosen'})
  | (At & {type: 'uncordon.chosen'})
  /** The planner moves VMs away; `count` are still here. */
  | (At & {type: 'evacuation.started'; count: number})
  | (At & {type: 'evacuation.ended'; count: number})
  /** Telemetry stopped; nothing is known. */
  | (At & {type: 'host.suspected'})
  | (At & {type: 'host.heard'})
  /** The planner asks for proof through the power controller. */
  | (At & {type: 'fence.chosen'})
  /** Proven: fenced, declared by an operator, or the lease ran out. */
  | (At & {type: 'host.lost'; proof: 'fence' | 'operator' | 'lease'})
  | (At & {type: 'host.returned'})
  | (At & {type: 'deadline.passed'})
  | (At & {type: 'cancelled'; by: string})
  | FlagEvent
  | EffectEvent;

/** What a VM actor hears. `host` is always the VM's present host. */
export type VmEvent =
  | (At & {type: 'risk.raised'; risk: number; host: string})
  | (At & {type: 'risk.cleared'; risk: number})
  | (At & {type: 'migration.chosen'; host: string; targetHost: string; deadlineMs: number})
  | (At & {type: 'ghost.chosen'; host: string; targetHost: string; deadlineMs: number})
  | (At & {type: 'retire-ghost.chosen'})
  /** The primary is proven dead. Ghost armed: activate it. Else: wait for `restart.chosen`. */
  | (At & {type: 'host.lost'; host: string})
  | (At & {type: 'restart.chosen'; targetHost: string; deadlineMs: number})
  /** The repaired primary is ready: bring the VM home. */
  | (At & {type: 'fail-back.chosen'; host: string; deadlineMs: number})
  /** Inventory says that the VM runs elsewhere than we thought. */
  | (At & {type: 'placement.observed'; host: string})
  | (At & {type: 'deadline.passed'})
  | (At & {type: 'cancelled'; by: string})
  | FlagEvent
  | EffectEvent;

/** Effects leave a machine as emitted events of type `effect`. */
export type EmittedEffect = {type: 'effect'; effect: Effect};

/** What both contexts share. Everything is plain JSON: a context is stored with each transition. */
export type BaseContext = {
  id: string;
  /** When the actor wants `deadline.passed`; 0: never. */
  deadlineMs: number;
  /** When the current top-level state was entered. */
  enteredAtMs: number;
  risk: number;
  /** The band as last told: raised and not yet cleared. */
  atRisk: boolean;
  /** Attempts at the current act, for bounded retries. */
  attempts: number;
  stale: boolean;
  frozen: boolean;
  silenced: boolean;
};

export type HostContext = BaseContext & {
  component: string;
  cordoned: boolean;
  suspected: boolean;
  lost: boolean;
};

export type VmContext = BaseContext & {
  host: string;
  /** Where the act under way will put the VM; empty: no act, or that host is lost. */
  targetHost: string;
  /** Where the ghost is; empty: there is none. */
  ghostHost: string;
  ghostArmed: boolean;
  /** Where the VM lived before its ghost took over; empty else. */
  homeHost: string;
  /**
   * The act that we stopped waiting for without knowing what came of it; empty: none. Nothing new
   * is begun until its result, or the inventory, says where the VM is.
   */
  unresolved: EffectKind | '';
};

export type ActorKind = 'host' | 'vm';
