/** What became of a host after a moment: the truth behind labels, told by what really happened. */
import {COMPONENTS} from '../domain/components.ts';
import type {Outage} from './world.ts';

/** Why a host goes down; a host that is cut off counts as crashed. */
export const DOWN_CAUSES = ['none', 'intentional', 'crash'] as const;

/** A label that nobody can know. */
export const UNKNOWN = 255;

/** The first outage that begins after `atMs`; `outages` are in their order. */
export function nextOutage(outages: readonly Outage[], atMs: number): Outage | undefined {
  let low = 0;
  let high = outages.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((outages[middle] as Outage).fromMs > atMs) high = middle;
    else low = middle + 1;
  }
  return outages[low];
}

/** Position in {@link DOWN_CAUSES}. */
export function causeOf(outage: Outage | undefined): number {
  if (outage === undefined) return 0;
  return outage.cause === 'planned' ? 1 : 2;
}

/**
 * Writes components × horizons labels: 1 if this part fails within the horizon and nothing takes the
 * host down before. If somebody reboots the host on purpose before anything fails, all labels of
 * the horizon are {@link UNKNOWN}: work on the host may have prevented a failure, so it is not 0,
 * and what fails afterwards is another life's, so it is not 1.
 */
export function writeLabels(
  outage: Outage | undefined,
  atMs: number,
  horizonsSeconds: readonly number[],
  labels: Uint8Array,
  offset: number,
): void {
  if (outage === undefined) return;
  horizonsSeconds.forEach((seconds, horizon) => {
    if (outage.fromMs - atMs > seconds * 1000) return;
    COMPONENTS.forEach((component, index) => {
      const isUnknown = outage.cause !== 'failed';
      labels[offset + index * horizonsSeconds.length + horizon] = isUnknown
        ? UNKNOWN
        : Number(outage.component === component);
    });
  });
}
