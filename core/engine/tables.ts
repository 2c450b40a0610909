/** What the recorder stores: the tables and their keys. A change of columns is a new version. */
import {fnv1a32} from '../domain/hash.ts';
import type {MetricSet} from '../domain/metric-sets.ts';
import {isIdentifier} from '../domain/table-rules.ts';
import type {ColumnType, TableSchema} from '../ports.ts';

type Columns = Readonly<Record<string, ColumnType>>;

function table(name: string, keys: readonly string[], columns: Columns): TableSchema {
  const list = Object.entries(columns).map(([column, type]) => ({name: column, type}));
  return {name, version: 1, columns: list, keys};
}

/** Every risk as it was scored. */
export const RISKS = table('risks', ['ts', 'host', 'component'], {
  ts: 'timestamp',
  host: 'symbol',
  component: 'symbol',
  risk: 'double',
  model: 'symbol',
});

/** Why a risk was high: the largest contributions, in log-odds. */
export const REASONS = table('reasons', ['ts', 'host', 'component', 'feature'], {
  ts: 'timestamp',
  host: 'symbol',
  component: 'symbol',
  feature: 'symbol',
  value: 'double',
  usual: 'double',
  contribution: 'double',
});

/**
 * How odd hosts were, each minute, once it is known what is usual. `odd` is 0 or 1; `metrics` is JSON
 * and says what made it odd.
 */
export const ANOMALIES = table('anomalies', ['ts', 'host'], {
  ts: 'timestamp',
  host: 'symbol',
  score: 'double',
  threshold: 'double',
  odd: 'long',
  metrics: 'text',
  rack_odd_ratio: 'double',
  odd_vms_ratio: 'double',
});

/**
 * How a model has done in a cell so far, every five minutes, a row an output. What is not known is
 * empty; `verdict` is of `any`, whether a host goes down at all.
 */
export const SKILL = table('skill', ['ts', 'cell', 'model', 'output'], {
  ts: 'timestamp',
  cell: 'symbol',
  model: 'symbol',
  output: 'symbol',
  forecasts: 'double',
  unverifiable: 'double',
  base_rate: 'double',
  skill: 'double',
  skill_low: 'double',
  skill_high: 'double',
  episodes: 'long',
  calibration_error: 'double',
  precision: 'double',
  recall: 'double',
  lead_seconds: 'double',
  verdict: 'symbol',
  because: 'text',
  restrained: 'long',
});

/**
 * What came of acts ahead of failures, by the id of their effect. `avoided_minutes` is a
 * counterfactual: that the VM would have gone down with the host that it had left.
 */
export const ACT_OUTCOMES = table('act_outcomes', ['ts', 'id'], {
  ts: 'timestamp',
  id: 'text',
  cell: 'symbol',
  model: 'symbol',
  action: 'symbol',
  vm: 'symbol',
  host: 'symbol',
  target_host: 'symbol',
  effect: 'symbol',
  avoided_minutes: 'double',
  words: 'text',
});

/**
 * What acting did, by VMs that were left where they were by lot; a row when it was told, empty where
 * there are too few of them.
 */
export const TRIALS = table('trials', ['ts', 'cell', 'model'], {
  ts: 'timestamp',
  cell: 'symbol',
  model: 'symbol',
  share: 'double',
  acted: 'long',
  held_back: 'long',
  spared_minutes: 'double',
  spared_minutes_low: 'double',
  spared_minutes_high: 'double',
  because: 'text',
});

/** Every move of every actor. */
export const TRANSITIONS = table('transitions', ['ts', 'actor', 'seq'], {
  ts: 'timestamp',
  actor: 'symbol',
  seq: 'long',
  epoch: 'long',
  machine: 'symbol',
  machine_version: 'long',
  from_state: 'symbol',
  to_state: 'symbol',
  event: 'symbol',
  context: 'text',
});

/** Every decision with what was known; `alternatives` is JSON. */
export const DECISIONS = table('decisions', ['ts', 'id'], {
  ts: 'timestamp',
  id: 'text',
  entity: 'symbol',
  host: 'symbol',
  risk: 'double',
  component: 'symbol',
  action: 'symbol',
  target_host: 'symbol',
  outcome: 'symbol',
  blocked_by: 'symbol',
  because: 'text',
  alternatives: 'text',
  model: 'symbol',
  policy_version: 'long',
});

/** Why the risk was what it was that a decision rests on; `counterfactual` is JSON, or empty. */
export const DECISION_REASONS = table('decision_reasons', ['ts', 'decision', 'feature'], {
  ts: 'timestamp',
  decision: 'text',
  host: 'symbol',
  component: 'symbol',
  feature: 'symbol',
  unit: 'symbol',
  value: 'double',
  usual: 'double',
  contribution: 'double',
  counterfactual: 'text',
  model: 'symbol',
});

/** What was asked of agents, as it was issued. */
export const EFFECTS = table('effects', ['ts', 'id'], {
  ts: 'timestamp',
  id: 'text',
  kind: 'symbol',
  host: 'symbol',
  vm: 'symbol',
  target_host: 'symbol',
  weight_percent: 'double',
  deadline: 'timestamp',
  agent: 'symbol',
});

/** What came of effects, by the same id; `figures` is JSON. */
export const EFFECT_RESULTS = table('effect_results', ['ts', 'id'], {
  ts: 'timestamp',
  id: 'text',
  status: 'symbol',
  code: 'symbol',
  message: 'text',
  figures: 'text',
});

/** What people and programs asked for; `body` is JSON. A fleet-wide command is one row. */
export const COMMANDS = table('commands', ['ts', 'request_id'], {
  ts: 'timestamp',
  request_id: 'text',
  author: 'symbol',
  kind: 'symbol',
  body: 'text',
});

/** Rows that their table did not take, and why; `body` is JSON. */
export const REJECTED_ROWS = table('rejected_rows', ['ts', 'table_name', 'body'], {
  ts: 'timestamp',
  table_name: 'symbol',
  body: 'text',
  reason: 'text',
});

/**
 * Records of the log that could not be read, where and why; `bytes` is the first kibibyte in
 * base64. `ts` is when the recorder met them.
 */
export const REJECTED_RECORDS = table(
  'rejected_records',
  ['ts', 'topic', 'partition', 'position'],
  {
    ts: 'timestamp',
    topic: 'symbol',
    partition: 'long',
    position: 'long',
    code: 'symbol',
    reason: 'text',
    length: 'long',
    bytes: 'text',
  },
);

export const TABLES: readonly TableSchema[] = [
  RISKS,
  REASONS,
  ANOMALIES,
  SKILL,
  ACT_OUTCOMES,
  TRIALS,
  TRANSITIONS,
  DECISIONS,
  DECISION_REASONS,
  EFFECTS,
  EFFECT_RESULTS,
  COMMANDS,
  REJECTED_ROWS,
  REJECTED_RECORDS,
];

/** Where a sample is from: the columns before its metrics. */
const SAMPLE_COLUMNS: Columns = {
  ts: 'timestamp',
  entity: 'symbol',
  cell: 'symbol',
  edge: 'symbol',
  incarnation: 'long',
  seq: 'long',
  row: 'long',
};

/**
 * The table of a metric set's samples: `samples_host_v2` for `host.v2`, one column a metric.
 * Names that are not plain get one made of their hash.
 */
export function samplesTable(set: MetricSet): TableSchema {
  const taken = new Set<string>();
  const metrics = set.columns.map((metric, at) => {
    const short = metricColumn(metric);
    // Of two names with one hash both need a column: values go by their place.
    const column = taken.has(short) ? `${short}_${at}` : short;
    taken.add(column);
    return [column, 'double'] as const;
  });
  return table(
    samplesTableName(set.name),
    ['ts', 'entity', 'incarnation', 'seq', 'row'],
    Object.fromEntries([...Object.entries(SAMPLE_COLUMNS), ...metrics]),
  );
}

/**
 * Only dots become underscores in a plain name, so that two sets share a table only if their names
 * have one hash: the second of those is not registered.
 */
export function samplesTableName(set: string): string {
  const name = `samples_${set.replaceAll('.', '_')}`;
  return isIdentifier(name) && !set.includes('_') ? name : `samples_x${hex(set)}`;
}

function metricColumn(metric: string): string {
  const plain = isIdentifier(metric) && !Object.hasOwn(SAMPLE_COLUMNS, metric);
  return plain && !metric.startsWith('x_') ? metric : `x_${hex(metric)}`;
}

const hex = (name: string): string => fnv1a32(name).toString(16).padStart(8, '0');
