import type {Policy} from '../../core/domain/policy.ts';
import type {Tick} from '../../core/domain/records.ts';
import {createPartitionState, type PartitionState} from '../../core/engine/partition-state.ts';
import {inputsOf, recover} from '../../core/engine/recovery.ts';
import {advance} from '../../core/engine/tick.ts';
import type {Log, ModelSignature} from '../../core/ports.ts';
import {codec} from '../../proto/codec.ts';
import {ticksOf} from './journal.ts';

export type Recorded = {log: Log; partition: number; policy: Policy; model: ModelSignature};

/** Decides everything again from the recorded cuts and risks: the ticks that come of it. */
export async function rederive({log, partition, policy, model}: Recorded): Promise<{
  state: PartitionState;
  ticks: Tick[];
  /** Ticks that were quiet when they were lived and are not now. */
  loud: number;
}> {
  const state = createPartitionState(partition, policy, model);
  const ticks: Tick[] = [];
  let loud = 0;
  for (const recorded of await ticksOf(log, partition)) {
    state.epoch = recorded.epoch;
    const {quiet = []} = recorded;
    for (const cut of quiet) {
      const input = await inputsOf({log, codec, partition}, state, {...cut, risks: []});
      if (advance(state, input).changed) loud++;
    }
    const {tick} = advance(state, await inputsOf({log, codec, partition}, state, recorded));
    state.tickNumber = tick.number;
    ticks.push(quiet.length === 0 ? tick : {...tick, quiet});
  }
  return {state, ticks, loud};
}

export const hexOf = (tick: Tick): string => Buffer.from(codec.encodeTick(tick)).toString('hex');

/** The state as a new owner finds it. */
export const recovered = ({log, partition, policy, model}: Recorded) =>
  recover({log, codec, partition, policy, model});

/** The same log, but nobody ever wrote a checkpoint. */
export const withoutCheckpoints = (log: Log): Log => ({
  ...log,
  endOffset: async (topic, partition) =>
    topic === 'checkpoints' ? 0 : log.endOffset(topic, partition),
});
