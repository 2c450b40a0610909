import type {AgentCounters} from './agent.ts';
import type {IntentCounters} from './intent-thread.ts';

type Sample = {labels?: Readonly<Record<string, string>>; value: number};

/** The counters of an agent, and of its reboot-intent model if it has one, in the Prometheus text format. */
export function renderMetrics(
  counters: AgentCounters,
  version: string,
  intent?: Readonly<IntentCounters>,
): string {
  const {spool, uplink, sensorFailures} = counters;
  const failures = Object.entries(sensorFailures).map(([sensor, value]) => ({
    labels: {sensor},
    value,
  }));
  const lines: string[] = [];
  const add = (name: string, type: 'counter' | 'gauge', help: string, samples: Sample[]): void => {
    lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`);
    for (const {labels = {}, value} of samples) {
      const pairs = Object.entries(labels).map(([key, text]) => `${key}=${JSON.stringify(text)}`);
      lines.push(`${name}${pairs.length > 0 ? `{${pairs.join(',')}}` : ''} ${value}`);
    }
  };
  const count = (name: string, help: string, value: number): void =>
    add(`forestay_edge_${name}_total`, 'counter', help, [{value}]);
  const gauge = (name: string, help: string, value: number): void =>
    add(`forestay_edge_${name}`, 'gauge', help, [{value}]);

  add('forestay_build_info', 'gauge', 'What runs here.', [{labels: {version}, value: 1}]);
  count('samples', 'Times that all sensors were read.', counters.samples);
  count('samples_missed', 'Slots of the interval that were slept through.', counters.missedSamples);
  add(
    'forestay_edge_sensor_failures_total',
    'counter',
    'Readings that failed, by sensor.',
    failures,
  );
  count('infinite_values', 'Values that were not finite and became missing.', counters.infinities);
  count('spool_batches', 'Batches put into the spool.', spool.appendedBatches);
  count('spool_batches_dropped', 'Batches that a full spool dropped.', spool.droppedBatches);
  count('spool_batches_rejected', 'Batches that the core refused.', spool.rejectedBatches);
  count('spool_torn_bytes', 'Bytes of unfinished writes cut at the start.', spool.tornBytes);
  count('spool_damaged_segments', 'Damaged files found at the start.', spool.damagedSegments);
  count('spool_failed_writes', 'Disk operations that failed.', spool.failedWrites);
  gauge('spool_bytes', 'Bytes in the spool.', spool.bytes);
  count('sent_batches', 'Batches sent, repeats included.', uplink.sentBatches);
  count('sent_gaps', 'Gaps sent in place of batches.', uplink.sentGaps);
  count('sent_bytes', 'Bytes sent.', uplink.sentBytes);
  count('dials', 'Streams opened to the core.', uplink.dials);
  count('throttles', 'Times that the core asked to wait.', uplink.throttles);
  gauge('in_flight_batches', 'Sent and not acknowledged.', uplink.inFlightBatches);
  gauge('connected_ratio', 'Whether a stream is open.', uplink.connected ? 1 : 0);
  if (intent !== undefined) {
    count('intent_predictions', 'Answers of the reboot-intent model.', intent.predictions);
    count('intent_explanations', 'Answers that it gave reasons for.', intent.explanations);
    count('intent_dropped', 'Questions that found it too busy or away.', intent.dropped);
    count('intent_failures', 'Questions that it failed at.', intent.failed);
    count('intent_crashes', 'Times that its thread ended by itself.', intent.crashes);
  }
  return `${lines.join('\n')}\n`;
}
