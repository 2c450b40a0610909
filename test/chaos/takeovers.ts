/** How long partitions were without decisions after their owner was killed, from the journal alone. */
import {codec} from '../../proto/codec.ts';
import type {LoggedRecord, ValidTick} from '../support/kept.ts';

export type Kill = {wallMs: number; pid: number};

export type Takeover = {
  partition: number;
  killedAtMs: number;
  /** To the first tick of the new owner that counts. */
  tickMs: number;
  /** To the first of those that decided something or moved an actor. */
  decisionMs: number;
};

/**
 * One of each partition that the victim owned and that had work before it died. A partition that the next
 * kill met before it had decided anything is left out: it is that kill's.
 */
export function takeoversOf(
  kill: Kill,
  nextKillMs: number,
  journal: readonly LoggedRecord[],
  ticks: readonly ValidTick[],
): Takeover[] {
  const found: Takeover[] = [];
  const owners = ownersAt(kill.wallMs, journal);
  const ofPartition = Map.groupBy(ticks, ({partition}) => partition);
  for (const [partition, {epoch, pid}] of owners) {
    if (pid !== kill.pid) continue;
    const all = ofPartition.get(partition) ?? [];
    if (!all.some(({tick, atMs = 0}) => tick.epoch === epoch && isDecisive(tick) && atMs > 0)) {
      continue;
    }
    const after = all.filter(({tick, atMs = 0}) => tick.epoch > epoch && atMs >= kill.wallMs);
    const first = after[0]?.atMs;
    const decisive = after.find(({tick}) => isDecisive(tick))?.atMs;
    if (first === undefined || decisive === undefined || decisive > nextKillMs) continue;
    found.push({
      partition,
      killedAtMs: kill.wallMs,
      tickMs: first - kill.wallMs,
      decisionMs: decisive - kill.wallMs,
    });
  }
  return found;
}

function isDecisive({decisions, transitions}: ValidTick['tick']): boolean {
  return decisions.length > 0 || transitions.length > 0;
}

/** Who owned each partition then: `HOST/PID` of its last EPOCH. */
function ownersAt(
  wallMs: number,
  journal: readonly LoggedRecord[],
): Map<number, {epoch: number; pid: number}> {
  const owners = new Map<number, {epoch: number; pid: number}>();
  for (const {partition, value, atMs = 0} of journal) {
    if (atMs >= wallMs) continue;
    const record = codec.decodeJournal(value);
    if (record.kind !== 'epoch') continue;
    const {epoch, owner} = record.epoch;
    if (epoch <= (owners.get(partition)?.epoch ?? -1)) continue;
    owners.set(partition, {epoch, pid: Number(owner.slice(owner.lastIndexOf('/') + 1))});
  }
  return owners;
}
