/**
 * How long telemetry takes from the log to the end of the tick that applied its risks, seen from
 * outside of an engine: where it was appended, and what its ticks say that they took and asked.
 */
import {listen} from '../../core/events.ts';
import type {Log} from '../../core/ports.ts';

type StagedTick = {partition: number; telemetryOffset: number; asked: number; answered: number};

/** Messages of each partition, in order of their offsets, from the log to their decision. */
export function createUndecided<Message extends {readonly offset: number}>() {
  const appended = new Map<number, Message[]>();
  const waiting = new Map<number, {message: Message; request: number}[]>();
  const asked = new Map<number, number>();
  return {
    append(partition: number, message: Message): void {
      queueOf(appended, partition).push(message);
    },
    /** Messages that the tick took wait for the next scoring request; those it answers are decided. */
    follow(tick: StagedTick): {taken: readonly Message[]; decided: readonly Message[]} {
      const {partition, telemetryOffset, answered} = tick;
      const held = queueOf(waiting, partition);
      const decided = takeWhile(held, ({request}) => request <= answered);
      const taken = takeWhile(queueOf(appended, partition), ({offset}) => offset < telemetryOffset);
      // What this tick took is in its request, or in the next one if there was no room.
      const hasAsked = tick.asked > (asked.get(partition) ?? 0);
      const request = tick.asked + (hasAsked ? 0 : 1);
      for (const message of taken) held.push({message, request});
      asked.set(partition, tick.asked);
      return {taken, decided: decided.map(({message}) => message)};
    },
    count: (): number =>
      [...waiting.values(), ...appended.values()].reduce((sum, {length}) => sum + length, 0),
  };
}

function queueOf<Value>(queues: Map<number, Value[]>, partition: number): Value[] {
  const queue = queues.get(partition) ?? [];
  queues.set(partition, queue);
  return queue;
}

/** Removes what stands before the first that does not fit. */
function takeWhile<Value>(queue: Value[], fits: (value: Value) => boolean): Value[] {
  const end = queue.findIndex(value => !fits(value));
  return queue.splice(0, end < 0 ? queue.length : end);
}

/** @param take Told of each batch, once it is decided. */
export function followDecisions(log: Log, take: (durationMs: number) => void): {stop(): void} {
  const undecided = createUndecided<{offset: number; appendedMs: number}>();
  const append = log.append.bind(log);
  log.append = async (topic, partition, values) => {
    const appendedMs = performance.now();
    const offset = await append(topic, partition, values);
    if (topic !== 'telemetry') return offset;
    undecided.append(partition, {offset: offset + values.length - 1, appendedMs});
    return offset;
  };
  const stop = listen('tick.staged', tick => {
    const {decided} = undecided.follow(tick);
    for (const {appendedMs} of decided) take(performance.now() - appendedMs);
  });
  return {
    stop() {
      stop();
      log.append = append;
    },
  };
}
