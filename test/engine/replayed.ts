import type {ExecutionContext} from 'ava';
import type {PartitionState} from '../../core/engine/partition-state.ts';
import {applyTick, type RecoveryInput, recover} from '../../core/engine/recovery.ts';
import {codec} from '../../proto/codec.ts';
import {PARTITION, type Rig} from '../support/partition.ts';

/**
 * The state that the rig's ticks leave, one by one from the first and without a checkpoint; each must come
 * out as it was.
 */
export async function replayed(
  t: ExecutionContext,
  {log, policy, scorer, ticks}: Rig,
  otherwise: Partial<Pick<RecoveryInput, 'policy' | 'models'>> = {},
): Promise<PartitionState> {
  const input = {log, codec, partition: PARTITION, policy, model: scorer.signature(), ...otherwise};
  const {state} = await recover({...input, log: {...log, endOffset: async () => 0}});
  for (const tick of ticks) {
    const made = await applyTick(input, state, tick);
    t.deepEqual(codec.encodeTick(made), codec.encodeTick(tick));
  }
  return state;
}
