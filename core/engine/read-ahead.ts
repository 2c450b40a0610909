import type {LogRecord} from '../ports.ts';
import type {LogReads} from './log-range.ts';

/**
 * The same log for one reader that goes through it once, a few records at a time: a read that falls
 * into the records of the last one of its partition is answered from them.
 */
export function readAhead(log: LogReads): LogReads {
  const held = new Map<string, readonly LogRecord[]>();
  return {
    startOffset: (topic, partition) => log.startOffset(topic, partition),
    endOffset: (topic, partition) => log.endOffset(topic, partition),
    async read(topic, partition, from, maxBytes) {
      const key = `${topic}/${partition}`;
      const known = held.get(key) ?? [];
      const [first, last] = [known[0], known.at(-1)];
      if (first !== undefined && first.offset <= from && from <= (last ?? first).offset) {
        return known.slice(known.findIndex(({offset}) => offset >= from));
      }
      const found = await log.read(topic, partition, from, maxBytes);
      held.set(key, found);
      return found;
    },
  };
}
