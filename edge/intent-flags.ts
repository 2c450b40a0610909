import {ForestayError} from '../core/domain/errors.ts';
import {
  FLAGS,
  type FlagName,
  type FlagNotice,
  type FlagPolicy,
  type FlagState,
  nextFlag,
} from '../core/domain/intent-policy.ts';
import {limitNotes} from './note.ts';
import type {Files, Note} from './ports.ts';

export type IntentFlagsOptions = {
  /** Must be there; only the agent should be allowed to write to it. */
  readonly folder: string;
  readonly policy: FlagPolicy;
  readonly files: Pick<Files, 'exists' | 'replace' | 'remove'>;
  readonly note: Note;
};

/** The files `checkpoint-me` and `drain`: all that an agent does by itself. */
export type IntentFlags = {
  /** Writes and removes what the risks call for; undefined: not known. Never throws. */
  look(risks: ArrayLike<number> | undefined, nowMs: number): void;
  /** Takes both down. */
  close(): void;
};

/** A disk that does not take a flag is asked again only so often. */
const RETRY_MS = 10_000;

/**
 * Flags that an earlier life of the agent left behind are removed: what they said is not known to
 * be so any more. A file appears whole, by a rename from `NAME.new` in the same folder.
 *
 * @throws {ForestayError} `CONFIG_INVALID` if there is no such folder, or its flags cannot be removed.
 */
export function openIntentFlags({folder, policy, files, note}: IntentFlagsOptions): IntentFlags {
  const limitedNote = limitNotes(note);
  const pathOf = (flag: FlagName) => `${folder}/${flag}`;
  const clear = (flag: FlagName): void => {
    for (const path of [pathOf(flag), `${pathOf(flag)}.new`]) {
      if (files.exists(path)) files.remove(path);
    }
  };
  if (!files.exists(folder)) throw unusable(folder, 'there is no such folder');
  try {
    for (const flag of FLAGS) clear(flag);
  } catch (cause) {
    throw unusable(folder, 'a flag of an earlier run cannot be removed', cause);
  }
  const states = new Map<FlagName, FlagState>();
  const written = new Map<FlagName, FlagNotice>();
  let retryAtMs = Number.NEGATIVE_INFINITY;

  const put = (flag: FlagName, notice: FlagNotice | undefined): void => {
    if (notice === undefined) {
      clear(flag);
      written.delete(flag);
      note(`edge: flag ${flag} is down`);
      return;
    }
    files.replace(pathOf(flag), Buffer.from(`${JSON.stringify(notice)}\n`));
    if (!written.has(flag)) note(`edge: flag ${flag} is up: ${notice.why}`);
    written.set(flag, notice);
  };

  return {
    look(risks, nowMs) {
      for (const flag of FLAGS) {
        const state = nextFlag(states.get(flag) ?? {}, policy[flag], risks, nowMs);
        states.set(flag, state);
        if (state.notice === written.get(flag) || nowMs < retryAtMs) continue;
        try {
          put(flag, state.notice);
        } catch (error) {
          retryAtMs = nowMs + RETRY_MS;
          limitedNote(flag, nowMs, `edge: flag ${flag} in ${folder}: ${(error as Error).message}`);
        }
      }
    },
    close() {
      for (const flag of written.keys()) clear(flag);
      written.clear();
    },
  };
}

function unusable(folder: string, reason: string, cause?: unknown): ForestayError {
  return new ForestayError(
    'CONFIG_INVALID',
    `cannot use --local-flags ${folder}: ${reason}; give a folder that the agent may write to`,
    {details: {folder}, cause},
  );
}
