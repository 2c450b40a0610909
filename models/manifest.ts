import {ForestayError} from '../core/domain/errors.ts';
import {AVERAGE_KINDS, COUNT_KINDS, type FeatureContract} from '../core/domain/features.ts';

/** How good the model is at one component, on seeds that it has not seen. */
export type ComponentMetrics = {
  readonly component: string;
  readonly rows: number;
  readonly positives: number;
  /** Null, like recall, when nothing failed. */
  readonly averagePrecision: number | null;
  readonly rocAuc: number | null;
  readonly logLoss: number;
  /** Log-loss of always saying the base rate. */
  readonly baseLogLoss: number;
  readonly brier: number;
  /** Expected calibration error over ten bins of equal mass. */
  readonly calibrationError: number;
  /** Of the rows of highest risk, as many as the budget allows. */
  readonly atBudget: {
    readonly budgetRatio: number;
    readonly threshold: number;
    readonly precision: number;
    readonly recall: number | null;
  };
  /** Failures, and how long before them the risk first crossed the budget's threshold. */
  readonly episodes: {
    readonly failures: number;
    readonly foreseen: number;
    readonly leadSecondsP10: number | null;
    readonly leadSecondsP50: number | null;
    readonly leadSecondsP90: number | null;
  };
  /** With few alerts a day, as somebody on call would get them. */
  readonly alerts?: AlertMetrics;
  /** What others reach on the same rows. */
  readonly rivals?: readonly RivalMetrics[];
  readonly spread?: SpreadMetrics;
};

/** Alerts within a budget, and failures. Null where nothing was raised or nothing failed. */
export type AlertMetrics = {
  readonly hostDays: number;
  /** The budget; rates of failures may be raised in the data, and the budget with them. */
  readonly perHostDay: number;
  readonly threshold: number | null;
  readonly alerts: number;
  /** Share of the alerts after which the part failed within the horizon. */
  readonly precision: number | null;
  readonly failures: number;
  /** Failures with an alert early enough to act. */
  readonly foreseen: number;
  readonly recall: number | null;
};

/** Judged by order only: it may be no probability, or one of another horizon. */
export type RivalMetrics = {
  readonly name: string;
  readonly averagePrecision: number | null;
  readonly rocAuc: number | null;
  readonly alerts: AlertMetrics;
};

/** Null where none of them says anything. */
type Range = readonly [least: number, most: number] | null;

/** The least and the most that trainings on other hosts of the same data gave. */
export type SpreadMetrics = {
  readonly trainings: number;
  readonly averagePrecision: Range;
  readonly rocAuc: Range;
  readonly logLoss: Range;
  readonly calibrationError: Range;
  readonly alertPrecision: Range;
  readonly alertRecall: Range;
};

/** What lies beside a model file and says where it comes from. */
export type Manifest = {
  readonly name: string;
  readonly version: string;
  /** Of model.onnx, hexadecimal. */
  readonly sha256: string;
  /** What the outputs are, for people. */
  readonly gives?: string;
  readonly featureHash: number;
  readonly features: readonly string[];
  /** What the features are; absent: the contract of `host.v1`. */
  readonly contract?: FeatureContract;
  /** What the graph calls its input and output; absent: `features` and `risks`. */
  readonly graph?: {
    readonly input: string;
    readonly output: string;
    /** Columns of the output that are the components, in their order; absent: all. */
    readonly columns?: readonly number[];
  };
  readonly components: readonly string[];
  readonly requiredMetrics: readonly string[];
  /** Median of each feature over the training rows; null: never present. */
  readonly usual: readonly (number | null)[];
  readonly seed: number;
  readonly data: string;
  readonly rounds: readonly number[];
  readonly metrics: readonly ComponentMetrics[];
  readonly limits: readonly string[];
  /** Of a model that was trained on top of another. */
  readonly onTop?: OnTop;
};

/** What a model was trained on top of, and what that brought. */
export type OnTop = {
  /** SHA-256 of the model below. */
  readonly parent: string;
  readonly parentVersion: string;
  /** SHA-256 of the file of examples. */
  readonly examples: string;
  /** Nodes of all trees of the first model of the line, which was not trained on top of another. */
  readonly firstNodes: number;
  readonly outputs: readonly OnTopOutcome[];
};

export type OnTopOutcome = {
  readonly output: string;
  /** Distinct ones with rows before them. */
  readonly failures: number;
  /** That were added; without any it says what the model below says. */
  readonly trees: number;
  /** Mean log-losses a row on hosts not seen, of the model below and of this one; null: not trained. */
  readonly before: number | null;
  readonly after: number | null;
  /** Of the gain in log-loss a row: with four chances of five it is at least this. */
  readonly gainAtLeast: number | null;
};

/** Rows with the risks that a healthy runtime gives for them; null: missing. */
export type Golden = {
  readonly features: readonly (readonly (number | null)[])[];
  readonly risks: readonly (readonly number[])[];
};

/**
 * Reads a manifest. Checks only what a program relies on: the rest is for people.
 *
 * @throws {ForestayError} `MODEL_UNREADABLE`.
 */
export function parseManifest(text: string, path: string): Manifest {
  const manifest = parseJson(text, path) as Partial<Manifest> | null;
  const sound =
    typeof manifest?.sha256 === 'string' &&
    typeof manifest.name === 'string' &&
    isRow(manifest.usual);
  if (!sound) throw unreadable(path, 'it must have name, sha256 and usual');
  if (manifest.graph !== undefined) requireGraph(manifest.graph, path);
  if (manifest.contract === undefined) return manifest as Manifest;
  requireContract(manifest.contract, path);
  if (!isTexts(manifest.components) || !isTexts(manifest.requiredMetrics)) {
    throw unreadable(path, 'with a contract it must have components and requiredMetrics');
  }
  return manifest as Manifest;
}

function isTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every(item => typeof item === 'string');
}

/** Numbers, null where missing. */
function isRow(value: unknown): boolean {
  return Array.isArray(value) && value.every(item => item === null || typeof item === 'number');
}

function requireGraph(graph: Partial<NonNullable<Manifest['graph']>> | null, path: string): void {
  const columns = graph?.columns ?? [];
  const named = typeof graph?.input === 'string' && typeof graph.output === 'string';
  if (named && Array.isArray(columns) && columns.every(Number.isInteger)) return;
  throw unreadable(path, 'graph must name input and output, and columns by their numbers');
}

const WINDOW_MAX = 4096;
const METRICS_MAX = 1024;

/** Only whole families are known, their kinds in the usual order. */
function requireContract(contract: Partial<FeatureContract>, path: string): void {
  const {family, metrics, kinds} = contract;
  const levels = contract.family === 'averages' ? contract.levels : undefined;
  const known = family === 'averages' ? AVERAGE_KINDS : COUNT_KINDS;
  const named =
    (family === 'averages' || family === 'count-window') &&
    Array.isArray(metrics) &&
    metrics.length > 0 &&
    metrics.length + (levels?.length ?? 0) <= METRICS_MAX &&
    (levels === undefined || Array.isArray(levels)) &&
    [...metrics, ...(levels ?? [])].every(metric => typeof metric === 'string') &&
    Array.isArray(kinds) &&
    kinds.join() === known.join();
  if (!named) {
    throw unreadable(
      path,
      `contract must name metrics and a family: averages of ${AVERAGE_KINDS.join(', ')}, or ` +
        `count-window of ${COUNT_KINDS.join(', ')}`,
    );
  }
  if (contract.family !== 'count-window') return;
  const {window = 0, stride = 0} = contract;
  const shaped =
    Number.isInteger(stride) && stride >= 1 && Number.isInteger(window / stride) && window > 1;
  if (shaped && window <= WINDOW_MAX) return;
  throw unreadable(
    path,
    `contract has a window of ${window} by ${stride}: it must be 2 to ${WINDOW_MAX} samples and a ` +
      'multiple of the stride',
  );
}

/** @throws {ForestayError} `MODEL_UNREADABLE`. */
export function parseGolden(
  text: string,
  path: string,
  featureCount: number,
  components: number,
): Golden {
  const golden = parseJson(text, path) as Partial<Golden> | null;
  const sound =
    Array.isArray(golden?.features) &&
    Array.isArray(golden.risks) &&
    golden.features.length === golden.risks.length &&
    golden.features.every(row => isRow(row) && row.length === featureCount) &&
    golden.risks.every(row => isRow(row) && row.length === components);
  if (sound) return golden as Golden;
  throw unreadable(
    path,
    `it must have as many rows of ${components} risks as of ${featureCount} features`,
  );
}

/** Rows of numbers and nulls as one row-major array, null as NaN. */
export function flattenRows(rows: Golden['features']): Float32Array {
  return Float32Array.from(rows.flat(), value => value ?? Number.NaN);
}

function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw unreadable(path, 'it is not JSON', cause);
  }
}

function unreadable(path: string, reason: string, cause?: unknown): ForestayError {
  return new ForestayError(
    'MODEL_UNREADABLE',
    `cannot read ${path}: ${reason}; train the model again or remove the file`,
    {details: {path}, cause},
  );
}
