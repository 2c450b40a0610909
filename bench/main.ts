/** Runs a verb and says what it found: the part of `forestay bench` that knows no command line. */
import {type Assertion, failedAssertions} from './assertion.ts';
import type {BenchArgs, BenchResult, BenchVerb} from './verb.ts';

/** Runs the verb; what of the assertions does not hold is added to its failures. */
export async function runVerb(
  verb: BenchVerb,
  args: BenchArgs,
  assertions: readonly Assertion[] = [],
): Promise<BenchResult> {
  const result = await verb.run(args);
  return {...result, failures: [...result.failures, ...failedAssertions(assertions, result)]};
}

/** The result for people: one line a metric, its spread where there were several runs. */
export function formatResult(verb: string, result: BenchResult): string {
  const {machine, metrics, runs, notes, reasons, failures, verdict} = result;
  const gib = (machine.memoryBytes / 2 ** 30).toFixed(0);
  const commit = machine.commit === '' ? '' : `  commit ${machine.commit.slice(0, 7)}`;
  const width = Math.max(0, ...Object.keys(metrics).map(name => name.length));
  return [
    `${verb}  ${machine.cores} × ${machine.cpu}, ${gib} GiB  node ${machine.node}${commit}`,
    ...Object.entries(metrics).map(([name, value]) =>
      `${name.padEnd(width)}  ${formatNumber(value).padStart(12)}${spreadOf(runs[name])}`.trimEnd(),
    ),
    ...notes.map(note => `note: ${note}`),
    ...reasons.map(reason => `INVALID: ${reason}`),
    ...failures.map(failure => `FAILED: ${failure}`),
    failures.length === 0 ? verdict : `FAILED (the figures themselves are ${verdict})`,
  ].join('\n');
}

function spreadOf(values: readonly number[] | undefined): string {
  if (values === undefined || values.length < 2) return '';
  const [least, most] = [Math.min(...values), Math.max(...values)];
  return `  ${formatNumber(least)} to ${formatNumber(most)} in ${values.length} runs`;
}

function formatNumber(value: number): string {
  return Math.abs(value) >= 1000 ? Math.round(value).toLocaleString('en-US') : String(value);
}
