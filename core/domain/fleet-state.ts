/** The five states of the statecharts, as values. */
export type TopState = 'normal' | 'at-risk' | 'migrating' | 'ghost-active' | 'recovering';

/** What changes about a host from tick to tick. */
export type StateOfHost = {
  top: TopState;
  /** Dotted: `at-risk.watching`. */
  path: string;
  /** Combined risk within the horizon; NaN: never scored. */
  risk: number;
  /** Component with the highest risk, or empty. */
  component: string;
  /** Inside the at-risk band (hysteresis and hold applied). */
  atRisk: boolean;
  cordoned: boolean;
  suspected: boolean;
  lost: boolean;
  /** No effect of ours until its agent has answered the newest epoch. */
  frozen: boolean;
  /** Since anything was heard of it. */
  silentForMs: number;
  /** Age of its newest sample: an edge that works off its spool is heard, but lags. */
  lagMs: number;
  /** Last failed effect on it; 0: none. */
  failedAtMs: number;
  /** When its risk last left the band; 0: never or still inside. */
  clearedAtMs: number;
  /** An effect on the host itself is under way. */
  busy: boolean;
};

/** What changes about a VM from tick to tick. */
export type StateOfVm = {
  top: TopState;
  path: string;
  host: string;
  /** Where its ghost is; empty: none. */
  ghostHost: string;
  ghostArmed: boolean;
  /** Where a VM that its ghost serves lived before. */
  homeHost: string;
  /** Target of a migration, ghost or restart under way; its memory is taken there already. */
  targetHost: string;
  /** 95th percentile of the last hour, in cores; its whole size when unknown. */
  cpuP95Cores: number;
  busy: boolean;
  /** When its last move ended; 0: never moved. */
  movedAtMs: number;
  failedAtMs: number;
};
