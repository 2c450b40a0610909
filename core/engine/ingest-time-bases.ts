import {ForestayError} from '../domain/errors.ts';
import type {TimeBase} from '../domain/telemetry.ts';

/** Which clock each partition lives on. */
export type TimeBases = {
  /** Errors: `TIME_BASE_CONFLICT` if the partition lives on another one. */
  claim(partition: number, cell: string, timeBase: TimeBase): void;
};

export function createTimeBases(): TimeBases {
  const claims = new Map<number, {cell: string; timeBase: TimeBase}>();
  return {
    claim(partition, cell, timeBase) {
      const held = claims.get(partition);
      if (held === undefined) claims.set(partition, {cell, timeBase});
      else if (held.timeBase !== timeBase) throw conflict(partition, cell, timeBase, held);
    },
  };
}

function conflict(
  partition: number,
  cell: string,
  timeBase: TimeBase,
  held: {cell: string; timeBase: TimeBase},
): ForestayError {
  const where =
    held.cell === cell
      ? `cell ${cell} already has ${held.timeBase} telemetry`
      : `cell ${cell} falls into partition ${partition}, where cell ${held.cell} has ` +
        `${held.timeBase} telemetry`;
  return new ForestayError(
    'TIME_BASE_CONFLICT',
    `cannot take ${timeBase} telemetry: ${where}; time has one base in a partition, so give the ` +
      'cell another name',
    {details: {partition, cell, timeBase, heldBy: held.cell, heldBase: held.timeBase}},
  );
}
