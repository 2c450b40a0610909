/**
 * What the inputs of a model look like now on the hosts of one class of hardware: the rows of the
 * last quarters of an hour, and whose they were.
 */
import {type FeatureDrift, findInputDrift} from '../../core/domain/drift/input-drift.ts';
import {
  countedRows,
  countRow,
  createLiveRows,
  type LiveRows,
  turnPane,
} from '../../core/domain/drift/live-rows.ts';
import type {RowsSnapshot} from '../../core/domain/drift/snapshot.ts';

export class HardwareWindow {
  readonly #snapshot: RowsSnapshot;
  readonly #live: LiveRows;
  /** By name: the pane of the newest row. */
  readonly #hosts = new Map<string, number>();
  #pane: number;

  /** @param pane Number of the pane that rows are counted in first. */
  constructor(snapshot: RowsSnapshot, panes: number, pane: number) {
    this.#snapshot = snapshot;
    this.#live = createLiveRows(snapshot, panes);
    this.#pane = pane;
  }

  get rows(): number {
    return countedRows(this.#live);
  }

  get hosts(): number {
    return this.#hosts.size;
  }

  /** Forgets what is older than the window that ends with this pane; never goes back. */
  turnTo(pane: number): void {
    if (pane <= this.#pane) return;
    const {panes} = this.#live;
    for (let turn = Math.min(pane - this.#pane, panes); turn > 0; turn--) turnPane(this.#live);
    this.#pane = pane;
    for (const [host, last] of this.#hosts) if (last <= pane - panes) this.#hosts.delete(host);
  }

  count(host: string, features: Float32Array, offset: number): void {
    countRow(this.#live, this.#snapshot, features, offset);
    this.#hosts.set(host, this.#pane);
  }

  /** See {@link findInputDrift}. */
  drift(): FeatureDrift[] {
    return findInputDrift(this.#snapshot, this.#live, this.hosts);
  }
}
