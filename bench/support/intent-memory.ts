/**
 * What a process needs more with a reboot-intent model on a thread of its own: prints MiB, after
 * predictions and after an explanation. Run by `bench intent` as a process of its own, as an agent is one:
 * `node bench/support/intent-memory.ts FOLDER`.
 */
import {setTimeout as sleep} from 'node:timers/promises';
import {systemClock} from '../../core/adapters/clock-system.ts';
import {INTENT_COLUMNS} from '../../core/domain/intent-step.ts';
import {openIntentThread} from '../../edge/intent-thread.ts';

const PREDICTIONS = 3000;
const before = process.memoryUsage.rss();
const thread = await openIntentThread({
  folder: process.argv[2] ?? '',
  clock: systemClock,
  random: {next: () => 0.5},
});
const row = new Float32Array(INTENT_COLUMNS).fill(0.5);
for (let index = 0; index < PREDICTIONS; index++) await thread.next('h01', row);
await sleep(500);
const predicted = process.memoryUsage.rss();
const samples = new Float32Array(thread.manifest.explainSteps * INTENT_COLUMNS).fill(0.5);
for (let index = 0; index < 3; index++) await thread.explain(samples, 10);
await sleep(500);
const explained = process.memoryUsage.rss();
await thread.close();
process.stdout.write(
  JSON.stringify([predicted, explained].map(bytes => (bytes - before) / 2 ** 20)),
);
