import {dirname} from 'node:path';
import type {Files} from '../ports.ts';

/** What a sensor remembers over restarts; small, its own, and of use only to itself. */
export type History = {
  /** What was kept last, not checked; undefined if nothing was or it is damaged. */
  load(): unknown;
  /** Errors: what the disk says. */
  keep(value: unknown): void;
};

export type Histories = (sensor: string) => History;

/** One file a sensor in `folder`, which is made with the first of them. */
export function fileHistories(files: Files, folder: string): Histories {
  return sensor => {
    const path = `${folder}/${sensor}.json`;
    return {
      load() {
        try {
          return files.exists(path)
            ? JSON.parse(Buffer.from(files.read(path)).toString('utf8'))
            : undefined;
        } catch {
          // A history that cannot be read starts anew: nothing depends on it.
          return undefined;
        }
      },
      keep(value) {
        files.makeDirectory(dirname(path));
        files.replace(path, Buffer.from(JSON.stringify(value)));
      },
    };
  };
}

/** For sensors that nobody starts twice. */
export const noHistories: Histories = () => ({load: () => undefined, keep() {}});

/** The numbers of a list that was kept, the newest `max` of them. */
export function keptNumbers(value: unknown, max: number): number[] {
  const list = Array.isArray(value) ? value : [];
  return list.filter(item => Number.isFinite(item)).slice(-max);
}
