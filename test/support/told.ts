/** What a datacenter says has happened there: its oracle file, read back. */
import {existsSync, readFileSync} from 'node:fs';
import type {OracleLine} from '../../cli/datacenter-oracle.ts';

export type Line<Kind extends OracleLine['kind']> = Extract<OracleLine, {kind: Kind}>;

export type Told = {
  /** By {@link batchKey}. */
  batches: ReadonlyMap<string, Line<'batch'>>;
  /** Those that a core has said it has, by its own words or by acking a later life of the spool. */
  acked: readonly Line<'batch'>[];
  effects: readonly Line<'effect'>[];
  placements: ReadonlyMap<string, Line<'placement'>>;
  violations: readonly Line<'violation'>[];
};

export function batchKey(batch: {edge: string; incarnation: number; seq: number}): string {
  return `${batch.edge}/${batch.incarnation}/${batch.seq}`;
}

/** Reads the file; a last line that was not finished is left out. */
export function readTold(path: string): Told {
  const text = existsSync(path) ? readFileSync(path, 'utf8') : '';
  const lines = text.split('\n').slice(0, -1);
  return toTold(lines.map(line => JSON.parse(line) as OracleLine));
}

export function toTold(lines: readonly OracleLine[]): Told {
  const batches = new Map<string, Line<'batch'>>();
  const acks = new Map<string, Map<number, number>>();
  const placements = new Map<string, Line<'placement'>>();
  for (const line of lines) {
    if (line.kind === 'batch') batches.set(batchKey(line), line);
    if (line.kind === 'placement') placements.set(line.vm, line);
    if (line.kind !== 'ack') continue;
    const ofEdge = acks.get(line.edge) ?? new Map<number, number>();
    acks.set(line.edge, ofEdge);
    ofEdge.set(line.incarnation, Math.max(line.seq, ofEdge.get(line.incarnation) ?? 0));
  }
  return {
    batches,
    acked: [...batches.values()].filter(batch => isAcked(batch, batches, acks.get(batch.edge))),
    effects: lines.filter(line => line.kind === 'effect'),
    placements,
    violations: lines.filter(line => line.kind === 'violation'),
  };
}

/**
 * An ack covers what came before it. The last batch of an earlier life may have died with its
 * process on the way to the spool: it counts only if it was acked by name.
 */
function isAcked(
  batch: Line<'batch'>,
  batches: Told['batches'],
  acks: ReadonlyMap<number, number> | undefined,
): boolean {
  if (acks === undefined) return false;
  if (batch.seq <= (acks.get(batch.incarnation) ?? 0)) return true;
  const isOver = [...acks.keys()].some(incarnation => incarnation > batch.incarnation);
  return isOver && batches.has(batchKey({...batch, seq: batch.seq + 1}));
}
