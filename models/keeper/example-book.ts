/**
 * What a fleet showed, to learn from: rows as they were scored, kept until it is known what came.
 *
 * E1. Labels are those of the ledger at the time that somebody asks: what is told late, even a week,
 *     still counts for every row that is kept.
 * E2. Memory is bounded: at most `rowsMax` rows are kept and `waitingMax` wait, each of 4 bytes a
 *     feature and about 400 more: 1.1 KB with 168 features. With the defaults 44 MB at most.
 * E3. Rows before which nothing failed are thinned by halves when the book is full; each that stays
 *     stands for twice as many. Which ones depends on host and time alone. Of those that tell of a
 *     failure at most half a book is kept, the latest.
 * E4. Where more hosts are told of than can wait, a share of them is followed, chosen by their names,
 *     each without a break: of few hosts all is known, and not of all hosts some hours.
 * E5. Only rows of one feature contract, that of the first, are taken.
 */
import {COMPONENTS} from '../../core/domain/components.ts';
import {fnv1a32} from '../../core/domain/hash.ts';
import type {HostOutcome, ObservedRows} from '../../core/domain/observed.ts';
import type {Ending, EventLedger} from '../learning/event-ledger.ts';
import {createUniform} from '../random.ts';
import {
  failureAfter,
  labelMoments,
  type RowLabels,
  targetOf,
  tellingRows,
} from './example-labels.ts';
import {type ExampleCounts, type ExampleHost, type ExampleSet, noneDropped} from './example-set.ts';
import {OutcomeBook} from './outcome-book.ts';

export type ExampleBookOptions = {
  readonly horizonMs: number;
  /** So long after it happened an outcome is told, as a rule: rows wait for horizon and this. */
  readonly settleMs: number;
  /** Without rows of a partition for longer nobody has watched its hosts. */
  readonly gapMs: number;
  readonly rowsMax: number;
  readonly waitingMax: number;
  /** Older rows go. */
  readonly keptMs: number;
};

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

export const DEFAULT_EXAMPLE_BOOK: ExampleBookOptions = {
  horizonMs: 30 * MINUTE_MS,
  settleMs: 10 * MINUTE_MS,
  gapMs: 12 * MINUTE_MS,
  rowsMax: 20_000,
  waitingMax: 20_000,
  keptMs: 60 * DAY_MS,
};

/** Ledgers are read at most so often, by the time of the rows. */
const SETTLE_EVERY_MS = MINUTE_MS;
const HOSTS_MAX = 100_000;

type Row = {
  readonly host: string;
  readonly cell: string;
  readonly hardware: string;
  readonly atMs: number;
  readonly features: Float32Array;
  /** How many rows it stands for. */
  weight: number;
};

export class ExampleBook {
  readonly #options: ExampleBookOptions;
  readonly #outcomes: OutcomeBook;
  readonly #lastAtMs = new Map<string, number>();
  readonly #dropped = noneDropped();
  /** By time; of several partitions nearly so. */
  #waiting: Row[] = [];
  #kept: Row[] = [];
  #contract: {readonly hash: number; readonly features: number} | undefined;
  #settledAtMs = Number.NEGATIVE_INFINITY;
  /** Of the rows before which nothing failed, this share is kept. */
  #share = 1;
  /** Of the hosts this share is followed. */
  #hostShare = 1;
  #hostShareSinceMs = Number.NEGATIVE_INFINITY;
  #failures: readonly number[] = [];
  #askedMs = Number.NEGATIVE_INFINITY;
  #taughtUntilMs = Number.NEGATIVE_INFINITY;

  constructor(options: Partial<ExampleBookOptions> = {}) {
    this.#options = {...DEFAULT_EXAMPLE_BOOK, ...options};
    this.#outcomes = new OutcomeBook(this.#options);
  }

  /** Takes a step's rows; about 1 µs each, and a reading of the ledger now and then. */
  observe(rows: ObservedRows): void {
    const {featureHash, featureCount, features, hosts, atMs} = rows;
    this.#contract ??= {hash: featureHash, features: featureCount};
    if (!this.#outcomes.watch(rows)) {
      this.#dropped.outOfOrder += hosts.length;
      return;
    }
    const {hash, features: width} = this.#contract;
    if (featureHash !== hash || featureCount !== width) this.#dropped.foreign += hosts.length;
    else {
      if (this.#lastAtMs.size > HOSTS_MAX) this.#lastAtMs.clear();
      for (const [at, {name: host, cell, hardware}] of hosts.entries()) {
        const own = features.subarray(at * width, (at + 1) * width);
        this.#add({host, cell, hardware, atMs, features: own, weight: 1});
      }
    }
    this.#settle();
  }

  tell(outcome: HostOutcome): void {
    this.#outcomes.tell(outcome);
  }

  /**
   * Failures that could teach, of the parts that failed; those of them that happened after the rows
   * were asked for that a model came of; and those since a time.
   */
  count(sinceMs: number): {failures: number; newFailures: number; sinceFailures: number} {
    const after = (fromMs: number) => this.#failures.filter(atMs => atMs > fromMs).length;
    return {
      failures: this.#failures.length,
      newFailures: after(this.#taughtUntilMs),
      sinceFailures: after(sinceMs),
    };
  }

  /** A model came of the rows that were last asked for: their failures are not new any more. */
  taught(): void {
    this.#taughtUntilMs = this.#askedMs;
  }

  /** What is known by now, hosts by name, rows by time; copied. O(rows × log). */
  examples(): ExampleSet {
    this.#settle(true);
    this.#askedMs = this.#outcomes.nowMs;
    const ledger = this.#outcomes.ledger();
    const all = labelMoments(ledger, this.#kept, this.#options.horizonMs);
    const failed = failuresOf(ledger, this.#kept, this.#options.horizonMs);
    const failuresIn = (part: string | undefined) =>
      failed.filter(({component}) => component === part).length;
    const order = [...this.#kept.keys()]
      .filter(at => (all[at] as RowLabels).outcomes.some(({label}) => label !== 'unknown'))
      .sort((a, b) => compare(this.#kept[a] as Row, this.#kept[b] as Row));
    const rows = order.map(at => this.#kept[at] as Row);
    const labels = order.map(at => all[at] as RowLabels);
    const {hash = 0, features: width = 0} = this.#contract ?? {};
    const features = new Float32Array(rows.length * width);
    for (const [row, {features: own}] of rows.entries()) features.set(own, row * width);
    const {hosts, host} = numberHosts(rows);
    return {
      rows: rows.length,
      featureHash: hash,
      featureCount: width,
      outputs: COMPONENTS,
      horizonSeconds: this.#options.horizonMs / 1000,
      hosts,
      features,
      targets: Float32Array.from(labels.flatMap(({outcomes}) => outcomes.map(targetOf))),
      weights: Float32Array.from(rows, ({weight}) => weight),
      host,
      atMs: Float64Array.from(rows, ({atMs}) => atMs),
      secondsToFailure: Float32Array.from(rows, ({atMs}, row) => {
        const {failedAtMs = Number.POSITIVE_INFINITY} = labels[row] as RowLabels;
        return (failedAtMs - atMs) / 1000;
      }),
      counts: {
        failures: Object.fromEntries(COMPONENTS.map(part => [part, failuresIn(part)])),
        labels: countLabels(labels),
        unnamed: failuresIn(undefined),
        ledger: ledger.counts,
        dropped: {...this.#dropped},
      },
    };
  }

  #add(row: Row): void {
    const last = this.#lastAtMs.get(row.host);
    if (last !== undefined && row.atMs <= last) {
      this.#dropped.outOfOrder++;
      return;
    }
    this.#lastAtMs.set(row.host, row.atMs);
    if (isFollowed(row, this.#hostShare)) {
      // Of few rows the array that all came in is not kept.
      this.#waiting.push(this.#hostShare < 1 ? {...row, features: row.features.slice()} : row);
    } else this.#dropped.waiting++;
    if (this.#waiting.length > this.#options.waitingMax) this.#followFewer();
  }

  #followFewer(): void {
    this.#hostShare /= 2;
    this.#hostShareSinceMs = this.#outcomes.nowMs;
    const before = this.#waiting.length;
    this.#waiting = this.#waiting
      .filter(row => isFollowed(row, this.#hostShare))
      .slice(-this.#options.waitingMax)
      .map(row => ({...row, features: row.features.slice()}));
    this.#dropped.waiting += before - this.#waiting.length;
  }

  /** Hosts went: all that wait in the time that rows wait for leave room for more than as many. */
  #followMore(): void {
    const {horizonMs, settleMs, waitingMax} = this.#options;
    const {nowMs} = this.#outcomes;
    const isSettled = nowMs - this.#hostShareSinceMs > 2 * (horizonMs + settleMs);
    if (this.#hostShare === 1 || !isSettled || this.#waiting.length > waitingMax / 4) return;
    this.#hostShare *= 2;
    this.#hostShareSinceMs = nowMs;
  }

  /** Takes in rows of which it is known, as a rule, what came. */
  #settle(always = false): void {
    const {nowMs} = this.#outcomes;
    const {horizonMs, keptMs} = this.#options;
    if (!always && nowMs - this.#settledAtMs < SETTLE_EVERY_MS) return;
    this.#settledAtMs = nowMs;
    const forgot = this.#dropForgotten();
    const untilMs = this.#outcomes.settledMs(horizonMs);
    const due = this.#waiting.filter(({atMs}) => atMs <= untilMs);
    if (due.length === 0 && forgot === 0) return;
    this.#waiting = this.#waiting.filter(({atMs}) => atMs > untilMs);
    this.#followMore();
    const ledger = this.#outcomes.ledger();
    const labels = labelMoments(ledger, due, horizonMs);
    for (const [at, row] of due.entries()) this.#keep(row, (labels[at] as RowLabels).kind);
    this.#kept = this.#kept.filter(({atMs}) => atMs > nowMs - keptMs);
    this.#makeRoom(ledger);
    this.#failures = failuresOf(ledger, this.#kept, horizonMs)
      .filter(({component}) => component !== undefined)
      .map(({atMs}) => atMs);
    const oldest = [...this.#kept, ...this.#waiting].reduce(
      (least, {atMs}) => Math.min(least, atMs),
      nowMs,
    );
    this.#outcomes.forget(oldest);
  }

  /**
   * What came of rows before `knownSinceMs` is forgotten: they would be taken for quiet.
   *
   * @returns How many went.
   */
  #dropForgotten(): number {
    const isKnown = ({atMs}: Row) => atMs >= this.#outcomes.knownSinceMs;
    const before = this.#kept.length + this.#waiting.length;
    this.#kept = this.#kept.filter(isKnown);
    this.#waiting = this.#waiting.filter(isKnown);
    const gone = before - this.#kept.length - this.#waiting.length;
    this.#dropped.unknown += gone;
    return gone;
  }

  #keep(row: Row, kind: RowLabels['kind']): void {
    if (kind === 'unknown') this.#dropped.unknown++;
    else if (kind === 'quiet' && !isDrawn(row, this.#share)) this.#dropped.thinned++;
    else {
      // The array that the rows came in is given back.
      const weight = kind === 'quiet' ? 1 / this.#share : 1;
      this.#kept.push({...row, features: row.features.slice(), weight});
    }
  }

  #makeRoom(ledger: EventLedger): void {
    const {rowsMax, horizonMs} = this.#options;
    if (this.#kept.length <= rowsMax) return;
    const isTelling = tellingRows(ledger, this.#kept, horizonMs);
    const telling = this.#kept.filter(row => isTelling.has(row)).sort(compare);
    const most = Math.floor(rowsMax / 2);
    if (telling.length > most) this.#dropped.full += telling.length - most;
    const kept = telling.slice(Math.max(0, telling.length - most));
    let quiet = this.#kept.filter(row => !isTelling.has(row));
    while (kept.length + quiet.length > rowsMax) {
      this.#share /= 2;
      const before = quiet.length;
      quiet = quiet.filter(row => isDrawn(row, this.#share));
      this.#dropped.thinned += before - quiet.length;
    }
    for (const row of quiet) row.weight = 1 / this.#share;
    this.#kept = [...kept, ...quiet].sort(compare);
  }
}

/** The same for all times: what is drawn with a share is drawn with every larger one. */
function isDrawn({host, atMs}: Row, share: number): boolean {
  return share >= 1 || createUniform(fnv1a32(`${host}/${atMs}`))() < share;
}

/** As above, of hosts. */
function isFollowed({host}: Row, share: number): boolean {
  return share >= 1 || createUniform(fnv1a32(host))() < share;
}

function compare(a: Row, b: Row): number {
  return a.atMs - b.atMs || (a.host < b.host ? -1 : Number(a.host > b.host));
}

/** The failures that rows are followed by, each once. */
function failuresOf(ledger: EventLedger, rows: readonly Row[], horizonMs: number): Ending[] {
  const failures = new Set(rows.map(row => failureAfter(ledger, row, horizonMs)));
  return [...failures].filter(failure => failure !== undefined);
}

function countLabels(labels: readonly RowLabels[]): ExampleCounts['labels'] {
  const count = (part: number) => {
    const own = {negative: 0, positive: 0, uncertain: 0, unknown: 0};
    for (const {outcomes} of labels) own[outcomes[part]?.label ?? 'unknown']++;
    return own;
  };
  return Object.fromEntries(COMPONENTS.map((name, part) => [name, count(part)]));
}

/** Hosts by name; as they were told of last. */
function numberHosts(rows: readonly Row[]): {hosts: ExampleHost[]; host: Int32Array} {
  const known = new Map<string, ExampleHost>();
  for (const {host: name, cell, hardware} of rows) known.set(name, {name, cell, hardware});
  const names = [...known.keys()].sort();
  const places = new Map(names.map((name, at) => [name, at]));
  return {
    hosts: names.map(name => known.get(name) as ExampleHost),
    host: Int32Array.from(rows, ({host}) => places.get(host) as number),
  };
}
