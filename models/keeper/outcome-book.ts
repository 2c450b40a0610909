/**
 * What became of hosts, as partitions told it, and when nobody watched: the ledger by which rows are
 * labelled.
 *
 * O1. Bounded: what is older than a day before the oldest row that is still judged goes, and of more
 *     than {@link OUTCOMES_MAX} outcomes the oldest.
 * O2. A partition that tells nothing of its hosts for longer than `gapMs`, as after a clock that
 *     jumped or a core that was down, has not watched them meanwhile: nothing is known of that time.
 * O3. Time is that of the rows: the latest of all partitions. What a partition has not come to, as
 *     one that is moved and catches up, is not known of its hosts, however far the others are.
 * O4. Of more than {@link GAPS_MAX} gaps of a partition the oldest two become one, with what lies
 *     between them: what was not watched is never taken for quiet.
 */
import type {HostOutcome, ObservedRows} from '../../core/domain/observed.ts';
import {type EventLedger, type HostEvent, readLedger} from '../learning/event-ledger.ts';
import {toHostEvents} from './host-events.ts';

const OUTCOMES_MAX = 50_000;
const KEPT_BEFORE_MS = 24 * 3_600_000;
/** Each is an entry in the ledger of each of the partition's hosts. */
const GAPS_MAX = 20;
const HOSTS_MAX = 100_000;

type Gap = {readonly fromMs: number; readonly untilMs: number};

export class OutcomeBook {
  readonly #settleMs: number;
  readonly #gapMs: number;
  #outcomes: HostOutcome[] = [];
  /** By partition, oldest first. */
  readonly #gaps = new Map<number, Gap[]>();
  /** When each partition last told of rows. */
  readonly #toldAtMs = new Map<number, number>();
  readonly #hostsOf = new Map<number, number>();
  readonly #partitionOf = new Map<string, number>();
  #nowMs = Number.NEGATIVE_INFINITY;
  /** Of rows before nothing is known: too many outcomes came, and the oldest went. */
  knownSinceMs = Number.NEGATIVE_INFINITY;

  /**
   * @param settleMs So long after it happened an outcome is told, as a rule.
   * @param gapMs Without rows for longer nobody has watched.
   */
  constructor({settleMs, gapMs}: {settleMs: number; gapMs: number}) {
    this.#settleMs = settleMs;
    this.#gapMs = gapMs;
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  /** @returns False if its partition has told of a later time: nothing is taken. */
  watch({partition, atMs, hosts}: ObservedRows): boolean {
    const last = this.#toldAtMs.get(partition);
    if (last !== undefined && atMs < last) return false;
    if (last !== undefined && atMs - last > this.#gapMs) {
      this.#noteGap(partition, {fromMs: last, untilMs: atMs});
    }
    this.#toldAtMs.set(partition, atMs);
    // A second contract's rows of the same step are of other hosts.
    this.#hostsOf.set(
      partition,
      (atMs === last ? (this.#hostsOf.get(partition) ?? 0) : 0) + hosts.length,
    );
    this.#nowMs = Math.max(this.#nowMs, atMs);
    if (this.#partitionOf.size > HOSTS_MAX) this.#partitionOf.clear();
    for (const {name} of hosts) this.#partitionOf.set(name, partition);
    return true;
  }

  #noteGap(partition: number, gap: Gap): void {
    const gaps = [...(this.#gaps.get(partition) ?? []), gap];
    const [first, second, ...others] = gaps;
    const isFull = gaps.length > GAPS_MAX && first !== undefined && second !== undefined;
    const joined = isFull ? [{fromMs: first.fromMs, untilMs: second.untilMs}, ...others] : gaps;
    this.#gaps.set(partition, joined);
  }

  /** Hosts that partitions told of when they last did. */
  hosts(): number {
    let hosts = 0;
    for (const each of this.#hostsOf.values()) hosts += each;
    return hosts;
  }

  /**
   * What came of rows before this time is known, as a rule, whatever came: all partitions have told of
   * what is later, but for those that are behind by more than a gap.
   */
  settledMs(horizonMs: number): number {
    let slowestMs = this.#nowMs;
    for (const atMs of this.#toldAtMs.values()) {
      if (this.#nowMs - atMs <= this.#gapMs) slowestMs = Math.min(slowestMs, atMs);
    }
    return slowestMs - horizonMs - this.#settleMs;
  }

  tell(outcome: HostOutcome): void {
    this.#outcomes.push(outcome);
    if (this.#outcomes.length <= OUTCOMES_MAX) return;
    this.#outcomes = this.#outcomes.slice(-OUTCOMES_MAX / 2);
    this.knownSinceMs = this.#outcomes[0]?.recordedAtMs ?? this.#nowMs;
  }

  /** Failures of hosts from a time up to another; one of each host and time, whatever was told of it. */
  failuresBetween(fromMs: number, untilMs: number): number {
    const failures = new Set<string>();
    for (const {kind, host, atMs} of this.#outcomes) {
      if (!(atMs >= fromMs && atMs <= untilMs)) continue;
      if (kind === 'lost' || kind === 'crashed') failures.add(`${host} ${atMs}`);
      // It had been told as a loss, and was wanted.
      if (kind === 'rebooted') failures.delete(`${host} ${atMs}`);
    }
    return failures.size;
  }

  /** The ledger as it is known now; O(outcomes × log). */
  ledger(): EventLedger {
    // A partition's time never goes back, but those of two may differ.
    const events = [...toHostEvents(this.#outcomes), ...this.#unwatched()].sort(
      (a, b) => a.recordedAtMs - b.recordedAtMs,
    );
    return readLedger(events, {asOfMs: this.#nowMs, settleMs: this.#settleMs});
  }

  #unwatched(): HostEvent[] {
    const events: HostEvent[] = [];
    for (const [host, partition] of this.#partitionOf) {
      for (const {fromMs: atMs, untilMs} of this.#gaps.get(partition) ?? []) {
        events.push({host, kind: 'unobserved', atMs, recordedAtMs: untilMs, untilMs});
      }
      const toldAtMs = this.#toldAtMs.get(partition) ?? this.#nowMs;
      if (toldAtMs >= this.#nowMs) continue;
      // What happened shortly before is told after it.
      const times = {atMs: toldAtMs - this.#settleMs, recordedAtMs: toldAtMs};
      events.push({host, kind: 'unobserved', ...times, untilMs: Number.POSITIVE_INFINITY});
    }
    return events;
  }

  /** @param oldestMs Of the rows that may still be judged. */
  forget(oldestMs: number): void {
    const fromMs = Math.min(oldestMs, this.#nowMs) - KEPT_BEFORE_MS;
    for (const [partition, gaps] of this.#gaps) {
      const kept = gaps.filter(({untilMs}) => untilMs >= fromMs);
      if (kept.length === 0) this.#gaps.delete(partition);
      else this.#gaps.set(partition, kept);
    }
    if ((this.#outcomes[0]?.recordedAtMs ?? fromMs) >= fromMs) return;
    this.#outcomes = this.#outcomes.filter(({recordedAtMs}) => recordedAtMs >= fromMs);
  }
}
