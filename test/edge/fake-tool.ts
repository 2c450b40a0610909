import {chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {setTimeout} from 'node:timers/promises';
import {fileURLToPath} from 'node:url';
import type {ExecutionContext} from 'ava';
import type {Sensor} from '../../edge/sensor.ts';
import {type Readings, readOnce} from './host-fixture.ts';

/** A file of data/, by path. */
export function dataPath(name: string): string {
  return fileURLToPath(new URL(`data/${name}`, import.meta.url));
}

export function dataText(name: string): string {
  return readFileSync(dataPath(name), 'utf8');
}

/** A program of our making: the path of a shell script, removed after the test. */
export function fakeTool(t: ExecutionContext, script: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'forestay-tool-'));
  t.teardown(() => rmSync(folder, {recursive: true, force: true}));
  const path = join(folder, 'tool');
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
  return path;
}

/** Reads a sensor at one time until `enough` is true of what it gives; collects what it throws. */
export async function readUntil(
  sensor: Sensor,
  nowMs: number,
  enough: (readings: Readings, errors: readonly unknown[]) => boolean,
): Promise<{readings: Readings; errors: unknown[]}> {
  const errors: unknown[] = [];
  for (;;) {
    let readings = {devices: {}} as Readings;
    try {
      readings = readOnce(sensor, nowMs);
    } catch (error) {
      errors.push(error);
    }
    if (enough(readings, errors)) return {readings, errors};
    await setTimeout(5);
  }
}

/** Resolves when a process is gone. */
export async function gone(processId: number): Promise<void> {
  for (;;) {
    try {
      process.kill(processId, 0);
    } catch {
      return;
    }
    await setTimeout(5);
  }
}
