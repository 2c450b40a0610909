import {Counter, collectDefaultMetrics, Gauge, Histogram, Registry} from 'prom-client';
import {type EngineEventName, type EngineEvents, listen} from '../events.ts';
import {createCellLabels} from './cell-labels.ts';
import {countKeeper} from './keeper-metrics.ts';
import {addSkillMetrics} from './skill-metrics.ts';
import {countActors, isReady, type StatusDeps} from './status.ts';

export type Metrics = {
  /** The exposition, and the content type that it is in. */
  render(openMetrics: boolean): Promise<{contentType: string; text: string}>;
  close(): void;
};

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
const LONG_SECONDS = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600];
const ROWS = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 4096];

/** Counts what the engine publishes (core/events.ts) and looks at the read model when asked. */
export function createMetrics(deps: StatusDeps): Metrics {
  const registry = new Registry();
  const stops: (() => void)[] = [];
  const on = <Name extends EngineEventName>(
    name: Name,
    count: (fields: EngineEvents[Name]) => void,
  ) => {
    stops.push(listen(name, count));
  };
  collectDefaultMetrics({register: registry});
  addGauges(registry, deps);
  countIngest(registry, on);
  countScoring(registry, on);
  countAnomalies(registry, on, deps);
  countActing(registry, on);
  addSkillMetrics(registry, on, deps);
  countKeeping(registry, on);
  countKeeper(registry, on);
  let last: Promise<unknown> = Promise.resolve();
  return {
    render(openMetrics) {
      // The content type is a property of the registry: one reader at a time.
      const rendered = last.then(() => renderAs(registry, openMetrics));
      last = rendered.catch(() => undefined);
      return rendered;
    },
    close() {
      for (const stop of stops) stop();
      registry.clear();
    },
  };
}

async function renderAs(registry: Registry, openMetrics: boolean) {
  registry.setContentType(
    (openMetrics
      ? Registry.OPENMETRICS_CONTENT_TYPE
      : Registry.PROMETHEUS_CONTENT_TYPE) as typeof Registry.PROMETHEUS_CONTENT_TYPE,
  );
  return {contentType: registry.contentType, text: await registry.metrics()};
}

export type On = <Name extends EngineEventName>(
  name: Name,
  count: (fields: EngineEvents[Name]) => void,
) => void;

function addGauges(registry: Registry, deps: StatusDeps): void {
  const registers = [registry];
  new Gauge({
    name: 'forestay_build_info',
    help: 'Always 1; what is running is in the labels.',
    labelNames: ['version', 'commit'],
    registers,
  }).set(deps.build, 1);
  new Gauge({
    name: 'forestay_ready',
    help: '1 if every check of /readyz is well.',
    registers,
    collect() {
      this.set(isReady(deps) ? 1 : 0);
    },
  });
  new Gauge({
    name: 'forestay_actors',
    help: 'Actors by kind and top-level state.',
    labelNames: ['kind', 'state'],
    registers,
    collect() {
      this.reset();
      for (const {kind, state, count} of countActors(deps.model)) this.set({kind, state}, count);
    },
  });
  new Gauge({
    name: 'forestay_partitions_owned',
    help: 'Partitions by the core that owns them.',
    labelNames: ['owner'],
    registers,
    collect() {
      this.reset();
      for (const {owner} of deps.model.partitions.values()) this.inc({owner: owner || 'unknown'});
    },
  });
  new Gauge({
    name: 'forestay_partitions',
    help: 'Partitions that hold something, by mode and pause.',
    labelNames: ['mode', 'paused'],
    registers,
    collect() {
      this.reset();
      for (const {control} of deps.model.partitions.values()) {
        this.inc({mode: control?.mode ?? 'unknown', paused: String(control?.paused ?? false)});
      }
    },
  });
}

function countIngest(registry: Registry, on: On): void {
  const registers = [registry];
  const labelOf = createCellLabels();
  const ingested = new Counter({
    name: 'forestay_samples_ingested_total',
    help: 'Samples that are durable in the log.',
    labelNames: ['cell'],
    registers,
  });
  on('batch.accepted', ({cell, samples}) => ingested.inc({cell: labelOf(cell)}, samples));
  const dropped = new Counter({
    name: 'forestay_samples_dropped_total',
    help: 'Samples that no window took.',
    labelNames: ['reason'],
    registers,
  });
  on('samples.late', ({count}) => dropped.inc({reason: 'late'}, count));
  on('samples.unknown-set', ({count}) => dropped.inc({reason: 'unknown-set'}, count));
  const mended = new Counter({
    name: 'forestay_samples_mended_total',
    help: 'Samples that were taken after a change: future stamps clamped, infinities missing.',
    labelNames: ['reason'],
    registers,
  });
  on('samples.future', ({count}) => mended.inc({reason: 'future'}, count));
  on('samples.infinite', ({count}) => mended.inc({reason: 'infinite'}, count));
  const refused = new Counter({
    name: 'forestay_batches_refused_total',
    help: 'Batches that will never be taken.',
    labelNames: ['code'],
    registers,
  });
  on('batch.refused', ({code}) => refused.inc({code}));
  const repeated = new Counter({
    name: 'forestay_batches_repeated_total',
    help: 'Batches that had been taken before.',
    labelNames: ['cell'],
    registers,
  });
  on('batch.repeated', ({cell}) => repeated.inc({cell: labelOf(cell)}));
  const gapped = new Counter({
    name: 'forestay_batches_gapped_total',
    help: 'Batches that were left out because one before them is missing.',
    labelNames: ['cell'],
    registers,
  });
  on('batch.gapped', ({cell}) => gapped.inc({cell: labelOf(cell)}));
  const lag = new Histogram({
    name: 'forestay_ingest_lag_seconds',
    help: 'How far behind its inputs a tick was.',
    buckets: SECONDS,
    registers,
  });
  on('tick.completed', ({lagMs}) => lag.observe(lagMs / 1000));
}

function countScoring(registry: Registry, on: On): void {
  const registers = [registry];
  const duration = new Histogram({
    name: 'forestay_prediction_duration_seconds',
    help: 'Time of the stages of the prediction path.',
    labelNames: ['stage'],
    buckets: SECONDS,
    registers,
  });
  const rows = new Histogram({
    name: 'forestay_prediction_batch_size',
    help: 'Rows of a scoring request.',
    buckets: ROWS,
    registers,
  });
  const predictions = new Counter({
    name: 'forestay_predictions_total',
    help: 'Rows that were scored, and requests that failed.',
    labelNames: ['model', 'outcome'],
    registers,
  });
  on('tick.completed', ({durationMs}) => duration.observe({stage: 'tick'}, durationMs / 1000));
  on('scores.applied', fields => {
    duration.observe({stage: 'score'}, fields.durationMs / 1000);
    rows.observe(fields.rows);
    predictions.inc({model: fields.model, outcome: 'ok'}, fields.rows);
  });
  on('scores.failed', ({model, code}) => predictions.inc({model, outcome: code}));
}

function countAnomalies(registry: Registry, on: On, deps: StatusDeps): void {
  const registers = [registry];
  new Gauge({
    name: 'forestay_anomaly_hosts',
    help: 'Hosts by what the anomaly watch says of them: odd, usual, or learning.',
    labelNames: ['state'],
    registers,
    collect() {
      for (const state of ['odd', 'usual', 'learning']) this.set({state}, 0);
      for (const {anomaly} of deps.model.hosts.values()) {
        if (anomaly === undefined) continue;
        const known = anomaly.isOdd ? 'odd' : 'usual';
        this.inc({state: Number.isNaN(anomaly.score) ? 'learning' : known});
      }
    },
  });
  const rows = new Counter({
    name: 'forestay_anomaly_rows_total',
    help: 'Minutes of hosts that the anomaly watch judged, and those that it missed.',
    labelNames: ['outcome'],
    registers,
  });
  const learned = new Counter({
    name: 'forestay_anomaly_learned_total',
    help: 'Times that it was learned what is usual among hosts of a kind.',
    registers,
  });
  on('anomalies.found', found => {
    rows.inc({outcome: 'judged'}, found.hosts);
    learned.inc(found.learned);
  });
  on('anomalies.missed', ({hosts}) => rows.inc({outcome: 'missed'}, hosts));
}

function countActing(registry: Registry, on: On): void {
  const registers = [registry];
  const transitions = new Counter({
    name: 'forestay_transitions_total',
    help: 'Moves of actors, by top-level state.',
    labelNames: ['kind', 'from', 'to'],
    registers,
  });
  const top = (path: string) => path.split('.', 1)[0] as string;
  on('transition.made', ({kind, from, to}) => {
    transitions.inc({kind, from: top(from), to: top(to)});
  });
  const decisions = new Counter({
    name: 'forestay_decisions_total',
    help: 'Decisions that were recorded.',
    labelNames: ['action', 'outcome'],
    registers,
  });
  const suppressed = new Counter({
    name: 'forestay_actions_suppressed_total',
    help: 'Acts that the safety kernel kept back, by guard.',
    labelNames: ['reason'],
    registers,
  });
  on('decision.made', ({action, outcome, blockedBy}) => {
    decisions.inc({action, outcome});
    if (blockedBy !== '') suppressed.inc({reason: blockedBy});
  });
  const actions = new Counter({
    name: 'forestay_actions_total',
    help: 'Effects by what came of them; `issued` counts them when they are sent.',
    labelNames: ['action', 'result'],
    registers,
  });
  const seconds = (name: string, help: string) =>
    new Histogram({name, help, buckets: LONG_SECONDS, registers});
  const duration = seconds('forestay_migration_duration_seconds', 'Whole time of a migration.');
  const downtime = seconds('forestay_migration_downtime_seconds', 'Pause of the VM.');
  on('effect.issued', ({kind}) => actions.inc({action: kind, result: 'issued'}));
  on('effect.finished', ({kind, status, figures}) => {
    actions.inc({action: kind, result: status});
    if (kind !== 'start-migration' || status !== 'done') return;
    const {duration_seconds: whole, downtime_seconds: pause} = figures;
    if (whole !== undefined) duration.observe(whole);
    if (pause !== undefined) downtime.observe(pause);
  });
}

function countKeeping(registry: Registry, on: On): void {
  const counter = <Label extends string>(name: string, help: string, labelNames: Label[]) =>
    new Counter({name, help, labelNames, registers: [registry]});
  const written = counter('forestay_store_rows_written_total', 'Rows in the store.', []);
  const failed = counter('forestay_store_write_errors_total', 'Writes that failed.', ['code']);
  on('store.written', ({rows}) => written.inc(rows));
  on('store.write-failed', ({code}) => failed.inc({code}));
  const rejected = counter(
    'forestay_store_rows_rejected_total',
    'Rows that the store could not take and that were set aside with their reason.',
    ['table'],
  );
  on('rows.rejected', ({table, count}) => rejected.inc({table}, count));
  const quarantined = counter(
    'forestay_records_quarantined_total',
    'Records of the log that could not be read and were left out.',
    ['topic', 'code'],
  );
  on('record.quarantined', ({topic, code}) => quarantined.inc({topic, code}));
  const actors = counter(
    'forestay_actors_quarantined_total',
    'Actors that failed and hear nothing more.',
    ['kind', 'code'],
  );
  on('actor.quarantined', ({kind, code}) => actors.inc({kind, code}));
  const checkpoints = counter('forestay_checkpoints_total', 'Checkpoints that were written.', []);
  on('checkpoint.written', () => checkpoints.inc());
  const skipped = counter('forestay_checkpoint_errors_total', 'Checkpoints that failed.', ['code']);
  on('checkpoint.failed', ({code}) => skipped.inc({code}));
  const unwritten = counter(
    'forestay_log_append_errors_total',
    'Appends to the log that failed, each attempt.',
    ['topic', 'code'],
  );
  on('log.append-failed', ({topic, code}) => unwritten.inc({topic, code}));
  const started = new Histogram({
    name: 'forestay_partition_start_seconds',
    help: 'Parts of taking a partition over: claim, recover, announce.',
    labelNames: ['part'],
    buckets: SECONDS,
    registers: [registry],
  });
  on('partition.started', ({claimMs, recoverMs, announceMs}) => {
    started.observe({part: 'claim'}, claimMs / 1000);
    started.observe({part: 'recover'}, recoverMs / 1000);
    started.observe({part: 'announce'}, announceMs / 1000);
  });
  const superseded = counter(
    'forestay_epochs_superseded_total',
    'Partitions that another owner took over.',
    [],
  );
  on('epoch.superseded', () => superseded.inc());
  const interrupted = counter(
    'forestay_ownership_interruptions_total',
    'Reasons why this core was no owner of partitions for a while.',
    ['code'],
  );
  on('ownership.interrupted', ({code}) => interrupted.inc({code}));
}
