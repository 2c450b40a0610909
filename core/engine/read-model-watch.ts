import type {Clock} from '../ports.ts';
import type {ReadModel} from './read-model.ts';
import {type JournalPlaces, placesOf} from './resume-token.ts';

/** What changed since the last call, conflated: at most one entry a resource. */
export type Changes = {
  names: readonly string[];
  /** How far the model had come: what changed up to there was named, now or before. */
  places: JournalPlaces;
};

export type Watcher = {
  /** Waits for a change, for `waitMs`, or for the abort; then gives the names, maybe none. */
  next(waitMs: number): Promise<Changes>;
  close(): void;
};

/** Watches one kind (`hosts/` or `vms/`). Changes count from this call on. */
export function watchChanges(
  model: ReadModel,
  prefix: 'hosts/' | 'vms/',
  clock: Clock,
  signal: AbortSignal,
): Watcher {
  const changed = new Set<string>();
  let wake: (() => void) | undefined;
  const mark = (name: string) => {
    if (!name.startsWith(prefix)) return;
    changed.add(name);
    wake?.();
  };
  model.watchers.add(mark);
  return {
    async next(waitMs) {
      if (changed.size === 0 && !signal.aborted) {
        const woken = new AbortController();
        wake = () => woken.abort();
        await clock.sleep(waitMs, AbortSignal.any([signal, woken.signal]));
        wake = undefined;
      }
      const names = [...changed];
      changed.clear();
      return {names, places: placesOf(model)};
    },
    close() {
      model.watchers.delete(mark);
    },
  };
}
