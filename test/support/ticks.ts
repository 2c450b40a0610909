/** A partition's state that is led through its ticks by hand. */
import {DEFAULT_POLICY} from '../../core/domain/policy.ts';
import type {InboxRecord, Tick} from '../../core/domain/records.ts';
import type {Batch} from '../../core/domain/telemetry.ts';
import {createPartitionState, type PartitionState} from '../../core/engine/partition-state.ts';
import type {ScoreResult} from '../../core/engine/score-result.ts';
import {advance} from '../../core/engine/tick.ts';
import {
  hostBatch,
  hostFacts,
  metricScorer,
  PARTITION,
  QUICK_BANDS,
  START_MS,
  vm,
} from './partition.ts';

export const model = metricScorer().signature();
export const policy = {...DEFAULT_POLICY, mode: 'auto' as const, band: QUICK_BANDS};
/** A partition that knows nothing yet, with quick bands and acting. */
export const create = () => createPartitionState(PARTITION, policy, model);

type Step = {batches?: Batch[]; inbox?: InboxRecord[]; scores?: ScoreResult[]; timers?: boolean};

/** One tick at so many seconds after the start; offsets count what was taken. */
export function tickAt(state: PartitionState, second: number, step: Step = {}): Tick {
  const {batches = [], inbox = [], scores = [], timers = true} = step;
  const {cut} = state;
  const {tick} = advance(state, {
    timeMs: START_MS + 1000 * second,
    cut: {
      telemetryOffset: cut.telemetryOffset + batches.length,
      inboxOffset: cut.inboxOffset + inbox.length,
      scoreRequest: cut.scoreRequest + scores.length,
    },
    telemetry: batches.map(batch => ({kind: 'batch', batch})),
    inbox,
    scores,
    timers,
  });
  state.tickNumber = tick.number;
  return tick;
}

/** So many seconds after the start. */
export const at = (second: number) => START_MS + 1000 * second;
/** A host's sample with an inventory that names these VMs. */
export const named = (host: string, seq: number, second: number, vms: string[], fields = {}) =>
  hostBatch(host, seq, [{atMs: at(second)}], {
    inventory: {hosts: [hostFacts(host, {vms: vms.map(name => vm(name)), ...fields})]},
  });
export const command = (requestId: string, record: object) =>
  ({requestId, atMs: at(0), author: 'operator', ...record}) as InboxRecord;
export const scored = (hosts: Record<string, number>): ScoreResult => ({
  request: 1,
  hosts: Object.keys(hosts),
  risks: Float32Array.from(Object.values(hosts).flatMap(risk => [risk, 0, 0, 0, 0, Number.NaN])),
});
export const eventsOf = ({transitions}: Tick) =>
  transitions.map(({actor, event}) => `${actor} ${event}`);
