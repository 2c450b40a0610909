import {channel} from 'node:diagnostics_channel';

/**
 * Everything that happens inside and is worth counting, named in one place. Publishing costs next
 * to nothing when nobody listens; /metrics and the demo's narrator are listeners.
 */
export type EngineEvents = {
  'batch.accepted': {cell: string; samples: number; bytes: number};
  'batch.refused': {code: string};
  'batch.repeated': {cell: string};
  'batch.gapped': {cell: string};
  'samples.taken': {cell: string; count: number};
  'samples.unknown-set': {count: number};
  'scores.taken': {cell: string; rows: number};
  'samples.late': {count: number};
  'samples.future': {count: number};
  'samples.infinite': {count: number};
  'record.quarantined': {topic: string; partition: number; offset: number; code: string};
  'tick.completed': {partition: number; timeMs: number; durationMs: number; lagMs: number};
  /** Where a tick's time went; what it read to, and the scoring requests sent and taken so far. */
  'tick.staged': {
    partition: number;
    telemetryOffset: number;
    asked: number;
    answered: number;
    decodeMs: number;
    foldMs: number;
    journalMs: number;
    requestMs: number;
  };
  'scores.applied': {model: string; rows: number; durationMs: number};
  'scores.failed': {model: string; code: string};
  /** A model that a command asked for. */
  'model.opened': {model: string};
  'model.refused': {model: string; code: string};
  /** The keeper of the models did or found something; `phase`: it came into another one. */
  'keeper.stepped': {phase: string; what: string; model: string};
  /** Minutes of hosts that the anomaly watch has judged, and how often it learned anew. */
  'anomalies.found': {hosts: number; learned: number};
  /** Minutes that it will never judge: it was too far behind, or failed. */
  'anomalies.missed': {hosts: number; code: string};
  'transition.made': {cell: string; kind: 'host' | 'vm'; from: string; to: string};
  'decision.made': {action: string; outcome: string; blockedBy: string};
  'effect.issued': {kind: string};
  'effect.finished': {
    kind: string;
    vm: string;
    status: string;
    figures: Readonly<Record<string, number>>;
  };
  /** A cell learned of its own hosts, for the so many-th time. */
  'cell.learned': {cell: string; version: number; outages: number};
  /** Acting ahead of failures was given up in a cell, or taken up again. */
  'restraint.changed': {cell: string; restrained: boolean; because: string};
  'actor.quarantined': {kind: 'host' | 'vm'; code: string};
  'log.append-failed': {topic: string; code: string};
  /** The partition goes on without it, and tries again when the next one is due. */
  'checkpoint.failed': {partition: number; code: string};
  'checkpoint.written': {partition: number; bytes: number; durationMs: number};
  'store.written': {rows: number; durationMs: number};
  'store.write-failed': {code: string};
  'rows.rejected': {table: string; count: number};
  /** Parts of a takeover or a start; `ticks` of the journal were applied. */
  'partition.started': {
    partition: number;
    ticks: number;
    claimMs: number;
    recoverMs: number;
    announceMs: number;
  };
  /** Nothing is owned by this core until the log takes it for an owner again. */
  'ownership.interrupted': {code: string};
  'epoch.superseded': {partition: number; epoch: number};
};

export type EngineEventName = keyof EngineEvents;

const channelOf = (name: EngineEventName) => channel(`forestay:${name}`);

/** Publishes an event to whoever listens, at once and in this thread. */
export function publish<Name extends EngineEventName>(
  name: Name,
  fields: EngineEvents[Name],
): void {
  const target = channelOf(name);
  if (target.hasSubscribers) target.publish(fields);
}

/** Calls `listener` for every event of this name until the returned function is called. */
export function listen<Name extends EngineEventName>(
  name: Name,
  listener: (fields: EngineEvents[Name]) => void,
): () => void {
  const target = channelOf(name);
  const handler = (fields: unknown) => listener(fields as EngineEvents[Name]);
  target.subscribe(handler);
  return () => target.unsubscribe(handler);
}
