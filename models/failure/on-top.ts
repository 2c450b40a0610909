/**
 * Training on top of another model: small trees for what it gets wrong, as many as rows of hosts
 * that they have not seen confirm. Made for few failures: an output of which little was seen, or
 * that gains nothing, keeps what the other model says.
 */
import {bootstrapGain, type Gain, type PairedBlock} from '../registry/promotion.ts';
import {type BinnedTable, binTable} from '../trees/bins.ts';
import {BOOSTING_DEFAULTS, logLossOf, meanLogLoss, trainForest} from '../trees/boosting.ts';
import {type Forest, leafOf} from '../trees/forest.ts';

/** Rows that teach one output after the other. */
export type OnTopRows = {
  readonly rows: number;
  /** Features of a row. */
  readonly width: number;
  readonly outputs: number;
  /** Rows × width; NaN is missing. */
  readonly features: Float32Array;
  /** Rows × outputs: 1, 0, between where it is uncertain, NaN where nobody knows. */
  readonly targets: Float32Array;
  /** How many rows each stands for. */
  readonly weights: Float32Array;
  /** Number of each row's host. */
  readonly host: Int32Array;
  /** Which of {@link FOLDS} each row's host is in. */
  readonly fold: Uint8Array;
  /** Rows × outputs: calibrated log-odds of the other model. */
  readonly start: Float64Array;
};

export type OnTopSettings = {
  readonly rounds: number;
  readonly leavesMax: number;
  readonly depthMax: number;
  readonly learningRate: number;
  readonly l2: number;
  readonly minChildHessian: number;
  readonly rowShare: number;
  readonly columnShare: number;
};

/**
 * Found on fleets of which a part was of a new generation of hardware, with 40 to 150 failures; judged
 * on others (`forestay bench renewal`). Less cautious ones learn new hosts a little sooner, and unlearn
 * the old ones. No direction is forced: what is hot for one generation is usual for the next.
 */
export const ON_TOP_SETTINGS: OnTopSettings = {
  rounds: 100,
  leavesMax: 4,
  depthMax: 3,
  learningRate: 0.05,
  l2: 100,
  minChildHessian: 2,
  rowShare: 0.7,
  columnShare: 0.3,
};

/** Hosts are dealt into so many: each judges what the others teach. */
export const FOLDS = 5;
/** Chance that the gain of an output that is changed is none; the shadow judges with less. */
const DOUBT = 0.2;
const BINS_MAX = 63;

/** What was learned of one output. */
export type OnTopFit = {
  /** To be added to the other model's log-odds; its base is 0. */
  readonly forest: Forest;
  /** Log-odds of every row, by trees that have not seen its host. */
  readonly held: Float64Array;
  /** Mean log-loss a row of hosts not seen, by number of trees, from none on. */
  readonly losses: readonly number[];
  /** On hosts not seen, with the number of trees that was chosen there: a little flattering. */
  readonly gain: Gain;
};

export type OnTopTrainer = {
  /**
   * About 8 µs a row and tree. Equal rows and seed give equal trees, whatever was asked before.
   *
   * @param treesMax What there is room for.
   */
  fit(output: number, treesMax: number): OnTopFit;
};

export function createOnTopTrainer(
  data: OnTopRows,
  seed: number,
  settings: OnTopSettings = ON_TOP_SETTINGS,
): OnTopTrainer {
  let table: BinnedTable | undefined;
  return {
    fit(output, treesMax) {
      table ??= binTable(data.features, data.width, Int32Array.from(data.host.keys()), BINS_MAX);
      const rounds = Math.min(settings.rounds, treesMax);
      const rows = readOutput(data, table, output, seed * data.outputs + output);
      return fitOutput(rows, {...settings, rounds});
    },
  };
}

/** Of a fit that is worth its trees. */
export function isGain({forest, gain}: OnTopFit): boolean {
  return forest.roots.length > 0 && gain.lower > 0;
}

type OutputRows = {
  readonly data: OnTopRows;
  readonly table: BinnedTable;
  readonly labels: Float32Array;
  readonly start: Float64Array;
  /** Rows of which something is known. */
  readonly known: Int32Array;
  readonly seed: number;
};

function readOutput(data: OnTopRows, table: BinnedTable, output: number, seed: number): OutputRows {
  const {rows, outputs, targets} = data;
  const place = (_: unknown, row: number) => row * outputs + output;
  const places = Int32Array.from({length: rows}, place);
  const labels = Float32Array.from(places, at => targets[at] as number);
  const start = Float64Array.from(places, at => data.start[at] as number);
  const known = Int32Array.from(labels.keys()).filter(row => !Number.isNaN(labels[row]));
  return {data, table, labels, start, known, seed};
}

function fitOutput(rows: OutputRows, settings: OnTopSettings): OnTopFit {
  const {data, labels, known, seed} = rows;
  const paths = crossFit(rows, settings);
  const losses = paths.map(path => meanLogLoss(path, labels, known, data.weights));
  const trees = losses.indexOf(Math.min(...losses));
  const held = paths[trees] as Float64Array;
  const gain = bootstrapGain(lossesByHost(rows, held), {seed, doubt: DOUBT});
  const forest = grow(rows, known, {...settings, rounds: trees});
  return {forest, held, losses, gain};
}

/** Log-odds of all rows with 0, 1, … trees, each row's by trees that learned from other hosts. */
function crossFit(rows: OutputRows, settings: OnTopSettings): Float64Array[] {
  const {data, start, known} = rows;
  const paths = Array.from({length: settings.rounds + 1}, () => start.slice());
  for (let fold = 0; fold < FOLDS; fold++) {
    const taught = known.filter(row => data.fold[row] !== fold);
    if (taught.length === 0) continue;
    const forest = grow(rows, taught, settings);
    for (let row = 0; row < data.rows; row++) {
      if (data.fold[row] !== fold) continue;
      let margin = start[row] as number;
      for (const [at, root] of forest.roots.entries()) {
        margin += forest.value[leafOf(forest, root, data.features, row * data.width)] as number;
        (paths[at + 1] as Float64Array)[row] = margin;
      }
    }
  }
  return paths;
}

function grow(
  {table, labels, start, data, seed}: OutputRows,
  train: Int32Array,
  settings: OnTopSettings,
): Forest {
  const input = {table, labels, weights: data.weights, start, train, validation: new Int32Array(0)};
  return trainForest(input, {...BOOSTING_DEFAULTS, ...settings, seed}).forest;
}

/** Rows of a host share its fate. */
function lossesByHost({data, labels, start, known}: OutputRows, held: Float64Array): PairedBlock[] {
  const blocks = new Map<number, PairedBlock>();
  for (const row of known) {
    const host = data.host[row] as number;
    const weight = data.weights[row] as number;
    const label = labels[row] as number;
    const sum = blocks.get(host) ?? {champion: 0, challenger: 0, weight: 0};
    blocks.set(host, {
      champion: sum.champion + weight * logLossOf(start[row] as number, label),
      challenger: sum.challenger + weight * logLossOf(held[row] as number, label),
      weight: sum.weight + weight,
    });
  }
  return [...blocks.values()];
}
