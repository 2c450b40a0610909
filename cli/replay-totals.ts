/** What became of a replay, as the core counts it. */
import {systemClock} from '../core/adapters/clock-system.ts';
import {ForestayError} from '../core/domain/errors.ts';
import type {Connection} from './client.ts';
import {openControl} from './control.ts';

export type CellCounts = {storedSamples: number; scoredRows: number; transitions: number};
export type Totals = {sentSamples: number; ackedSamples: number} & CellCounts;

const LOOK_MS = 200;
/** Scores and transitions follow the samples; when nothing moved for so long, nothing will. */
const STILL_MS = 1_000;

/** Counts of the cell since the core's start. */
export async function readTotals(core: Connection, cell: string): Promise<CellCounts> {
  const control = await openControl(core);
  const {cells} = await core.call(control, control.getStatus, {});
  const found = cells.find(status => status.cell === cell);
  return {
    storedSamples: Number(found?.storedSamples ?? 0),
    scoredRows: Number(found?.scoredRows ?? 0),
    transitions: Number(found?.transitions ?? 0),
  };
}

/**
 * Waits until `samples` more than `before` are stored and the counts stand still, and gives what
 * was added. `error` says so if they are not all stored in time.
 */
export async function settleTotals(
  core: Connection,
  {cell, drainTimeout}: {cell: string; drainTimeout: number},
  before: CellCounts,
  samples: number,
): Promise<{counts: CellCounts; error: ForestayError | undefined}> {
  const untilMs = systemClock.monotonicMs() + drainTimeout * 1000;
  let last = '';
  let stillSinceMs = systemClock.monotonicMs();
  for (;;) {
    const counts = subtract(await readTotals(core, cell), before);
    const nowMs = systemClock.monotonicMs();
    if (JSON.stringify(counts) !== last) stillSinceMs = nowMs;
    last = JSON.stringify(counts);
    const isStored = counts.storedSamples >= samples;
    if (isStored && nowMs - stillSinceMs >= STILL_MS) return {counts, error: undefined};
    if (nowMs > untilMs) {
      return {counts, error: isStored ? undefined : notStored(counts, samples, drainTimeout)};
    }
    await systemClock.sleep(LOOK_MS);
  }
}

function subtract(now: CellCounts, before: CellCounts): CellCounts {
  return {
    storedSamples: now.storedSamples - before.storedSamples,
    scoredRows: now.scoredRows - before.scoredRows,
    transitions: now.transitions - before.transitions,
  };
}

function notStored(
  {storedSamples}: CellCounts,
  samples: number,
  drainTimeout: number,
): ForestayError {
  return new ForestayError(
    'TIMED_OUT',
    `${storedSamples} of ${samples} samples are stored after ${drainTimeout} s; the rest is in the ` +
      'log and follows when the store takes it (allow more with --drain-timeout; a core that was ' +
      'restarted meanwhile has begun to count anew)',
    {details: {storedSamples, samples}},
  );
}
