import {ForestayError} from '../../core/domain/errors.ts';
import type {Clock, Random, Store} from '../../core/ports.ts';

export type StoreFaults = {
  /** Share of the writes that fail before, or after they were done. */
  fail: number;
  slow: number;
  slowMsMax: number;
};

export const SOUND_STORE: StoreFaults = {fail: 0, slow: 0, slowMsMax: 0};

/** A database beside the cores, as one core's process reaches it. */
export function createStoreClient(options: {
  store: Store;
  clock: Clock;
  random: Random;
  faults: () => StoreFaults;
  onFault: (what: string) => void;
}): Store {
  const {store, clock, random, faults, onFault} = options;
  return {
    ...store,
    close: async () => {},
    async write(batches, offsets) {
      const {fail, slow, slowMsMax} = faults();
      if (random.next() < slow) {
        onFault('the store is slow');
        await clock.sleep(random.next() * slowMsMax);
      }
      if (random.next() >= fail) return store.write(batches, offsets);
      onFault('the store failed');
      if (random.next() < 0.5) await store.write(batches, offsets);
      throw new ForestayError('STORE_WRITE_FAILED', 'the store answered 500', {retryable: true});
    },
  };
}
