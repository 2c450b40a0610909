import type {Machine} from './machine.ts';

/** One option of a verb, in the words of a command line: `--rounds <n>`. */
export type BenchOption = {flags: string; description: string; default?: string};

/** What was asked for: options by their long name in camel case, and what stands beside them. */
export type BenchArgs = {
  options: Readonly<Record<string, string | boolean | undefined>>;
  operands: readonly string[];
};

/** What a verb found. `forestay bench VERB -o json` prints exactly this. */
export type BenchResult = {
  /** `INVALID`: the figures say nothing about the program, and `reasons` says why. */
  verdict: 'VALID' | 'INVALID';
  reasons: readonly string[];
  /** What did not hold although it was measured well: the command says no with exit code 10. */
  failures: readonly string[];
  machine: Machine;
  /** Flat names, numbers only; the median where there were several runs. */
  metrics: Readonly<Record<string, number>>;
  /** Every run's figure, in order, where there were several: what `compare` takes spread from. */
  runs: Readonly<Record<string, readonly number[]>>;
  /** What a reader must know beside the figures. */
  notes: readonly string[];
};

/** One thing that can be measured. `run` throws only what makes measuring impossible. */
export type BenchVerb = {
  name: string;
  summary: string;
  /** Names of operands, as commander has them: `<before> <after>`; empty: none. */
  operands?: string;
  options: readonly BenchOption[];
  run(args: BenchArgs): Promise<BenchResult>;
};
