import {averagePrecision, calibrationError, logLoss, lossOf} from '../metrics.ts';
import type {PairedBlock, Segment} from './promotion.ts';

/** Rows that judge: what happened, by output, and which rows share their fate. */
export type JudgedRows = {
  readonly rows: number;
  readonly outputs: readonly string[];
  /** Rows × outputs: 1, 0, or {@link UNKNOWN_OUTCOME}. */
  readonly labels: Uint8Array;
  /** Of each row, such as a host's day: rows of a block are drawn together. */
  readonly block: Int32Array;
  /** How many rows each stands for; absent: one. */
  readonly weights?: Float32Array;
};

/** Nobody knows what became of it: the row says nothing of this output. */
export const UNKNOWN_OUTCOME = 255;

/** Two models over the same rows, as {@link decidePromotion} compares them. */
export type Paired = {readonly blocks: PairedBlock[]; readonly segments: Segment[]};

/**
 * Log-losses of both models in nats, summed over the outputs and rows of each block, and per output.
 *
 * @param champion Rows × outputs, as the challenger's.
 */
export function pairModels(
  judged: JudgedRows,
  champion: Float32Array,
  challenger: Float32Array,
): Paired {
  return {
    blocks: pairBlocks(judged, champion, challenger),
    segments: judged.outputs.map((name, output) =>
      segmentOf(name, judged, output, champion, challenger),
    ),
  };
}

/** The losses alone, of blocks in which anything is known; a row counts as often as it stands for. */
export function pairBlocks(
  {rows, outputs, labels, block, weights}: JudgedRows,
  champion: Float32Array,
  challenger: Float32Array,
): PairedBlock[] {
  const blocks = new Map<number, PairedBlock>();
  for (let row = 0; row < rows; row++) {
    const id = block[row] as number;
    const sum = blocks.get(id) ?? {champion: 0, challenger: 0, weight: 0};
    let [first, second, known] = [0, 0, 0];
    for (let output = 0; output < outputs.length; output++) {
      const at = row * outputs.length + output;
      const label = labels[at] as number;
      if (label === UNKNOWN_OUTCOME) continue;
      first += lossOf(champion[at] as number, label);
      second += lossOf(challenger[at] as number, label);
      known = 1;
    }
    const times = weights?.[row] ?? 1;
    blocks.set(id, {
      champion: sum.champion + times * first,
      challenger: sum.challenger + times * second,
      weight: sum.weight + times * known,
    });
  }
  return [...blocks.values()].filter(({weight}) => weight > 0);
}

function segmentOf(
  name: string,
  {rows, outputs, labels}: JudgedRows,
  output: number,
  champion: Float32Array,
  challenger: Float32Array,
): Segment {
  const at = Int32Array.from({length: rows}, (_, row) => row * outputs.length + output).filter(
    index => labels[index] !== UNKNOWN_OUTCOME,
  );
  const happened = Uint8Array.from(at, index => labels[index] as number);
  const figuresOf = (risks: Float32Array) => {
    const own = Float32Array.from(at, index => risks[index] as number);
    return {
      loss: logLoss(own, happened),
      calibrationError: calibrationError(own, happened),
      averagePrecision: averagePrecision(own, happened),
    };
  };
  return {
    name,
    rows: at.length,
    positives: happened.reduce((sum, label) => sum + label, 0),
    champion: figuresOf(champion),
    challenger: figuresOf(challenger),
  };
}
