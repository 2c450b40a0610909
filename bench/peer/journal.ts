import {PARTITION_COUNT} from '../../core/domain/hash.ts';
import {createJournalReader, JOURNAL_START} from '../../core/engine/journal-reader.ts';
import {readRange} from '../../core/engine/log-range.ts';
import type {Log} from '../../core/ports.ts';
import {codec} from '../../proto/codec.ts';
import type {Outcome} from './job.ts';

/** What a core's journal says that it did: the outcome of the job as it would be replayed. */
export async function readOutcome(log: Log): Promise<Outcome> {
  const outcome = {scores: 0, scoreSum: 0, transitions: 0};
  for (let partition = 0; partition < PARTITION_COUNT; partition++) {
    const end = await log.endOffset('journal', partition);
    const reader = createJournalReader(codec, JOURNAL_START);
    for await (const record of readRange(log, 'journal', partition, 0, end)) {
      const item = reader.take(record);
      if (item?.kind !== 'tick') continue;
      for (const {risks} of item.tick.sampleRisks ?? []) {
        outcome.scores += risks.length;
        for (const risk of risks) outcome.scoreSum += risk;
      }
      for (const {event} of item.tick.transitions) {
        if (event === 'risk.raised' || event === 'risk.cleared') outcome.transitions++;
      }
    }
  }
  return outcome;
}
