import type {Scope} from '../support/process.ts';

/** Undoes, the last thing first, what was left to it; one failure does not keep the others from it. */
export type ClosingScope = Scope & {close(): Promise<void>};

export function openScope(onProblem: (error: unknown) => void): ClosingScope {
  const undos: (() => unknown)[] = [];
  return {
    teardown: undo => void undos.push(undo),
    async close() {
      for (let undo = undos.pop(); undo !== undefined; undo = undos.pop()) {
        try {
          await undo();
        } catch (error) {
          onProblem(error);
        }
      }
    },
  };
}
