import {formatError} from './domain/errors.ts';
import type {Policy} from './domain/policy.ts';
import type {Engine} from './engine/engine.ts';
import {imageOfCheckpoint} from './engine/partition-image.ts';
import type {ReadModel} from './engine/read-model.ts';
import {createReadModelTailer, type Tailer} from './engine/read-model-tailer.ts';
import type {Clock, Codec, Log, Random, Scorer} from './ports.ts';

/** What other cores own is read from the log, so that every core shows everything. */
export function startFollowing(
  parts: {log: Log; codec: Codec; scorer: Scorer; wallClock: Clock; random: Random},
  {policy, onProblem}: {policy: Policy; onProblem: (message: string) => void},
  model: ReadModel,
  engine: Engine,
): {tailer: Tailer; stop(): Promise<void>} {
  const {log, codec, scorer, wallClock, random} = parts;
  const tailer = createReadModelTailer({
    log,
    codec,
    clock: wallClock,
    random: random.fork('tailer'),
    model,
    isOwned: partition => engine.owns(partition),
    imageOf: partition =>
      imageOfCheckpoint({log, codec, partition, policy, model: scorer.signature()}),
  });
  const stopped = new AbortController();
  const followed = tailer
    .run(stopped.signal)
    .catch(error => onProblem(`reader of others' partitions: ${formatError(error)}`));
  return {
    tailer,
    async stop() {
      stopped.abort();
      await followed;
    },
  };
}
