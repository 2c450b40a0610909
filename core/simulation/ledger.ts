/**
 * Ground truth: what really happened to the VMs and their users, whoever acted. Times are exact to
 * the millisecond, not to the step.
 */

export type LedgerSummary = {
  /** Seconds in which a VM did not run or could not be reached, switchover pauses included. */
  vmDowntimeSeconds: number;
  /** Outages; a pause of a planned switchover is none. */
  interruptions: number;
  /** Live migrations that completed. */
  migrations: number;
  /** … away from a host that neither failed nor was rebooted within 30 minutes. */
  needlessMoves: number;
  /** Failures of a host that still ran a movable VM without an armed ghost. */
  missedFailures: number;
  failedRequests: number;
  /** Median time from the first act on a host to its failure; 0 when no failure was foreseen. */
  leadTimeSecondsP50: number;
};

export type LedgerDetails = {
  /** Downtime weighted by criticality. */
  weightedDowntimeSeconds: number;
  hostFailures: number;
  /** Reboots that somebody meant, what of all downtime they cost, and in how many outages. */
  plannedReboots: number;
  plannedDowntimeSeconds: number;
  plannedInterruptions: number;
  /** … of a host that still ran a movable VM without an armed ghost. */
  missedReboots: number;
  ghostActivations: number;
  failBacks: number;
  restarts: number;
  /** One per failure that an act preceded, in order of failure. */
  leadTimesSeconds: readonly number[];
  /** Requests that would have run a VM twice; the disk lock refused each. */
  violations: readonly string[];
};

/** What a VM costs while it is down. */
export type LedgerVm = {criticality: number; requestsPerSecond: number};

/** A client rides over a pause this long (balancer: connect timeout 250 ms, then a retry). */
export const RETRY_SECONDS = 0.25;

type Count = 'migrations' | 'needlessMoves' | 'ghostActivations' | 'failBacks' | 'restarts';

export class Ledger {
  readonly #vms: readonly LedgerVm[];
  /** When each VM's outage began; NaN: it is served. */
  readonly #downSinceMs: Float64Array;
  readonly #downSeconds: Float64Array;
  /** 1: its outage under way began with a reboot that somebody meant. */
  readonly #isPlanned: Uint8Array;
  readonly #firstActMs = new Map<string, number>();
  readonly #leadTimes: number[] = [];
  readonly #violations: string[] = [];
  readonly #counts: Record<Count, number> = {
    migrations: 0,
    needlessMoves: 0,
    ghostActivations: 0,
    failBacks: 0,
    restarts: 0,
  };
  #interruptions = 0;
  #hostFailures = 0;
  #plannedReboots = 0;
  #plannedInterruptions = 0;
  #plannedDownSeconds = 0;
  #missedReboots = 0;
  #missedFailures = 0;
  #failedRequests = 0;

  constructor(vms: readonly LedgerVm[]) {
    this.#vms = vms;
    this.#downSinceMs = new Float64Array(vms.length).fill(Number.NaN);
    this.#downSeconds = new Float64Array(vms.length);
    this.#isPlanned = new Uint8Array(vms.length);
  }

  /**
   * A VM is served from now on, or not. Repeats change nothing.
   *
   * @param isPlanned Whether it stops because somebody reboots its host on purpose.
   */
  serve(vm: number, served: boolean, atMs: number, isPlanned = false): void {
    const sinceMs = this.#downSinceMs[vm] as number;
    const isDown = !Number.isNaN(sinceMs);
    if (served !== isDown) return;
    if (!served) {
      this.#downSinceMs[vm] = atMs;
      this.#interruptions++;
      this.#isPlanned[vm] = Number(isPlanned);
      if (isPlanned) this.#plannedInterruptions++;
      return;
    }
    this.#downSinceMs[vm] = Number.NaN;
    this.#addOutage(vm, (atMs - sinceMs) / 1000);
  }

  /** Since when a VM is not served; NaN if it is. */
  downSinceMs(vm: number): number {
    return this.#downSinceMs[vm] as number;
  }

  /** The pause of a planned switchover: downtime, but no interruption. */
  pause(vm: number, seconds: number): void {
    this.#downSeconds[vm] = (this.#downSeconds[vm] as number) + seconds;
    this.misdirect(vm, Math.max(0, seconds - RETRY_SECONDS));
  }

  /** All requests of `seconds` went where the VM was not. */
  misdirect(vm: number, seconds: number): void {
    this.#failedRequests += (this.#vms[vm]?.requestsPerSecond ?? 0) * seconds;
  }

  count(what: Count): void {
    this.#counts[what]++;
  }

  /** Something was done about a host; the first one counts for its lead time. */
  act(host: string, atMs: number): void {
    if (!this.#firstActMs.has(host)) this.#firstActMs.set(host, atMs);
  }

  /** The host is thought healthy again: what was done before foresaw nothing. */
  clear(host: string): void {
    this.#firstActMs.delete(host);
  }

  /** A host failed; `unprotected` movable VMs without an armed ghost were still on it. */
  hostFailed(host: string, atMs: number, unprotected: number): void {
    this.#hostFailures++;
    if (unprotected > 0) this.#missedFailures++;
    this.#noteLeadTime(host, atMs);
  }

  /** Somebody reboots a host on purpose; `unprotected` as for a failure. */
  hostRebooted(host: string, atMs: number, unprotected: number): void {
    this.#plannedReboots++;
    if (unprotected > 0) this.#missedReboots++;
    this.#noteLeadTime(host, atMs);
  }

  #noteLeadTime(host: string, atMs: number): void {
    const firstActMs = this.#firstActMs.get(host);
    if (firstActMs !== undefined) this.#leadTimes.push((atMs - firstActMs) / 1000);
    this.clear(host);
  }

  /** Somebody asked for a second copy of a VM that may still run. */
  violation(what: string): void {
    this.#violations.push(what);
  }

  /** Outages that still last are counted until `nowMs`. */
  summary(nowMs: number): LedgerSummary {
    let downSeconds = 0;
    let failedRequests = this.#failedRequests;
    for (let vm = 0; vm < this.#vms.length; vm++) {
      const openSeconds = this.#openSeconds(vm, nowMs);
      downSeconds += (this.#downSeconds[vm] as number) + openSeconds;
      failedRequests += openSeconds * (this.#vms[vm]?.requestsPerSecond ?? 0);
    }
    return {
      vmDowntimeSeconds: Math.round(downSeconds * 1000) / 1000,
      interruptions: this.#interruptions,
      migrations: this.#counts.migrations,
      needlessMoves: this.#counts.needlessMoves,
      missedFailures: this.#missedFailures,
      failedRequests: Math.round(failedRequests),
      leadTimeSecondsP50: median(this.#leadTimes),
    };
  }

  details(nowMs: number): LedgerDetails {
    let weighted = 0;
    let plannedDownSeconds = this.#plannedDownSeconds;
    for (let vm = 0; vm < this.#vms.length; vm++) {
      const openSeconds = this.#openSeconds(vm, nowMs);
      if (this.#isPlanned[vm] === 1) plannedDownSeconds += openSeconds;
      const seconds = (this.#downSeconds[vm] as number) + openSeconds;
      weighted += seconds * (this.#vms[vm]?.criticality ?? 0);
    }
    const {ghostActivations, failBacks, restarts} = this.#counts;
    return {
      weightedDowntimeSeconds: weighted,
      hostFailures: this.#hostFailures,
      plannedReboots: this.#plannedReboots,
      plannedDowntimeSeconds: plannedDownSeconds,
      plannedInterruptions: this.#plannedInterruptions,
      missedReboots: this.#missedReboots,
      ghostActivations,
      failBacks,
      restarts,
      leadTimesSeconds: [...this.#leadTimes],
      violations: [...this.#violations],
    };
  }

  #addOutage(vm: number, seconds: number): void {
    this.#downSeconds[vm] = (this.#downSeconds[vm] as number) + seconds;
    if (this.#isPlanned[vm] === 1) this.#plannedDownSeconds += seconds;
    this.misdirect(vm, seconds);
  }

  #openSeconds(vm: number, nowMs: number): number {
    const sinceMs = this.#downSinceMs[vm] as number;
    return Number.isNaN(sinceMs) ? 0 : (nowMs - sinceMs) / 1000;
  }
}

function median(values: readonly number[]): number {
  if (values.length === 0) return 0;
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const high = sorted[middle] as number;
  return sorted.length % 2 === 1 ? high : ((sorted[middle - 1] as number) + high) / 2;
}
