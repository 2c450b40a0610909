import {systemClock} from '../../core/adapters/clock-system.ts';
import {nodeFiles} from '../../core/adapters/files-node.ts';
import {openSegmentLog} from '../../core/adapters/log-segments.ts';
import type {Log} from '../../core/ports.ts';

/** Which log a core under load writes to, as another process is told it. */
export type BenchLog =
  | {kind: 'segments'; directory: string}
  | {kind: 'kafka'; brokers: readonly string[]; topicPrefix: string};

/** Opens it as a core does. Errors: those of the log. */
export async function openBenchLog(log: BenchLog): Promise<Log> {
  if (log.kind === 'segments') {
    return openSegmentLog({directory: log.directory, files: nodeFiles, clock: systemClock});
  }
  const {openKafkaLog} = await import('../../core/adapters/log-kafka.ts');
  return openKafkaLog({brokers: log.brokers, topicPrefix: log.topicPrefix, clock: systemClock});
}
