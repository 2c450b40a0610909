/**
 * The samples of a block into their rows, the path that every sample takes. Windows of the last
 * samples are taken in runs: their sums are made for hundreds of samples in one go.
 */
import {type CountWindows, queueSample, stageSamples, takeQueued} from '../domain/count-windows.ts';
import {RUN_MAX} from '../domain/pane-kernel.ts';
import type {Block} from '../domain/telemetry.ts';
import {recordUsage} from '../domain/usage.ts';
import {observeTime} from '../domain/windows.ts';
import type {DueCollector} from './due-samples.ts';
import {REBOOT_AT, type SetTable, takeSample} from './set-table.ts';

/**
 * Takes the samples of a block in their order, and notes those that are due to be scored.
 *
 * @param rows Row of each entity of the block; -1: its samples are passed over.
 * @param timeMs A clock that runs ahead must not make later samples look late: windows see this
 *   time at most.
 * @returns How many were late.
 */
export function takeSamples(
  table: SetTable,
  rows: Int32Array,
  block: Block,
  timeMs: number,
  collector: DueCollector | undefined,
): number {
  const {counted} = table;
  if (counted !== undefined) return takeRuns(table, counted, rows, block, timeMs, collector);
  const {rowEntity, observedAtMs, values} = block;
  let late = 0;
  for (let index = 0; index < block.rows; index++) {
    const row = rows[rowEntity[index] as number] as number;
    if (row < 0) continue;
    const atMs = Math.min(observedAtMs[index] as number, timeMs);
    if (!takeSample(table, row, atMs, values, index, block.rows)) late++;
    else collector?.sampled(row, atMs);
  }
  takeRebootSigns(table, rows, block);
  return late;
}

/** An agent names in the place of a device what speaks for a reboot. */
function takeRebootSigns(table: SetTable, rows: Int32Array, {devices, rowEntity}: Block): void {
  for (const {row: index, column, name} of devices) {
    if (column !== table.rebootColumns[REBOOT_AT]) continue;
    const row = rows[rowEntity[index] as number] as number;
    if (row >= 0) table.rebootSigns.set(row, name);
  }
}

/** {@link takeSample} for each. Whatever is called with a time must be inlined: boxed it is garbage. */
function takeRuns(
  table: SetTable,
  counted: CountWindows,
  rows: Int32Array,
  block: Block,
  timeMs: number,
  collector: DueCollector | undefined,
): number {
  const {windows, samples, usage, countedColumns, cpuColumn} = table;
  const {rowEntity, observedAtMs, values, rows: stride} = block;
  let late = 0;
  for (let from = 0; from < stride; from += RUN_MAX) {
    const to = Math.min(from + RUN_MAX, stride);
    stageSamples(counted, values, from, stride, countedColumns, to - from);
    for (let index = from; index < to; index++) {
      const row = rows[rowEntity[index] as number] as number;
      if (row < 0) continue;
      const atMs = Math.min(observedAtMs[index] as number, timeMs);
      if (!observeTime(windows, row, atMs)) {
        late++;
        continue;
      }
      samples[row] = (samples[row] as number) + 1;
      const isDue = collector?.isDue(row) === true;
      if (queueSample(counted, row, index - from, isDue)) collector?.add(row, atMs);
      if (cpuColumn >= 0) {
        recordUsage(usage, row, atMs, values[cpuColumn * stride + index] as number);
      }
    }
    const features = takeQueued(counted);
    collector?.keep(features);
  }
  return late;
}
