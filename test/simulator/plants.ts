/**
 * Bugs that are put between the product's parts, one at a time, to see whether the checkers can see
 * them. Each is what a wrong implementation of a port, or of the part behind it, would do.
 */
import type {PartitionState} from '../../core/engine/partition-state.ts';
import type {EffectTable} from '../../edge/actuator/effect-table.ts';
import type {Dial, Files} from '../../edge/ports.ts';
import type {CoreParts} from './core.ts';
import type {Invariant} from './oracle.ts';
import * as acting from './plants-acting.ts';
import * as logging from './plants-log.ts';
import type {SimProcess} from './process.ts';
import type {Incident, Swarm} from './swarm.ts';
import type {World} from './world.ts';

export type Plant = {
  /** Any of these tells it. */
  breaks?: readonly Invariant[];
  /** Incidents without which it does not show. */
  incidents?: readonly Incident[];
  swarm?: Partial<Swarm>;
  prepare?: (world: World) => void;
  core?: (parts: CoreParts, world: World, process: SimProcess) => CoreParts;
  dial?: (dial: Dial) => Dial;
  table?: (table: EffectTable) => EffectTable;
  edgeFiles?: (files: Files) => Files;
  started?: (state: PartitionState) => void;
};

export const NO_PLANT: Plant = {};

export const PLANTS: ReadonlyMap<string, Plant> = new Map<string, Plant>([
  ['ack-before-sync', logging.ackBeforeSync],
  ['ack-before-append', logging.ackBeforeAppend],
  ['writer-without-epochs', logging.writerWithoutEpochs],
  ['reader-without-epochs', logging.readerWithoutEpochs],
  ['outbox-before-durable', logging.outboxBeforeDurable],
  ['results-out-of-order', logging.resultsOutOfOrder],
  ['records-skipped', logging.recordsSkipped],
  ['duplicates-counted', logging.duplicatesCounted],
  ['checkpoint-without-crc', logging.checkpointWithoutCrc],
  ['timer-lost', logging.timerLost],
  ['offsets-before-rows', logging.offsetsBeforeRows],
  ['hole-taken-for-sent', acting.holeTakenForSent],
  ['ledger-after-unlink', acting.ledgerAfterUnlink],
  ['agent-without-epochs', acting.agentWithoutEpochs],
  ['agent-forgets', acting.agentForgets],
  ['fence-not-announced', acting.fenceNotAnnounced],
  ['silence-taken-for-death', acting.silenceTakenForDeath],
  ['timeout-taken-for-failure', acting.timeoutTakenForFailure],
  ['budget-forgotten', acting.budgetForgotten],
]);
