/** The composition of what an edge does with the reboot-intent model. */
import {ForestayError, formatError} from '../core/domain/errors.ts';
import type {FlagPolicy} from '../core/domain/intent-policy.ts';
import {INTENT_STEP_MS} from '../core/domain/intent-step.ts';
import {concludeIntent} from './intent.ts';
import {type IntentFlags, openIntentFlags} from './intent-flags.ts';
import {type IntentCounters, type IntentThread, openIntentThread} from './intent-thread.ts';
import type {Clock, Files, Note, Random} from './ports.ts';
import type {Conclusion} from './sensor.ts';

export type IntentUse = {
  /** Folder of the model. */
  readonly model: string;
  /** Whether the edge does not start without it: somebody has named it. */
  readonly required: boolean;
  /** Flags for the workloads of this host; without: none. */
  readonly flags?: {readonly folder: string; readonly policy: FlagPolicy} | undefined;
};

type Options = {
  readonly intent?: IntentUse | undefined;
  readonly host: string;
  readonly intervalMs: number;
  readonly clock: Clock;
  readonly files: Files;
  readonly random: Random;
  readonly note: Note;
};

type OpenIntent = {
  readonly conclusions: readonly Conclusion[];
  /** Undefined: off. */
  readonly counters: Readonly<IntentCounters> | undefined;
  close(): Promise<void>;
};

const OFF: OpenIntent = {conclusions: [], counters: undefined, close: async () => {}};

/**
 * Starts the model's thread, if the edge has a model. One that came with the program and does not
 * run here is told of and left out: a host is watched all the same.
 *
 * @throws {ForestayError} `CONFIG_INVALID`, and for a model that is required those of
 *   {@link openIntentThread}.
 */
export async function openIntent(options: Options): Promise<OpenIntent> {
  const {intent, host, intervalMs, clock, files, random, note} = options;
  if (intent === undefined) return OFF;
  const {model: folder, required, flags: wanted} = intent;
  if (intervalMs > INTENT_STEP_MS) {
    const reason = `samples every ${intervalMs} ms leave steps of ${INTENT_STEP_MS} ms empty; give --interval 10s or less`;
    if (required || wanted !== undefined) {
      throw new ForestayError('CONFIG_INVALID', `cannot use the reboot-intent model: ${reason}`);
    }
    note(`edge: REBOOT INTENT OFF: ${reason}`);
    return OFF;
  }
  let thread: IntentThread;
  try {
    thread = await openIntentThread({folder, clock, random, note});
  } catch (error) {
    if (required || wanted !== undefined) throw error;
    note(`edge: REBOOT INTENT OFF, telemetry goes on: ${formatError(error)}`);
    return OFF;
  }
  let flags: IntentFlags | undefined;
  try {
    flags = wanted && openIntentFlags({...wanted, files, note});
  } catch (error) {
    await thread.close();
    throw error;
  }
  return {
    conclusions: [concludeIntent({key: host, thread, flags})],
    counters: thread.counters,
    async close() {
      flags?.close();
      await thread.close();
    },
  };
}
