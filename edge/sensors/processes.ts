import {readdirSync} from 'node:fs';
import {readText} from './procfs.ts';

/** Names of the processes that run, as far as they are wanted. */
export type Processes = {
  /** How many there are by name; undefined if they cannot be seen. */
  count(): ReadonlyMap<string, number> | undefined;
};

/** On a host with more, the newest count. */
const processesMax = 4_096;

/**
 * A process is read when it is new and once more after that, because a shell may have become what
 * it starts: then a look costs a listing and a few reads. `wanted` gets name and number.
 */
export function createProcesses(
  root: string,
  wanted: (name: string, processId: number) => boolean,
): Processes {
  let known = new Map<number, {name: string | undefined; isSettled: boolean}>();
  return {
    count() {
      let entries: string[];
      try {
        entries = readdirSync(`${root}/proc`);
      } catch {
        return undefined;
      }
      const ids = entries
        .filter(entry => /^\d+$/.test(entry))
        .map(Number)
        .sort((a, b) => b - a)
        .slice(0, processesMax);
      if (ids.length === 0) return undefined;
      const found: typeof known = new Map();
      const counts = new Map<string, number>();
      for (const id of ids) {
        const before = known.get(id);
        const process = before?.isSettled
          ? before
          : {name: nameOf(root, id, wanted), isSettled: before !== undefined};
        found.set(id, process);
        if (process.name !== undefined)
          counts.set(process.name, (counts.get(process.name) ?? 0) + 1);
      }
      known = found;
      return counts;
    },
  };
}

function nameOf(
  root: string,
  id: number,
  wanted: (name: string, processId: number) => boolean,
): string | undefined {
  const name = readText(`${root}/proc/${id}/comm`)?.trim();
  return name !== undefined && wanted(name, id) ? name : undefined;
}
