import {createHash, type Hash} from 'node:crypto';
import type {Tick} from '../core/domain/records.ts';
import {codec} from '../proto/codec.ts';

/**
 * SHA-256 over the ticks of simulated cells, partition after partition: what a run decided, without
 * addresses or wall time. Equal for equal seeds on one type of CPU.
 */
export function createJournalDigest(): {add(partition: number, tick: Tick): void; hex(): string} {
  const partitions = new Map<number, Hash>();
  return {
    add(partition, tick) {
      const hash = partitions.get(partition) ?? createHash('sha256');
      partitions.set(partition, hash);
      hash.update(codec.encodeTick(withoutAddresses(tick)));
    },
    hex() {
      const whole = createHash('sha256');
      for (const partition of [...partitions.keys()].sort((a, b) => a - b)) {
        whole.update((partitions.get(partition) as Hash).copy().digest());
      }
      return whole.digest('hex');
    },
  };
}

function withoutAddresses(tick: Tick): Tick {
  return {
    ...tick,
    effects: tick.effects.map(effect => ({...effect, address: ''})),
    inventory: tick.inventory.map(host => ({...host, actuatorAddress: ''})),
  };
}
