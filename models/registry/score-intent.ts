import {readFile} from 'node:fs/promises';
import {join} from 'node:path';
import {
  CAUSES,
  HORIZONS_MINUTES,
  RISK_OUTPUTS,
  riskColumn,
} from '../../core/domain/reboot-risks.ts';
import type {Lives} from '../intent/data.ts';
import {labelsOf} from '../intent/evaluation.ts';
import {openNetwork} from '../network/network-session.ts';
import type {JudgedRows} from './pairing.ts';
import type {Scored} from './score-failure.ts';
import {createStopwatch} from './stopwatch.ts';

/** What one host's agent would run one by one, to be timed. */
const TIMED_STEPS = 500;

/**
 * What the served graph says after every row of the lives, all lives side by side, step by step.
 *
 * @param folder Of an entry.
 * @returns Rows × RISK_OUTPUTS.
 */
export async function scoreIntentRows(folder: string, lives: Lives): Promise<Scored> {
  const session = await openNetwork(await readFile(join(folder, 'model.onnx')));
  try {
    const {hidden, columns} = session.signature;
    const width = RISK_OUTPUTS.length;
    const risks = new Float32Array(lives.rows * width);
    const order = longestFirst(lives.starts);
    const state = new Float32Array(order.length * 2 * hidden);
    const input = new Float32Array(order.length * columns);
    const told = new Float32Array(order.length * width);
    let running = order.length;
    for (let step = 0; running > 0; step++) {
      while (running > 0 && (order[running - 1] as Life).rows <= step) running--;
      if (running === 0) break;
      for (let at = 0; at < running; at++) {
        const row = (order[at] as Life).first + step;
        input.set(lives.features.subarray(row * columns, (row + 1) * columns), at * columns);
      }
      const outputs = told.subarray(0, running * width);
      const states = state.subarray(0, running * 2 * hidden);
      await session.run(running, input.subarray(0, running * columns), outputs, states);
      for (let at = 0; at < running; at++) {
        const row = (order[at] as Life).first + step;
        risks.set(outputs.subarray(at * width, (at + 1) * width), row * width);
      }
    }
    const watch = createStopwatch();
    const [row, own] = [lives.features.slice(0, columns), new Float32Array(2 * hidden)];
    for (let step = 0; step < TIMED_STEPS; step++) {
      await watch.time(() => session.run(1, row, told.subarray(0, width), own));
    }
    return {risks, p99Ms: watch.p99Ms()};
  } finally {
    await session.release();
  }
}

type Life = {readonly first: number; readonly rows: number};

function longestFirst(starts: Uint32Array): Life[] {
  return Array.from(starts.subarray(0, -1), (first, life) => ({
    first,
    rows: (starts[life + 1] as number) - first,
  })).sort((a, b) => b.rows - a.rows);
}

/**
 * The rows as judges of two models, with the risks that are judged: of both causes, within every
 * horizon. A block is a fleet: what happens in one happens to several of its hosts.
 *
 * @param fleets Rows of each fleet, in the order of the lives.
 */
export function judgeIntentRows(lives: Lives, fleets: readonly number[]): JudgedRows {
  const outputs = CAUSES.flatMap(cause =>
    HORIZONS_MINUTES.map(minutes => ({cause, minutes, name: `${cause}-${minutes}min`})),
  );
  const labels = new Uint8Array(lives.rows * outputs.length);
  for (const [at, {cause, minutes}] of outputs.entries()) {
    for (const [row, label] of labelsOf(lives, cause, 60 * minutes).entries()) {
      labels[row * outputs.length + at] = label;
    }
  }
  const block = new Int32Array(lives.rows);
  let from = 0;
  for (const [fleet, rows] of fleets.entries()) {
    block.fill(fleet, from, from + rows);
    from += rows;
  }
  return {rows: lives.rows, outputs: outputs.map(({name}) => name), labels, block};
}

/** The columns of {@link judgeIntentRows} out of a row of RISK_OUTPUTS. */
export function judgedRisks(risks: Float32Array): Float32Array {
  const columns = CAUSES.flatMap(cause => HORIZONS_MINUTES.map(each => riskColumn(cause, each)));
  const rows = risks.length / RISK_OUTPUTS.length;
  return Float32Array.from(
    {length: rows * columns.length},
    (_, at) =>
      risks[
        Math.floor(at / columns.length) * RISK_OUTPUTS.length +
          (columns[at % columns.length] as number)
      ] as number,
  );
}
