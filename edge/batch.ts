import {strict as assert} from 'node:assert';
import type {MetricSet} from '../core/domain/metric-sets.ts';
import type {Block} from '../core/domain/telemetry.ts';
import type {RowWriter} from './sensor.ts';

/** Row indexes travel as u16. */
const entitiesMax = 65_536;

/** Where an entity stands in the block, and its newest row: two sensors may know the same VM. */
type Entity = {index: number; nowMs: number; writer: RowWriter};

/**
 * Rows of one metric set on their way into a {@link Block}. Rows are kept as they come, row-major,
 * and turned to columns once, when the block is taken.
 *
 * What is never set is NaN, which travels as missing. An infinity, or a value too large for f32,
 * becomes NaN and is counted.
 */
export class BlockBuilder {
  readonly #set: MetricSet;
  readonly #columns: ReadonlyMap<string, number>;
  readonly #writers: RowWriter[] = [];
  readonly #entities = new Map<string, Entity>();
  #rowEntity: number[] = [];
  #observedAtMs: number[] = [];
  #values: Float32Array;
  #devices: {row: number; column: number; name: string}[] = [];
  #infinities = 0;

  constructor(set: MetricSet) {
    this.#set = set;
    this.#columns = new Map(set.columns.map((column, index) => [column, index]));
    this.#values = new Float32Array(4 * set.columns.length);
  }

  get rows(): number {
    return this.#observedAtMs.length;
  }

  /** Values that were not finite, ever. */
  get infinities(): number {
    return this.#infinities;
  }

  /** The row of an entity (`hosts/h01`, `vms/v17`) at an instant; the same one when asked again. */
  row(entity: string, nowMs: number): RowWriter {
    const known = this.#entities.get(entity);
    if (known?.nowMs === nowMs) return known.writer;
    const index = known?.index ?? this.#entities.size;
    if (index === entitiesMax) assert.fail(`a block holds at most ${entitiesMax} entities`);
    const writer = this.#startRow(index, nowMs);
    this.#entities.set(entity, {index, nowMs, writer});
    return writer;
  }

  /** The rows so far as a block, and none are left; undefined if there were none. */
  take(): Block | undefined {
    const rows = this.rows;
    if (rows === 0) return undefined;
    const block = {
      metricSet: this.#set.name,
      metricSetHash: this.#set.hash,
      rows,
      entities: [...this.#entities.keys()],
      rowEntity: Uint16Array.from(this.#rowEntity),
      observedAtMs: Float64Array.from(this.#observedAtMs),
      values: this.#transposed(),
      devices: this.#devices,
    };
    this.#entities.clear();
    this.#rowEntity = [];
    this.#observedAtMs = [];
    this.#devices = [];
    return block;
  }

  #startRow(entity: number, nowMs: number): RowWriter {
    const row = this.rows;
    const width = this.#set.columns.length;
    if ((row + 1) * width > this.#values.length) {
      const grown = new Float32Array(2 * this.#values.length);
      grown.set(this.#values);
      this.#values = grown;
    }
    this.#values.fill(Number.NaN, row * width, (row + 1) * width);
    this.#rowEntity.push(entity);
    this.#observedAtMs.push(nowMs);
    this.#writers[row] ??= {set: (column, value, device) => this.#put(row, column, value, device)};
    return this.#writers[row];
  }

  #put(row: number, column: string, value: number, device: string | undefined): void {
    const index = this.#columns.get(column);
    // The message is made only when it is needed: this runs once a value.
    if (index === undefined) assert.fail(`metric set ${this.#set.name} has no column ${column}`);
    const at = row * this.#set.columns.length + index;
    this.#values[at] = value;
    const stored = this.#values[at] as number;
    if (stored === Number.POSITIVE_INFINITY || stored === Number.NEGATIVE_INFINITY) {
      this.#values[at] = Number.NaN;
      this.#infinities++;
    }
    if (device !== undefined) this.#devices.push({row, column: index, name: device});
  }

  #transposed(): Float32Array {
    const rows = this.rows;
    const width = this.#set.columns.length;
    if (rows === 1) return this.#values.slice(0, width);
    const columns = new Float32Array(rows * width);
    for (let row = 0, from = 0; row < rows; row++)
      for (let column = 0, to = row; column < width; column++, from++, to += rows)
        columns[to] = this.#values[from] as number;
    return columns;
  }
}
