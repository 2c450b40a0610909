import {formatError} from './domain/errors.ts';
import {PARTITIONS} from './domain/hash.ts';
import type {Engine} from './engine/engine.ts';
import {createRecorder, type Recorder} from './engine/recorder.ts';
import type {Clock, Codec, Log, Random, Store} from './ports.ts';

export type Recording = {
  recorder: Recorder;
  /** Why nothing is stored any more; empty: all is well. */
  problem(): string;
  /** What is owned now is stored to its end, although it is handed back. */
  keep(): void;
  stop(): Promise<void>;
};

/** Stores what this core owns, beside the engine: no decision waits for it, and its end is told. */
export function startRecording(
  parts: {log: Log; store: Store; codec: Codec; wallClock: Clock; random: Random},
  settings: {sampleEvery?: number; record?: boolean; onProblem: (message: string) => void},
  engine: Engine,
): Recording {
  const {log, store, codec, wallClock, random} = parts;
  const {sampleEvery = 1, record = true, onProblem} = settings;
  let kept: ReadonlySet<number> | undefined;
  const recorder = record
    ? createRecorder({
        log,
        store,
        codec,
        clock: wallClock,
        random,
        partitions: PARTITIONS,
        isOwned: partition => kept?.has(partition) ?? engine.owns(partition),
        sampleEvery,
        scoreEvery: sampleEvery,
      })
    : storingNothing;
  const stopped = new AbortController();
  let problem = '';
  const recorded = recorder.run(stopped.signal).catch(error => {
    problem = formatError(error);
    onProblem(`recorder: ${problem}`);
  });
  return {
    recorder,
    problem: () => problem,
    keep() {
      kept = new Set(PARTITIONS.filter(partition => engine.owns(partition)));
    },
    async stop() {
      stopped.abort();
      await recorded;
    },
  };
}

const storingNothing: Recorder = {
  run: async () => {},
  drained: async () => {},
  storedSamples: () => new Map(),
};
