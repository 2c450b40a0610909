/**
 * How long telemetry takes from the log to the end of the tick that applied its risks, seen from
 * outside of an engine: where it was appended, and what its ticks say that they took and asked.
 */
import {listen} from '../../core/events.ts';
import type {Log} from '../../core/ports.ts';

type Waiting = {appendedMs: number; request: number};

/** @param take Told of each batch, once it is decided. */
export function followDecisions(log: Log, take: (durationMs: number) => void): {stop(): void} {
  const appended = new Map<number, {offset: number; appendedMs: number}[]>();
  const waiting = new Map<number, Waiting[]>();
  const asked = new Map<number, number>();
  const append = log.append.bind(log);
  log.append = async (topic, partition, values) => {
    const appendedMs = performance.now();
    const offset = await append(topic, partition, values);
    if (topic !== 'telemetry') return offset;
    const queue = appended.get(partition) ?? [];
    appended.set(partition, queue);
    queue.push({offset: offset + values.length - 1, appendedMs});
    return offset;
  };
  const stop = listen('tick.staged', tick => {
    const {partition, telemetryOffset, answered} = tick;
    const hasAsked = tick.asked > (asked.get(partition) ?? 0);
    asked.set(partition, tick.asked);
    const held = waiting.get(partition) ?? [];
    waiting.set(partition, held);
    while (held[0] !== undefined && held[0].request <= answered) {
      take(performance.now() - (held.shift() as Waiting).appendedMs);
    }
    const queue = appended.get(partition) ?? [];
    while (queue[0] !== undefined && queue[0].offset < telemetryOffset) {
      const {appendedMs} = queue.shift() as {appendedMs: number};
      // What this tick took is in its request, or in the next one if there was no room.
      held.push({appendedMs, request: tick.asked + (hasAsked ? 0 : 1)});
    }
  });
  return {
    stop() {
      stop();
      log.append = append;
    },
  };
}
