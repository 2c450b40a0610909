/**
 * What a cell has learned of its own hosts, on top of the served model: a small online logistic model
 * that begins as the served model itself and moves as outcomes of this cell become known.
 *
 * C1. A cell that has seen fewer than {@link OUTAGES_MIN} failures is served the model's risks as they
 *     are, to the bit: until then what it learned loses a few percent of log-loss where the model is
 *     right (12 simulated cells: 3 to 6 %), from then on nothing (−1 to +2 %).
 * C2. A row teaches when its horizon has passed and every outage until then is in; never before.
 * C3. Numbers, names and typed arrays only, changed by what is given here and nothing else: the same
 *     outages and risks in the same order leave the same bytes.
 *
 * The parts are those of `forestay backtest failure`: outage-history.ts, outage-features.ts,
 * outage-outcomes.ts, online-logistic.ts. Here the served model's log-odds are an input as well.
 */
import {
  createOnlineLogistic,
  type Learning,
  learn,
  type OnlineLogistic,
} from './online-logistic.ts';
import {fillInputs, type OutageQuestion, outageInputs, SIMPLE} from './outage-features.ts';
import {
  clearOutages,
  createOutageHistory,
  DAY_MS,
  growOutageHistory,
  type Outage,
  type OutageCause,
  type OutageHistory,
  recordOutage,
  recordReturn,
  renameOutage,
} from './outage-history.ts';
import {
  awaitOutcomes,
  createOutcomes,
  ignoreHost,
  observeOutage,
  type PendingOutcomes,
  takeKnown,
} from './outage-outcomes.ts';
import {viewOutages} from './outage-view.ts';
import {combineRisks} from './risk.ts';

export type CellLayer = {
  /** By name the place in the cell; a host keeps it until it is forgotten. */
  readonly places: Map<string, number>;
  /** Places of hosts that were forgotten; the last one is given next. */
  readonly free: number[];
  history: OutageHistory;
  readonly outcomes: PendingOutcomes;
  readonly model: OnlineLogistic;
  /** By place: what the hosts' own past adds to the log-odds, less what it did before learning. */
  shifts: Float64Array;
  /** Failures that were seen. */
  outages: number;
  /** How often it has learned: its version. */
  version: number;
};

/** The question that the served risks answer. */
const QUESTION: OutageQuestion = {
  kind: 'unplanned',
  horizonDays: 30 / (24 * 60),
  firstOnly: false,
};
const INPUTS = outageInputs(QUESTION);
/** The served model's log-odds, the hosts' past, and 1. */
const WIDTH = INPUTS.length + 2;
/** Log-odds of rare events, standardised as the simple method's are. */
const {centre: CENTRE, spread: SPREAD} = SIMPLE;
const SPREADS_MAX = 8;

/** How firmly it holds to the served model; cells differ most in how often hosts fail at all. */
const PRECISION = 10;
const INTERCEPT_PRECISION = 3;
/** Rows of three askings are of the same half hour, and outages of a cell are not independent. */
const LEARNING: Learning = {share: 0.5 / 3, halfLifeMs: 34 * 7 * DAY_MS, steps: 3};
/** Failures that a cell must have seen before it moves a risk. */
export const OUTAGES_MIN = 10;
/** Log-odds that a risk is moved by, at most: 20 times the odds. */
const SHIFT_MAX = 3;

export function createCellLayer(): CellLayer {
  const prior = new Float64Array(WIDTH);
  // The served log-odds as they are: spread × input + centre.
  prior[0] = SPREAD;
  prior[WIDTH - 1] = CENTRE;
  const precision = new Float64Array(WIDTH).fill(PRECISION);
  precision[WIDTH - 1] = INTERCEPT_PRECISION;
  return {
    places: new Map(),
    free: [],
    history: createOutageHistory(0),
    outcomes: createOutcomes(QUESTION),
    model: createOnlineLogistic(prior, precision),
    shifts: new Float64Array(0),
    outages: 0,
    version: 0,
  };
}

/** A host of the cell went down at this time, on purpose or not; times come in order. */
export function takeOutage(
  layer: CellLayer,
  host: string,
  outage: Pick<Outage, 'atMs' | 'cause'>,
): void {
  const place = placeOf(layer, host);
  recordOutage(layer.history, {...outage, host: place});
  observeOutage(layer.outcomes, {...outage, host: place});
  if (outage.cause !== 'planned') layer.outages++;
}

/**
 * What was taken for an outage of another cause, by people's word; what it was before is `was`. Rows
 * that were learned from meanwhile stay as they were.
 */
export function takeCause(
  layer: CellLayer,
  host: string,
  outage: Pick<Outage, 'atMs' | 'cause'>,
  was: OutageCause,
): void {
  const place = placeOf(layer, host);
  renameOutage(layer.history, {...outage, host: place}, was);
  if (was !== 'planned' || outage.cause === 'planned') return;
  observeOutage(layer.outcomes, {...outage, host: place});
  layer.outages++;
}

/** It is back after so long; NaN: not known. */
export function takeReturn(layer: CellLayer, host: string, downMs: number): void {
  recordReturn(layer.history, placeOf(layer, host), downMs);
}

/**
 * Forgets a host that is gone, and gives its place to the next new one; what its cell has learned from it
 * stays.
 */
export function forgetPlace(layer: CellLayer, host: string): void {
  const place = layer.places.get(host);
  if (place === undefined) return;
  layer.places.delete(host);
  layer.free.push(place);
  clearOutages(layer.history, place);
  ignoreHost(layer.outcomes, place);
  if (place < layer.shifts.length) layer.shifts[place] = 0;
}

/**
 * Learns what has become known, and takes a row of every host that runs, to learn from in half an
 * hour. To be asked every ten minutes. O(hosts × inputs²) for those that are learned from.
 *
 * @param risks Of failure, combined, as the served model says, of every host that runs, by name; NaN:
 *   it says nothing.
 * @returns Whether it has learned.
 */
export function takeRows(
  layer: CellLayer,
  atMs: number,
  risks: ReadonlyMap<string, number>,
): boolean {
  const fresh = [...risks.keys()].filter(host => !layer.places.has(host));
  // Once for all of them; places that are free are room already.
  layer.history = growOutageHistory(layer.history, layer.places.size + fresh.length);
  for (const host of fresh) placeOf(layer, host);
  let learned = false;
  for (const {atMs: askedAtMs, ...rows} of takeKnown(layer.outcomes, atMs)) {
    // Nothing but the intercept would move: a cell in which nothing ever failed says little.
    if (layer.outages === 0) continue;
    if (!learn(layer.model, askedAtMs, rows, LEARNING)) continue;
    layer.version++;
    learned = true;
  }
  const {hosts} = layer.history;
  if (hosts === 0) return learned;
  const past = fillInputs(INPUTS, viewOutages(layer.history, atMs));
  const rows = new Float64Array(hosts * WIDTH);
  const watched = new Uint8Array(hosts);
  for (const [host, place] of layer.places) {
    watched[place] = Number(risks.has(host));
    const own = past.subarray(place * (WIDTH - 1), (place + 1) * (WIDTH - 1));
    // Where the model says nothing, the simple method is the best that there is.
    const said = servedInput(risks.get(host) ?? Number.NaN);
    rows[place * WIDTH] = Number.isNaN(said) ? (own[0] as number) : said;
    rows.set(own, place * WIDTH + 1);
  }
  layer.shifts = shiftsOf(layer, rows);
  awaitOutcomes(layer.outcomes, atMs, hosts, rows, place => watched[place] === 1);
  return learned;
}

/** Whether a cell has learned enough to move risks. */
export function movesRisks({version, outages}: CellLayer): boolean {
  return version > 0 && outages >= OUTAGES_MIN;
}

/**
 * Log-odds by which the cell's own past moves the served risk of a host; 0: too little was learned, or
 * nothing is said.
 *
 * @param risk Of failure, combined.
 */
export function learnedShift(layer: CellLayer, host: string, risk: number): number {
  if (!movesRisks(layer)) return 0;
  const own = layer.shifts[layer.places.get(host) ?? -1];
  const said = servedInput(risk);
  if (own === undefined || Number.isNaN(said)) return 0;
  const {weights, prior} = layer.model;
  const shift = ((weights[0] as number) - (prior[0] as number)) * said + own;
  return Math.min(Math.max(shift, -SHIFT_MAX), SHIFT_MAX);
}

/**
 * Moves each component's risk by the host's shift in log-odds, in place; returns the shift.
 *
 * @param components So many of `risks` from the first on; what follows them stays.
 */
export function moveRisks(
  layer: CellLayer,
  host: string,
  risks: Float32Array,
  components: number,
): number {
  const shift = learnedShift(layer, host, combineRisks(risks, 0, components));
  if (shift === 0) return 0;
  for (let at = 0; at < components; at++) risks[at] = shiftedRisk(risks[at] as number, shift);
  return shift;
}

/** A risk moved by so much in log-odds; 0 and 1 stay where they are. */
export function shiftedRisk(risk: number, shift: number): number {
  return 1 / (1 + ((1 - risk) / risk) * Math.exp(-shift));
}

/** Standardised log-odds; NaN stays NaN. */
function servedInput(risk: number): number {
  const logOdds = Math.log(risk / (1 - risk));
  return Math.min(Math.max((logOdds - CENTRE) / SPREAD, -SPREADS_MAX), SPREADS_MAX);
}

/** Of all inputs but the served one. */
function shiftsOf({model: {weights, prior}, history}: CellLayer, rows: Float64Array): Float64Array {
  return Float64Array.from({length: history.hosts}, (_, place) => {
    let shift = 0;
    for (let input = 1; input < WIDTH; input++) {
      const moved = (weights[input] as number) - (prior[input] as number);
      shift += moved * (rows[place * WIDTH + input] as number);
    }
    return shift;
  });
}

function placeOf(layer: CellLayer, host: string): number {
  const known = layer.places.get(host);
  if (known !== undefined) return known;
  const place = layer.free.pop() ?? layer.places.size;
  layer.places.set(host, place);
  layer.history = growOutageHistory(layer.history, place + 1);
  return place;
}
