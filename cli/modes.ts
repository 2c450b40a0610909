import {MODES} from '../core/domain/policy.ts';
import type {PartitionStatus} from '../proto/gen/forestay/v1/control_pb.ts';

/** Partitions that may do the same. */
export type ModeCount = {mode: string; paused: boolean; partitions: number};

/** By their number in the API. */
const MODE_NAMES = ['mode unknown', ...MODES];

/** One entry a combination of mode and pause: a fleet-wide command leaves one. */
export function countModes(partitions: readonly PartitionStatus[]): ModeCount[] {
  const counts = new Map<string, ModeCount>();
  for (const {mode: number, paused} of partitions) {
    const mode = MODE_NAMES[number] as string;
    const count = counts.get(`${mode} ${paused}`) ?? {mode, paused, partitions: 0};
    count.partitions++;
    counts.set(`${mode} ${paused}`, count);
  }
  return [...counts.values()];
}

/** `64 partitions: observe, paused` */
export function modeLine({mode, paused, partitions}: ModeCount): string {
  return `${partitions} partition${partitions === 1 ? '' : 's'}: ${mode}${paused ? ', paused' : ''}`;
}
