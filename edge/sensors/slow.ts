import type {RowWriter, Sensor} from '../sensor.ts';

type Reading = {column: string; value: number; device: string | undefined};

/**
 * A sensor of something that changes slowly or costs to read: `measure` is called every `everyMs`,
 * and what it said last is given meanwhile. What it set before it threw is kept.
 */
export function slowSensor(
  sensor: Omit<Sensor, 'read'>,
  everyMs: number,
  measure: (nowMs: number, row: RowWriter) => void,
): Sensor {
  let readings: Reading[] = [];
  let measuredMs = Number.NEGATIVE_INFINITY;
  return {
    ...sensor,
    read(nowMs, row) {
      try {
        if (!(Math.abs(nowMs - measuredMs) < everyMs)) {
          measuredMs = nowMs;
          readings = [];
          measure(nowMs, {
            set: (column, value, device) => void readings.push({column, value, device}),
          });
        }
      } finally {
        for (const {column, value, device} of readings) row.set(column, value, device);
      }
    },
  };
}
