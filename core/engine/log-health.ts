import {isForestayError} from '../domain/errors.ts';
import {publish} from '../events.ts';
import type {Log, Topic} from '../ports.ts';

export type LogHealth = {
  /** The same log; what is appended through it is watched. */
  log: Log;
  /** Why the newest append of each topic that fails now has failed; empty: all is well. */
  problem(): string;
};

/**
 * A log whose failed appends are counted and can be asked for. Whoever cannot write retries, so
 * the first append that succeeds again says that the topic is well.
 */
export function watchLog(log: Log): LogHealth {
  const failing = new Map<Topic, string>();
  const append: Log['append'] = async (topic, partition, values) => {
    try {
      const offset = await log.append(topic, partition, values);
      failing.delete(topic);
      return offset;
    } catch (error) {
      if (isForestayError(error) && error.code !== 'LOG_CLOSED') {
        failing.set(topic, error.message);
        publish('log.append-failed', {topic, code: error.code});
      }
      throw error;
    }
  };
  return {
    log: {
      append,
      read: (...args) => log.read(...args),
      startOffset: (...args) => log.startOffset(...args),
      endOffset: (...args) => log.endOffset(...args),
      own: handler => log.own(handler),
      release: (...args) => log.release(...args),
      close: () => log.close(),
    },
    problem: () => [...failing.values()].join('; '),
  };
}
