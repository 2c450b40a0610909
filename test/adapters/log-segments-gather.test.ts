import {setImmediate as turn} from 'node:timers/promises';
import test from 'ava';
import {createMemoryFiles} from '../../core/adapters/files-memory.ts';
import {openSegmentLog} from '../../core/adapters/log-segments.ts';
import type {Clock} from '../../core/ports.ts';

/** A clock on which nothing passes until a sleep is let go. */
function standingClock() {
  const sleeps: {ms: number; wake: () => void}[] = [];
  const clock: Clock = {
    nowMs: () => 0,
    monotonicMs: () => 0,
    sleep: (ms, signal) =>
      new Promise(resolve => {
        sleeps.push({ms, wake: resolve});
        signal?.addEventListener('abort', () => resolve());
      }),
  };
  return {clock, sleeps};
}

async function until(holds: () => boolean): Promise<void> {
  for (let turns = 0; !holds() && turns < 1000; turns++) await turn();
}

test('telemetry waits for company, but not when a tick has something to write', async t => {
  const {clock, sleeps} = standingClock();
  const log = await openSegmentLog({directory: '/log', files: createMemoryFiles(), clock});
  const value = Uint8Array.of(1);
  await log.append('telemetry', 0, [value]);
  await until(() => sleeps.length === 1);
  sleeps[0]?.wake();
  await until(() => sleeps.length === 2);
  let isDurable = false;
  const second = log.append('telemetry', 0, [value]).then(() => {
    isDurable = true;
  });
  for (let turns = 0; turns < 20; turns++) await turn();
  t.false(isDurable, 'it waits for others');
  await log.append('journal', 0, [value]);
  await second;
  t.true((sleeps[1]?.ms ?? 0) > (sleeps[0]?.ms ?? 0));
  for (const {wake} of sleeps) wake();
  const closed = log.close();
  await until(() => sleeps.length > 2);
  for (const {wake} of sleeps) wake();
  await turn();
  for (const {wake} of sleeps) wake();
  await closed;
});
