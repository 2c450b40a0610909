import {mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import type {ExecutionContext} from 'ava';
import type {FleetSensor, RowWriter, Sensor} from '../../edge/sensor.ts';

/** Files by path below the root; undefined removes the file or folder. */
export type Tree = Readonly<Record<string, string | undefined>>;

/** A root folder with a /proc and /sys of our making, removed after the test. */
export function hostFixture(t: ExecutionContext, tree: Tree = {}) {
  const root = mkdtempSync(join(tmpdir(), 'forestay-host-'));
  t.teardown(() => rmSync(root, {recursive: true, force: true}));
  const change = (changes: Tree): void => {
    for (const [path, text] of Object.entries(changes)) {
      const file = join(root, path);
      if (text === undefined) {
        rmSync(file, {recursive: true, force: true});
        continue;
      }
      mkdirSync(dirname(file), {recursive: true});
      writeFileSync(file, text);
    }
  };
  change(tree);
  return {
    root,
    change,
    link: (path: string, target: string) => symlinkSync(target, join(root, path)),
  };
}

export type Readings = Record<string, number> & {devices: Record<string, string>};

/** Reads a sensor once; what it set, NaN where it set NaN. */
export function readOnce(sensor: Sensor, nowMs: number): Readings {
  const {readings, row} = recorder();
  sensor.read(nowMs, row);
  return readings;
}

/** The same, with what was set before the sensor threw. */
export function readFailing(sensor: Sensor, nowMs: number): {readings: Readings; error: unknown} {
  const {readings, row} = recorder();
  try {
    sensor.read(nowMs, row);
  } catch (error) {
    return {readings, error};
  }
  throw new Error(`sensor ${sensor.name} did not fail`);
}

/** By entity. */
export function readFleet(sensor: FleetSensor, nowMs: number): Record<string, Readings> {
  const rows = new Map<string, ReturnType<typeof recorder>>();
  sensor.read(nowMs, entity => {
    const known = rows.get(entity) ?? recorder();
    rows.set(entity, known);
    return known.row;
  });
  return Object.fromEntries([...rows].map(([entity, {readings}]) => [entity, readings]));
}

function recorder(): {readings: Readings; row: RowWriter} {
  const devices: Record<string, string> = {};
  const readings = {devices} as Readings;
  const row: RowWriter = {
    set(column, value, device) {
      readings[column] = value;
      if (device !== undefined) devices[column] = device;
    },
  };
  return {readings, row};
}
