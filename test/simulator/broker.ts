/**
 * The shared log: a process of its own with the real segment log on a simulated disk, and the
 * client through which a core reaches it. A call may time out with an unknown outcome, arrive late
 * or twice.
 */
import {openSegmentLog} from '../../core/adapters/log-segments.ts';
import {ForestayError} from '../../core/domain/errors.ts';
import type {Log, OwnershipHandler, Topic} from '../../core/ports.ts';
import type {SimDisk} from './disk.ts';
import type {Group} from './group.ts';
import type {Network} from './network.ts';
import type {SimProcess} from './process.ts';

const CALL_MS = 3_000;

/** Told of what became durable, in the order of the log. */
export type Appended = (
  topic: Topic,
  partition: number,
  offset: number,
  values: readonly Uint8Array[],
) => void;

export class Broker {
  readonly process: SimProcess;
  readonly disk: SimDisk;
  readonly #onAppended: Appended;
  #log: Log | undefined;

  constructor(process: SimProcess, disk: SimDisk, onAppended: Appended) {
    this.process = process;
    this.disk = disk;
    this.#onAppended = onAppended;
  }

  /** @param look Sees what is there before anybody else does. */
  async start(look: (log: Log) => Promise<void>): Promise<void> {
    this.process.start();
    const clock = this.process.clock();
    const log = await openSegmentLog({
      directory: '/log',
      files: this.disk.files(this.process, clock),
      clock,
      groupMs: 0,
      // Segments are rolled and caches outgrown within minutes.
      segmentBytes: 256 * 1024,
      cacheBytes: 512 * 1024,
      isAlive: () => false,
    });
    await look(log);
    this.#log = log;
  }

  crash(losesPower: boolean, torn: boolean): void {
    this.process.kill();
    this.#log = undefined;
    if (losesPower) this.disk.losePower(torn);
  }

  get log(): Log {
    if (this.#log === undefined) throw starting();
    return this.#log;
  }

  async append(topic: Topic, partition: number, values: readonly Uint8Array[]): Promise<number> {
    const offset = await this.log.append(topic, partition, values);
    this.#onAppended(topic, partition, offset, values);
    return offset;
  }
}

/** The log as a core sees it. */
export function createLogClient(options: {
  broker: Broker;
  group: Group;
  network: Network;
  process: SimProcess;
}): Log {
  const {broker, group, network, process} = options;
  const call = <T>(act: () => Promise<T>, timeOut: () => Error): Promise<T> =>
    network.call(process, broker.process, act, {timeoutMs: CALL_MS, timeOut});
  const ask = <T>(topic: Topic, partition: number, act: () => Promise<T>): Promise<T> =>
    call(act, () => unreachable(topic, partition));
  return {
    append: (topic, partition, values) =>
      call(
        () => broker.append(topic, partition, values),
        () => unknownOutcome(topic, partition),
      ),
    read: (topic, partition, from, maxBytes) =>
      ask(topic, partition, () => broker.log.read(topic, partition, from, maxBytes)),
    startOffset: (topic, partition) =>
      ask(topic, partition, () => broker.log.startOffset(topic, partition)),
    endOffset: (topic, partition) =>
      ask(topic, partition, () => broker.log.endOffset(topic, partition)),
    release: (topic, partition, before) =>
      ask(topic, partition, () => broker.log.release(topic, partition, before)),
    own: (handler: OwnershipHandler) => group.join(process, handler),
    close: async () => {},
  };
}

function starting(): ForestayError {
  return new ForestayError('LOG_APPEND_FAILED', 'the broker is starting', {retryable: true});
}

function unknownOutcome(topic: Topic, partition: number): ForestayError {
  return new ForestayError('LOG_APPEND_FAILED', `append to ${topic}/${partition}: no answer`, {
    retryable: true,
  });
}

function unreachable(topic: Topic, partition: number): ForestayError {
  return new ForestayError('DEPENDENCY_UNREACHABLE', `read ${topic}/${partition}: no answer`, {
    retryable: true,
  });
}
