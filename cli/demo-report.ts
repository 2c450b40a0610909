import {styleText} from 'node:util';
import type {LedgerSummary} from '../core/simulation/ledger.ts';
import type {DemoOutcome, DemoResult} from './demo-run.ts';
import type {StoryLine, Tone} from './demo-story.ts';

type Figure = {
  key: keyof LedgerSummary;
  label: string;
  format: (value: number) => string;
};

const whole = (value: number) => Math.round(value).toLocaleString('en');
const seconds = (value: number) => `${value < 10 ? value.toFixed(1) : whole(value)} s`;

const FIGURES: readonly Figure[] = [
  {key: 'vmDowntimeSeconds', label: 'VM downtime', format: seconds},
  {key: 'interruptions', label: 'interruptions of VMs', format: whole},
  {key: 'failedRequests', label: 'failed requests', format: whole},
  {key: 'migrations', label: 'live migrations', format: whole},
  {key: 'needlessMoves', label: 'needless moves', format: whole},
  {key: 'missedFailures', label: 'missed failures', format: whole},
  {key: 'leadTimeSecondsP50', label: 'median lead time', format: seconds},
];

const COLUMN = 16;

/** Both runs side by side, figure by figure. */
export function comparison({forestay, reactive}: DemoResult): string {
  const rows = FIGURES.map(({key, label, format}) =>
    row(label, [format(forestay[key]), format(reactive[key])]),
  );
  return [row('', ['forestay', 'reactive']), ...rows].join('\n');
}

function row(label: string, cells: readonly string[]): string {
  return `  ${label.padEnd(32)}${cells.map(cell => cell.padStart(COLUMN)).join('')}`;
}

/** Quantiles of each figure over many seeds, worst case included, and how often we were worse. */
export function distribution(outcomes: readonly DemoOutcome[]): string {
  const lines = [row('', ['median', 'p90', 'worst', 'best'])];
  for (const {key, label, format} of FIGURES) {
    for (const run of ['forestay', 'reactive'] as const) {
      const values = outcomes.map(outcome => outcome[run][key]).sort((a, b) => a - b);
      // A long lead time is good; of everything else less is.
      const worstFirst = key === 'leadTimeSecondsP50' ? values : [...values].reverse();
      const [worst, best] = [worstFirst[0] as number, worstFirst.at(-1) as number];
      const p90 = worstFirst[Math.floor(0.1 * (values.length - 1))] as number;
      const cells = [quantile(values, 0.5), p90, worst, best].map(format);
      lines.push(row(`${label}, ${run}`, cells));
    }
  }
  const worse = outcomes.filter(
    ({forestay, reactive}) => forestay.vmDowntimeSeconds > reactive.vmDowntimeSeconds,
  );
  lines.push(
    '',
    `  more downtime than reactive in ${worse.length} of ${outcomes.length} seeds${
      worse.length > 0 ? `: ${worse.map(({seed}) => seed).join(', ')}` : ''
    }`,
  );
  return lines.join('\n');
}

function quantile(sorted: readonly number[], share: number): number {
  const at = share * (sorted.length - 1);
  const low = sorted[Math.floor(at)] as number;
  const high = sorted[Math.ceil(at)] as number;
  return low + (high - low) * (at - Math.floor(at));
}

/** The object that `--json` promises, and nothing else. */
export function toJson({seed, journalSha256, acts, forestay, reactive}: DemoResult): DemoResult {
  return {seed, journalSha256, acts, forestay, reactive};
}

const styles: Record<Tone, Parameters<typeof styleText>[0]> = {
  plain: 'reset',
  quiet: 'dim',
  warn: 'yellow',
  bad: 'red',
  good: 'green',
};

/** `12:34`, `60:00`: minutes and seconds. */
export function formatElapsed(ms: number): string {
  const seconds = Math.round(ms / 1000);
  const [minutes, rest] = [Math.floor(seconds / 60), seconds % 60];
  return `${String(minutes).padStart(2, '0')}:${String(rest).padStart(2, '0')}`;
}

/** `12:34  h07    text`, minutes and seconds since the start of the run. */
export function formatLine(line: StoryLine, startMs: number, colour: boolean): string {
  const text = `${formatElapsed(line.atMs - startMs)}  ${line.subject.padEnd(6)} ${line.text}`;
  return colour ? styleText(styles[line.tone], text, {validateStream: false}) : text;
}
