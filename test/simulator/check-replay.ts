/** S11: what was lived can be folded again from the log, byte for byte. */
import type {Policy} from '../../core/domain/policy.ts';
import {createPartitionState, type PartitionState} from '../../core/engine/partition-state.ts';
import {applyTick} from '../../core/engine/recovery.ts';
import type {Log, ModelSignature} from '../../core/ports.ts';
import {codec} from '../../proto/codec.ts';
import {essence} from '../support/journal.ts';
import {recovered} from '../support/replay.ts';
import {believedTicks} from './check-effects.ts';
import type {Oracle} from './oracle.ts';

export async function checkReplay(options: {
  oracle: Oracle;
  log: Log;
  policy: Policy;
  model: ModelSignature;
  lived: readonly PartitionState[];
  partitions: readonly number[];
}): Promise<void> {
  const {oracle, log, policy, model, lived, partitions} = options;
  for (const partition of partitions) {
    const {state: fast} = await recovered({log, partition, policy, model});
    const slow = createPartitionState(partition, policy, model);
    for (const tick of await believedTicks(oracle, log, partition)) {
      const again = await applyTick({log, codec, partition}, slow, tick);
      const isSame = Buffer.from(codec.encodeTick(again)).equals(codec.encodeTick(tick));
      oracle.expect(isSame, 'S11', () => `tick ${tick.number} of ${partition} is another one`);
    }
    compare(oracle, `${partition} from its checkpoint`, essence(fast), essence(slow));
    for (const state of lived) {
      if (state.partition !== partition) continue;
      compare(oracle, `${partition} as it was lived`, essence(state), essence(slow));
    }
  }
}

function compare(
  oracle: Oracle,
  what: string,
  one: Record<string, string>,
  other: Record<string, string>,
): void {
  const fields = [...new Set([...Object.keys(one), ...Object.keys(other)])];
  // A tick that took nothing and changed nothing leaves no trace but its time.
  const different = fields.filter(field => field !== 'timeMs' && one[field] !== other[field]);
  oracle.expect(
    different.length === 0,
    'S11',
    () => `state of partition ${what} differs from its replay in ${different.join(', ')}`,
  );
}
