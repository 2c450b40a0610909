import {AnomalyObserver} from './engine/anomaly-observer.ts';
import type {PartitionState} from './engine/partition-state.ts';
import type {ReadModel} from './engine/read-model.ts';
import {applyScores} from './engine/read-model-fold.ts';
import type {Codec, Log, Watch} from './ports.ts';

/** What to call after each tick, so that anomalies are found beside the engine; nothing waits. */
export function observeAnomalies(
  {watch, log, codec}: {watch?: Watch | undefined; log: Log; codec: Codec},
  model: ReadModel,
): (state: PartitionState) => void {
  if (watch === undefined) return () => {};
  const observer = new AnomalyObserver({
    watch,
    log,
    codec,
    onFound: (partition, record) => applyScores(model, partition, record),
  });
  return state => observer.ticked(state);
}
