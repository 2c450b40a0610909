import {ForestayError} from '../domain/errors.ts';
import {PARTITION_COUNT, PARTITIONS} from '../domain/hash.ts';
import {
  BUILT_IN_METRIC_SETS,
  type EntityKind,
  type MetricSet,
  metricSet,
} from '../domain/metric-sets.ts';
import type {Clock, Codec, Log} from '../ports.ts';
import {samplesTableName} from './tables.ts';

const COLUMNS_MAX = 1024;
/** A set is for ever, and a copy of it in every partition: its inbox, its state, its checkpoints. */
const SETS_MAX = 256;
const CHARACTERS_MAX = 1024 * 1024;
const NAME = /^[A-Za-z0-9_][A-Za-z0-9_.:/-]{0,127}$/;

type Registration = {
  /** Makes a repeat harmless; empty: one is made of the set itself. */
  requestId: string;
  name: string;
  entityKind: string;
  columns: readonly string[];
  author: string;
};

/** Which sets of columns batches may use. */
export type MetricSets = {
  get(name: string): MetricSet | undefined;
  all(): readonly MetricSet[];
  /**
   * Makes a set known to every partition, durably; the same set again is a no-op.
   *
   * Errors: `INVALID_ARGUMENT`, `METRIC_SET_CONFLICT` (other columns under a known name),
   * `ENTITY_LIMIT_REACHED` (as many sets, or names in them, as there may be),
   * `LOG_APPEND_FAILED` (retryable: the same request again completes it).
   */
  register(registration: Registration): Promise<MetricSet>;
  /** Takes a set that the log already holds, as a restore finds it. */
  registerKnown(set: MetricSet): void;
};

export function createMetricSets(ports: {
  log: Pick<Log, 'append'>;
  codec: Pick<Codec, 'encodeInbox'>;
  clock: Pick<Clock, 'nowMs'>;
}): MetricSets {
  const known = new Map<string, MetricSet>(BUILT_IN_METRIC_SETS.map(set => [set.name, set]));
  /** Two callers at once must not both find the name free. */
  const registering = new Map<string, {set: MetricSet; done: Promise<void>}>();

  const append = async (set: MetricSet, {requestId, author}: Registration): Promise<void> => {
    const bytes = ports.codec.encodeInbox({
      requestId: requestId || `register-metric-set/${set.name}/${set.hash}`,
      atMs: ports.clock.nowMs(),
      author,
      kind: 'register-metric-set',
      name: set.name,
      entityKind: set.kind,
      columns: set.columns,
    });
    const appends = PARTITIONS.map(partition => ports.log.append('inbox', partition, [bytes]));
    const failed = (await Promise.allSettled(appends)).filter(({status}) => status === 'rejected');
    const [first] = failed as PromiseRejectedResult[];
    if (first === undefined) return;
    throw new ForestayError(
      'LOG_APPEND_FAILED',
      `cannot register metric set ${set.name}: ${failed.length} of ${PARTITION_COUNT} partitions ` +
        'did not take it; send the same request again',
      {retryable: true, details: {name: set.name, failed: failed.length}, cause: first.reason},
    );
  };

  return {
    get: name => known.get(name),
    all: () => [...known.values()],
    async register(registration) {
      const set = checked(registration);
      const pending = registering.get(set.name);
      requireSame(set, known.get(set.name) ?? pending?.set);
      if (known.has(set.name)) return set;
      if (pending === undefined) {
        const others = [...known.values(), ...[...registering.values()].map(other => other.set)];
        requireRoom(set, others);
        requireOwnHash(set, others);
      }
      const done = pending?.done ?? append(set, registration);
      registering.set(set.name, {set, done});
      try {
        await done;
        known.set(set.name, set);
        return set;
      } finally {
        registering.delete(set.name);
      }
    },
    registerKnown(set) {
      if (!known.has(set.name)) known.set(set.name, set);
    },
  };
}

function requireSame(set: MetricSet, other: MetricSet | undefined): void {
  if (other === undefined || other.hash === set.hash) return;
  throw new ForestayError(
    'METRIC_SET_CONFLICT',
    `cannot register metric set ${set.name}: it is known as ${other.columns.length} columns of ` +
      `kind ${other.kind} (hash ${hex(other.hash)}), this one has ${set.columns.length} of kind ` +
      `${set.kind} (hash ${hex(set.hash)}); choose a new name, such as ${nextName(set.name)}`,
    {details: {name: set.name, knownHash: other.hash, hash: set.hash}},
  );
}

/** @param others All that are known or on their way. */
function requireRoom(set: MetricSet, others: readonly MetricSet[]): void {
  const characters = others.reduce((sum, other) => sum + lengthOf(other), lengthOf(set));
  if (others.length < SETS_MAX && characters <= CHARACTERS_MAX) return;
  throw new ForestayError(
    'ENTITY_LIMIT_REACHED',
    `cannot register metric set ${set.name}: there are ${others.length} sets, at most ${SETS_MAX} ` +
      `are kept, and with this one their names would have ${characters} characters, at most ` +
      `${CHARACTERS_MAX}; use a set that is known, or fewer and shorter columns`,
    {details: {name: set.name, sets: others.length, characters}},
  );
}

/** Batches name a set by its hash, and its table may be named by that of its name. */
function requireOwnHash(set: MetricSet, others: readonly MetricSet[]): void {
  const table = samplesTableName(set.name);
  const rival = others.find(
    ({name, hash}) => hash === set.hash || samplesTableName(name) === table,
  );
  if (rival === undefined) return;
  throw new ForestayError(
    'METRIC_SET_CONFLICT',
    `cannot register metric set ${set.name}: its hash is that of ${rival.name}; choose another name`,
    {details: {name: set.name, rival: rival.name}},
  );
}

const lengthOf = ({name, columns}: MetricSet): number =>
  columns.reduce((sum, column) => sum + column.length, name.length);

function checked({name, entityKind, columns}: Registration): MetricSet {
  if (!NAME.test(name)) {
    throw invalid('name', `${JSON.stringify(name.slice(0, 40))} does not match ${NAME.source}`);
  }
  if (entityKind !== 'host' && entityKind !== 'vm') {
    throw invalid('entity_kind', `${JSON.stringify(entityKind.slice(0, 40))} is not host or vm`);
  }
  if (columns.length === 0 || columns.length > COLUMNS_MAX) {
    throw invalid('columns', `${columns.length} columns; 1 to ${COLUMNS_MAX} are legal`);
  }
  const wrong = columns.find((column, at) => !NAME.test(column) || columns.indexOf(column) !== at);
  if (wrong !== undefined) {
    throw invalid('columns', `${JSON.stringify(wrong.slice(0, 40))} is repeated or no name`);
  }
  return metricSet(name, entityKind satisfies EntityKind, [...columns]);
}

function invalid(field: string, found: string): ForestayError {
  return new ForestayError('INVALID_ARGUMENT', `cannot register a metric set: ${field}: ${found}`, {
    details: {field},
  });
}

/** The hash as people compare it. */
export function hex(hash: number): string {
  return hash.toString(16).padStart(8, '0');
}

/** `host.v1` → `host.v2`. */
function nextName(name: string): string {
  const [, stem, version] = /^(.*\.v)(\d+)$/.exec(name) ?? [];
  return stem === undefined ? `${name}.v2` : `${stem}${Number(version) + 1}`;
}
