import {ForestayError} from '../../core/domain/errors.ts';
import {featuresOf} from '../../core/domain/features.ts';
import {readTable, type TextTable} from '../data/table.ts';
import {type FailureData, UNKNOWN} from './data.ts';
import {type FailureFamily, type FailureOutput, outputNames} from './family.ts';

const LABEL = 'label_';
const TO_FAILURE = 'seconds_to_failure';
const MOST_NAMED = 5;

/** What lies in a file, and what somebody should know of it. */
export type OwnRows = {readonly data: FailureData; readonly remarks: readonly string[]};

/**
 * Rows of one's own hosts from a CSV file, plain or gzipped. Columns: `group` (a host, any text),
 * `second` (when the row was taken), any features of the family's contract by name (empty: missing;
 * left out: always missing), `label_<output>` for at least one output (1, 0, or empty: unknown), and
 * `seconds_to_failure` if it is known (empty: no failure).
 *
 * @throws {ForestayError} `TRAINING_DATA_INVALID` for a file that is cut off, columns or values that
 *   are none of these, no feature with a value, an output with one class only, two rows of a host
 *   at one time, labels that contradict the time to the failure, and failures later than a host was
 *   watched.
 */
export async function readOwnRows(path: string, family: FailureFamily): Promise<OwnRows> {
  const table = await readTable(path);
  const outputs = requireHeader(table, family);
  const {group, second} = readMoments(table);
  const {features, remarks} = readFeatures(table, family);
  const labels = readLabels(table, outputs);
  const secondsToFailure = table.header.includes(TO_FAILURE)
    ? Float32Array.from(table.numbers(TO_FAILURE), each =>
        Number.isNaN(each) ? Number.POSITIVE_INFINITY : each,
      )
    : undefined;
  const known: FailureData = {
    rows: table.rows,
    contract: family.contract,
    outputs,
    features,
    labels,
    secondsToFailure:
      secondsToFailure ?? new Float32Array(table.rows).fill(Number.POSITIVE_INFINITY),
    group,
    second,
  };
  if (secondsToFailure !== undefined) {
    requireAgreement(path, known, outputs.length === family.outputs.length);
    requirePast(path, known);
  }
  return {data: known, remarks};
}

/** The outputs that are labelled, in the family's order. */
function requireHeader({path, header}: TextTable, family: FailureFamily): FailureOutput[] {
  const names = new Set([
    'group',
    'second',
    TO_FAILURE,
    ...outputNames(family).map(name => LABEL + name),
    ...featuresOf(family.contract).map(({name}) => name),
  ]);
  const foreign = header.filter(name => !names.has(name));
  if (foreign.length > 0) {
    throw invalid(
      path,
      `${name(foreign)} ${foreign.length === 1 ? 'is no feature and no label' : 'are no features and no labels'} of ${family.name}`,
    );
  }
  const twice = header.filter((each, at) => header.indexOf(each) !== at);
  if (twice.length > 0) throw invalid(path, `it has ${name(twice)} more than once`);
  const outputs = family.outputs.filter(output => header.includes(LABEL + output.name));
  if (outputs.length === 0) {
    throw invalid(path, `it has none of ${outputNames(family).map(each => LABEL + each)}`);
  }
  return outputs;
}

/** Hosts numbered as they come up, and times since the first row. */
function readMoments(table: TextTable): {group: Int32Array; second: Int32Array} {
  const {path, rows} = table;
  const ids = new Map<string, number>();
  const group = Int32Array.from(table.texts('group'), text => {
    if (!ids.has(text)) ids.set(text, ids.size);
    return ids.get(text) as number;
  });
  const seconds = table.numbers('second');
  const wrong = seconds.findIndex(each => !Number.isSafeInteger(each));
  if (wrong >= 0) throw invalid(path, `second of row ${wrong + 1} is not a whole number`);
  const first = seconds.reduce((least, each) => Math.min(least, each), Number.POSITIVE_INFINITY);
  const second = Int32Array.from(seconds, each => each - first);
  const seen = new Set<string>();
  for (let row = 0; row < rows; row++) {
    const moment = `${group[row]}/${second[row]}`;
    if (seen.has(moment)) {
      throw invalid(
        path,
        `row ${row + 1} is the second one of host ${table.texts('group')[row]} at ${seconds[row]} s`,
      );
    }
    seen.add(moment);
  }
  return {group, second};
}

function readFeatures(
  table: TextTable,
  {contract}: FailureFamily,
): {features: Float32Array; remarks: string[]} {
  const {path, header, rows} = table;
  const all = featuresOf(contract);
  const features = new Float32Array(rows * all.length).fill(Number.NaN);
  const constant: string[] = [];
  const missing: string[] = [];
  for (const [column, feature] of all.entries()) {
    if (!header.includes(feature.name)) continue;
    let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (const [row, value] of table.numbers(feature.name).entries()) {
      features[row * all.length + column] = value;
      if (value < least) least = value;
      if (value > most) most = value;
    }
    if (least > most) missing.push(feature.name);
    else if (least === most) constant.push(feature.name);
  }
  const given = all.filter(feature => header.includes(feature.name)).length;
  if (missing.length === given) {
    throw invalid(path, `none of its ${given} features has a value in any row`);
  }
  return {
    features,
    remarks: [
      ...(given === all.length
        ? []
        : [`${given} of ${all.length} features are there; the others count as missing.`]),
      ...(missing.length === 0 ? [] : [`Without any value: ${name(missing)}.`]),
      ...(constant.length === 0
        ? []
        : [`The same in all rows, so that nothing is learned of it: ${name(constant)}.`]),
    ],
  };
}

function readLabels(table: TextTable, outputs: readonly FailureOutput[]): Uint8Array {
  const labels = new Uint8Array(table.rows * outputs.length);
  for (const [index, output] of outputs.entries()) {
    const column = LABEL + output.name;
    const counts = [0, 0];
    for (const [row, text] of table.texts(column).entries()) {
      const label = text === '' ? UNKNOWN : Number(text);
      if (label !== 0 && label !== 1 && label !== UNKNOWN) {
        throw invalid(table.path, `${column} of row ${row + 1} is "${text}", not 0, 1 or empty`);
      }
      if (label !== UNKNOWN) counts[label] = (counts[label] as number) + 1;
      labels[row * outputs.length + index] = label;
    }
    const [zeros = 0, ones = 0] = counts;
    if (zeros === 0 || ones === 0) {
      throw invalid(
        table.path,
        `${column} is 1 in ${ones} rows and 0 in ${zeros}: there is nothing to tell apart`,
      );
    }
  }
  return labels;
}

/** A 1 needs a failure within the horizon; all parts 0 within it, none. */
function requireAgreement(path: string, data: FailureData, isComplete: boolean): void {
  const {rows, outputs, labels, secondsToFailure} = data;
  const horizons = [...new Set(outputs.map(({horizonSeconds}) => horizonSeconds))];
  for (let row = 0; row < rows; row++) {
    const toFailure = secondsToFailure[row] as number;
    if (toFailure < 0) throw invalid(path, `${TO_FAILURE} of row ${row + 1} is ${toFailure}`);
    const own = outputs.map((output, index) => ({
      ...output,
      label: labels[row * outputs.length + index],
    }));
    const early = own.find(({label, horizonSeconds}) => label === 1 && toFailure > horizonSeconds);
    if (early !== undefined) {
      throw invalid(
        path,
        `${LABEL}${early.name} of row ${row + 1} is 1, but the next failure is ${toFailure} s away ` +
          `and the label is of ${early.horizonSeconds} s`,
      );
    }
    const denied = horizons.find(
      horizon =>
        toFailure <= horizon &&
        own.every(({label, horizonSeconds}) => horizonSeconds !== horizon || label === 0),
    );
    if (isComplete && denied !== undefined) {
      throw invalid(
        path,
        `row ${row + 1} has a failure in ${toFailure} s, but every label of ${denied} s is 0`,
      );
    }
  }
}

/**
 * A failure that comes more than a step after a host's last row was seen by nobody: the label was
 * guessed, or taken from data that lie after the file.
 */
function requirePast(path: string, {rows, group, second, secondsToFailure}: FailureData): void {
  const hosts = new Map<number, number[]>();
  for (let row = 0; row < rows; row++) {
    const seconds = hosts.get(group[row] as number) ?? [];
    seconds.push(second[row] as number);
    hosts.set(group[row] as number, seconds);
  }
  const watchedUntil = new Map<number, number>();
  for (const [host, seconds] of hosts) {
    seconds.sort((a, b) => a - b);
    const steps = seconds.slice(1).map((each, at) => each - (seconds[at] as number));
    watchedUntil.set(host, (seconds.at(-1) as number) + steps.reduce((a, b) => Math.max(a, b), 0));
  }
  for (let row = 0; row < rows; row++) {
    const toFailure = secondsToFailure[row] as number;
    if (toFailure === Number.POSITIVE_INFINITY) continue;
    const later =
      (second[row] as number) + toFailure - (watchedUntil.get(group[row] as number) as number);
    if (later <= 1) continue;
    throw invalid(
      path,
      `row ${row + 1} knows of a failure ${later.toFixed(0)} s after its host was last watched; ` +
        'leave labels empty that nobody can know yet',
    );
  }
}

function name(columns: readonly string[]): string {
  const shown = columns.slice(0, MOST_NAMED).join(', ');
  const more = columns.length - MOST_NAMED;
  return more > 0 ? `${shown} and ${more} more` : shown;
}

function invalid(path: string, reason: string): ForestayError {
  return new ForestayError(
    'TRAINING_DATA_INVALID',
    `cannot train on ${path}: ${reason}; docs/how-to/train.md says what the file must hold`,
    {details: {path}},
  );
}
