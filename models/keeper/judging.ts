/**
 * What became of rows, and how two models did on them. Work is done in slices, with a pause after
 * each: it is done in the thread of a core that serves.
 */
import {COMPONENTS} from '../../core/domain/components.ts';
import {combineRisks} from '../../core/domain/risk.ts';
import type {EventLedger} from '../learning/event-ledger.ts';
import {labelRows} from '../learning/labels.ts';
import {pairBlocks, UNKNOWN_OUTCOME} from '../registry/pairing.ts';
import {GUARDRAILS, type PairedBlock, type Segment} from '../registry/promotion.ts';
import {failureAfter} from './example-labels.ts';
import type {BookRow} from './row-book.ts';
import {weightedFigures} from './weighted-figures.ts';

/** Whether the host goes down at all, beside each of its parts. */
export const ANY = 'any';
export const JUDGED_OUTPUTS: readonly string[] = [...COMPONENTS, ANY];

/** Lets others work; resolves soon. */
export type Pause = () => Promise<void>;

const WIDTH = JUDGED_OUTPUTS.length;
/** Place of {@link ANY}. */
export const ANY_AT = WIDTH - 1;

/**
 * Copies the risks of one row, of each part; NaN where a model does not say it.
 *
 * @param risks Rows × outputs.
 */
export function takeParts(
  outputs: readonly string[],
  risks: Float32Array,
  row: number,
  into: Float32Array,
  offset: number,
): void {
  for (const [at, part] of COMPONENTS.entries()) {
    const column = outputs.indexOf(part);
    into[offset + at] = column < 0 ? Number.NaN : (risks[row * outputs.length + column] as number);
  }
}

/** Copies the risks of one row as they are judged: {@link takeParts}, and of any. */
export function takeJudged(
  outputs: readonly string[],
  risks: Float32Array,
  row: number,
  into: Float32Array,
  offset: number,
): void {
  takeParts(outputs, risks, row, into, offset);
  into[offset + ANY_AT] = combineRisks(into, offset, COMPONENTS.length);
}

const SLICE_ROWS = 1000;
/** Blocks are drawn 2,000 times: more than these are joined. */
const BLOCKS_MAX = 2000;
const DAY_MS = 24 * 3_600_000;

/** Rows × {@link JUDGED_OUTPUTS}: 1, 0, or `UNKNOWN_OUTCOME`, and how many failures are behind them. */
export type Labelled = {readonly labels: Uint8Array; readonly failures: number};

/**
 * A host that went down, nobody knows of which part, is a failure of `any` and says nothing of its
 * parts. What was prevented, perhaps, says nothing at all: chance that it would have been a failure
 * teaches, but does not judge.
 */
export async function labelBookRows(
  ledger: EventLedger,
  rows: readonly BookRow[],
  horizonMs: number,
  pause: Pause,
): Promise<Labelled> {
  const parts = COMPONENTS.length;
  const labels = new Uint8Array(rows.length * WIDTH).fill(UNKNOWN_OUTCOME);
  const failures = new Set<string>();
  for (let from = 0; from < rows.length; from += SLICE_ROWS) {
    const slice = rows.slice(from, from + SLICE_ROWS);
    const {outcomes} = labelRows(ledger, slice, [horizonMs / 1000]);
    for (const [row, {host, atMs}] of slice.entries()) {
      const at = (from + row) * WIDTH;
      let negatives = 0;
      for (let part = 0; part < parts; part++) {
        const {label} = outcomes[row * parts + part] as (typeof outcomes)[number];
        if (label === 'negative') negatives++;
        if (label === 'negative' || label === 'positive') {
          labels[at + part] = Number(label === 'positive');
        }
      }
      const failure = failureAfter(ledger, {host, atMs}, horizonMs);
      if (failure !== undefined) failures.add(`${host} ${failure.atMs}`);
      if (failure !== undefined || negatives === parts) {
        labels[at + parts] = Number(failure !== undefined);
      }
    }
    await pause();
  }
  return {labels, failures: failures.size};
}

/**
 * Blocks that are drawn together: all rows of a host, as a model that is wrong about a host is wrong
 * about it for hours. Of fewer hosts than a decision takes, a host's days.
 */
export function blocksOf(rows: readonly BookRow[]): Int32Array {
  const hosts = new Set(rows.map(({host}) => host)).size;
  const isFew = hosts < GUARDRAILS.leastBlocks;
  const numbers = new Map<string, number>();
  return Int32Array.from(rows, ({host, atMs}) => {
    const id = isFew ? `${Math.floor(atMs / DAY_MS)} ${host}` : host;
    const number = numbers.get(id) ?? numbers.size;
    numbers.set(id, number);
    return number % BLOCKS_MAX;
  });
}

/** Rows with their labels, and what two models said of them. */
export type Compared = {
  readonly rows: readonly BookRow[];
  /** How many rows each stands for. */
  readonly weights: Float32Array;
  /** Rows × {@link JUDGED_OUTPUTS}. */
  readonly labels: Uint8Array;
  /** The same; NaN: the model does not say it, and nobody is judged by it. */
  readonly champion: Float32Array;
  readonly challenger: Float32Array;
};

/**
 * Both models on the same rows: losses of all outputs by block, each output, and `any` on each class
 * of hardware.
 */
export async function compareBooks(
  compared: Compared,
  pause: Pause,
): Promise<{blocks: PairedBlock[]; segments: Segment[]}> {
  const {rows, weights, champion, challenger} = compared;
  const labels = compared.labels.map((label, at) =>
    Number.isNaN((champion[at] as number) + (challenger[at] as number)) ? UNKNOWN_OUTCOME : label,
  );
  const block = blocksOf(rows);
  await pause();
  const judged = {rows: rows.length, outputs: JUDGED_OUTPUTS, labels, block, weights};
  const blocks = pairBlocks(judged, champion, challenger);
  await pause();
  const known = {...compared, labels};
  const all = [...rows.keys()];
  const segments: Segment[] = [];
  for (const [output, name] of JUDGED_OUTPUTS.entries()) {
    segments.push(await compareSegment(name, known, output, all, pause));
  }
  const classes = Map.groupBy(all, row => (rows[row] as BookRow).hardware);
  if (classes.size < 2) return {blocks, segments};
  for (const [hardware, own] of classes) {
    const name = `${ANY} on ${hardware || 'hardware that is not told'}`;
    segments.push(await compareSegment(name, known, ANY_AT, own, pause));
  }
  return {blocks, segments};
}

/** Both models on one output of some rows, as far as its outcome is known. */
async function compareSegment(
  name: string,
  {labels, weights, champion, challenger}: Compared,
  output: number,
  rows: readonly number[],
  pause: Pause,
): Promise<Segment> {
  const known = rows.filter(row => labels[row * WIDTH + output] !== UNKNOWN_OUTCOME);
  const happened = Uint8Array.from(known, row => labels[row * WIDTH + output] as number);
  const times = Float32Array.from(known, row => weights[row] as number);
  const figuresOf = async (risks: Float32Array) => {
    const own = Float32Array.from(known, row => risks[row * WIDTH + output] as number);
    await pause();
    return weightedFigures(own, happened, times);
  };
  return {
    name,
    rows: known.length,
    positives: happened.reduce((sum, label) => sum + label, 0),
    champion: await figuresOf(champion),
    challenger: await figuresOf(challenger),
  };
}
