import {createMemoryLog} from '../../core/adapters/log-memory.ts';
import {ForestayError} from '../../core/domain/errors.ts';
import type {Log, Topic} from '../../core/ports.ts';

/** `before`: nothing was appended. `after`: it was, but nobody heard. */
export type Fault = 'before' | 'after' | 'forbidden';

/** A log whose appends fail as planned, and that lets others write in between. */
export function faultyLog(inner: Log = createMemoryLog()) {
  const planned: {topic: Topic; fault: Fault}[] = [];
  let intrude: ((topic: Topic) => Promise<void>) | undefined;
  const failure = (fault: Fault) =>
    new ForestayError('LOG_APPEND_FAILED', `the append failed ${fault}`, {
      retryable: fault !== 'forbidden',
    });
  const log: Log = {
    ...inner,
    async append(topic, partition, values) {
      await intrude?.(topic);
      const at = planned.findIndex(plan => plan.topic === topic);
      const fault = at < 0 ? undefined : planned.splice(at, 1)[0]?.fault;
      if (fault === 'before' || fault === 'forbidden') throw failure(fault);
      const offset = await inner.append(topic, partition, values);
      if (fault === 'after') throw failure(fault);
      return offset;
    },
  };
  return {
    log,
    inner,
    /** The next appends to this topic fail, one each. */
    plan: (topic: Topic, ...faults: Fault[]) =>
      void planned.push(...faults.map(fault => ({topic, fault}))),
    /** Called before every append, until it is set to undefined. */
    intrude(act: ((topic: Topic) => Promise<void>) | undefined): void {
      intrude = act;
    },
  };
}
