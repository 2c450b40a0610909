/** What a partition's state shows to people (read-model-fold.ts). */
import type {Epoch} from '../domain/records.ts';
import {workloadOf} from './fleet-view.ts';
import type {PartitionState} from './partition-state.ts';
import type {PartitionImage} from './read-model-fold.ts';
import {newestCheckpoint, type RecoveryInput} from './recovery.ts';
import {namedOnly} from './tick-inventory.ts';

/** The image of a state up to a journal offset. O(fleet of the partition). */
export function imageOfState(
  state: PartitionState,
  {owner, address}: Pick<Epoch, 'owner' | 'address'>,
  nextOffset: number,
): PartitionImage {
  return {
    nextOffset,
    inboxOffset: state.cut.inboxOffset,
    epoch: state.epoch,
    owner,
    address,
    tickNumber: state.tickNumber,
    timeMs: state.timeMs,
    timeBase: state.timeBase,
    control: state.control,
    modelHash: state.model.hash,
    models: state.use,
    inventory: [...state.hosts.values()].flatMap(({name, facts, row}) => {
      if (facts !== undefined) return [facts];
      return row < 0 ? [namedOnly(name)] : [];
    }),
    workloads: [...state.vms.values()]
      .map(vm => ({vm: vm.name, ...workloadOf(state, vm)}))
      .filter(({observedMs}) => observedMs > 0),
    // As in the journal: who never moved is not told of.
    actors: state.actors.parts().moved,
  };
}

/**
 * The image that the newest checkpoint holds, or undefined if there is none. The whole checkpoint is
 * read for it, and dropped. Who owns the partition is not in it: the next EPOCH says so.
 *
 * Errors: those of the log.
 */
export async function imageOfCheckpoint(input: RecoveryInput): Promise<PartitionImage | undefined> {
  const found = await newestCheckpoint(input);
  if (found === undefined) return undefined;
  return imageOfState(found.state, {owner: '', address: ''}, found.offset + 1);
}
