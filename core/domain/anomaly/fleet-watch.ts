/**
 * How odd hosts are, each minute, against what is usual among hosts of their kind: of the same cell,
 * with the same metrics. While there are too few rows of these, all hosts that are watched here are
 * the kind; what a host does not measure is not odd.
 *
 * F1. What it says depends only on the rows, cell by cell in the order of time.
 * F2. It begins with nothing, and is nobody's input: losing it loses no decision.
 * F3. Bounded: about 8 KB a host, 0.7 MB at most a kind. Of more cells and kinds than
 *     {@link CELLS_MAX} and {@link KINDS_MAX} those go that were not heard of for longest.
 */

import {LEARNING_ROWS_MIN} from './learn-usual.ts';
import {Learner} from './learner.ts';
import {measureOddShares} from './odd-share.ts';
import {BREAK_MS} from './usual-rows.ts';
import {judgeRow, type OddMetric, takeRow, type WatchedHost} from './watched-host.ts';

const CELLS_MAX = 1024;
const KINDS_MAX = 512;
const FORGET_AFTER_MS = 1_800_000;
const MINUTES_A_DAY = 1440;

/** A minute of hosts that have the same columns. */
export type MinuteRows = {
  /** Whose time it is: hosts that live at different times have nothing to compare. */
  readonly timeBase: string;
  readonly columns: readonly string[];
  readonly hosts: readonly string[];
  readonly cells: readonly string[];
  /** Empty: not known. */
  readonly racks: readonly string[];
  readonly atMs: Float64Array;
  /** hosts × columns. */
  readonly values: Float32Array;
  /** Share of each host's VMs that its agent finds odd; NaN: it does not say. */
  readonly oddVms: Float32Array;
};

export type HostAnomaly = {
  readonly host: string;
  readonly atMs: number;
  /** NaN until it is known what is usual. */
  readonly score: number;
  /** From which score on it is odd. */
  readonly threshold: number;
  readonly isOdd: boolean;
  /** If it is odd: what shows it, the most to blame first. */
  readonly metrics: readonly OddMetric[];
  /** Rows that were learned from or, before that, that there are … */
  readonly learnedRows: number;
  /** … of so many that are needed. */
  readonly neededRows: number;
  /** Share of odd hosts in its rack, itself included; NaN: not known. */
  readonly rackOddRatio: number;
  /** Share of its VMs that its agent finds odd; NaN: not known. */
  readonly oddVmsRatio: number;
};

export type AnomalyReport = {
  readonly anomalies: readonly HostAnomaly[];
  /** How often it was learned anew what is usual. */
  readonly learned: number;
};

type Judged = {host: WatchedHost; cell: Cell; learner: Learner; oddVms: number};
type Cell = {hosts: Map<string, WatchedHost>; newestMs: number; sweptMs: number};

export class FleetWatch {
  readonly #oddShare: number;
  readonly #learners = new Map<string, Learner>();
  readonly #cells = new Map<string, Cell>();

  /** @param oddMinutesPerHostDay Minutes a day that a healthy host may count as odd. */
  constructor({oddMinutesPerHostDay}: {oddMinutesPerHostDay: number}) {
    this.#oddShare = oddMinutesPerHostDay / MINUTES_A_DAY;
  }

  /** Hosts that are remembered. */
  get hosts(): number {
    let count = 0;
    for (const cell of this.#cells.values()) count += cell.hosts.size;
    return count;
  }

  /**
   * Takes the next minute of some hosts; how odd each is. A row without any value, and one that is
   * not newer than the host's before, says nothing and gets no answer.
   *
   * Cost: about 12 µs a host with 34 metrics, and now and then what learning takes.
   */
  observe(rows: MinuteRows): AnomalyReport {
    const judged: Judged[] = [];
    const everyone = this.#learnerOf(`${rows.timeBase}\n${rows.columns.join()}`, rows.columns);
    const learners = new Set([everyone]);
    for (const [index, name] of rows.hosts.entries()) {
      const cellName = rows.cells[index] as string;
      const cell = this.#cell(cellName);
      const host = takeRow(cell.hosts, name, rows, index);
      if (host === undefined) continue;
      host.rack = rows.racks[index] as string;
      cell.newestMs = Math.max(cell.newestMs, host.atMs);
      const own = this.#learnerOf(`${cellName}\n${host.kind}`, host.columns);
      own.add(name, host.atMs, host.row);
      everyone.add(`${cellName}\n${name}`, host.atMs, host.row);
      learners.add(own);
      const learner = own.usual === undefined ? everyone : own;
      judgeRow(host, learner);
      judged.push({host, cell, learner, oddVms: rows.oddVms[index] as number});
    }
    // Only now: hosts that come together are measured by one threshold.
    for (const {host, learner} of judged) learner.judged(host.oddMinutes);
    const ratios = rackRatios(new Set(judged.map(({cell}) => cell)));
    const anomalies = judged.map(({host, learner, oddVms}) => ({
      host: host.name,
      atMs: host.atMs,
      score: host.score,
      threshold: host.threshold,
      isOdd: host.oddMinutes > 0,
      metrics: host.oddMetrics,
      learnedRows: learner.usual?.rows ?? learner.rows,
      neededRows: LEARNING_ROWS_MIN,
      rackOddRatio: ratios.get(host) ?? Number.NaN,
      oddVmsRatio: oddVms,
    }));
    let learned = 0;
    for (const learner of learners) if (learner.learnIfDue()) learned++;
    for (const {cell} of judged) sweep(cell);
    return {anomalies, learned};
  }

  #cell(name: string): Cell {
    const known = this.#cells.get(name) ?? {hosts: new Map(), newestMs: 0, sweptMs: 0};
    // In the order of their last word: the first one is the longest silent.
    this.#cells.delete(name);
    this.#cells.set(name, known);
    if (this.#cells.size > CELLS_MAX) this.#forgetCell();
    return known;
  }

  #forgetCell(): void {
    const [oldest] = this.#cells.keys();
    if (oldest !== undefined) this.#cells.delete(oldest);
  }

  #learnerOf(name: string, columns: readonly string[]): Learner {
    const learner = this.#learners.get(name) ?? new Learner(columns, this.#oddShare);
    // In the order of their last rows, as the cells are.
    this.#learners.delete(name);
    this.#learners.set(name, learner);
    const [oldest] = this.#learners.size > KINDS_MAX ? this.#learners.keys() : [];
    if (oldest !== undefined) this.#learners.delete(oldest);
    return learner;
  }
}

/** Share of odd hosts in each host's rack, of those that were judged lately. */
function rackRatios(cells: ReadonlySet<Cell>): Map<WatchedHost, number> {
  const ratios = new Map<WatchedHost, number>();
  for (const {hosts, newestMs} of cells) {
    const all = [...hosts.values()];
    const racks = new Map<string, number>();
    const groups = all.map(({rack}) => {
      if (rack === '') return -1;
      const group = racks.get(rack) ?? racks.size;
      racks.set(rack, group);
      return group;
    });
    const odd = all.map(({score, oddMinutes, atMs}) =>
      Number.isNaN(score) || newestMs - atMs > BREAK_MS ? Number.NaN : Number(oddMinutes > 0),
    );
    const shares = measureOddShares(odd, groups, racks.size);
    for (const [index, host] of all.entries()) {
      ratios.set(host, shares[groups[index] as number] ?? Number.NaN);
    }
  }
  return ratios;
}

function sweep(cell: Cell): void {
  if (cell.newestMs - cell.sweptMs < BREAK_MS) return;
  cell.sweptMs = cell.newestMs;
  for (const [name, host] of cell.hosts) {
    if (cell.newestMs - host.atMs >= FORGET_AFTER_MS) cell.hosts.delete(name);
  }
}
