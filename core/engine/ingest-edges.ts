import type {ForestayError} from '../domain/errors.ts';
import type {Hello} from './ingest-checks.ts';
import {superseded} from './ingest-errors.ts';
import type {DurableMark} from './ingest-sequence.ts';

/** Edges of which the last durable batch is remembered; the one unheard for longest goes first. */
const EDGES_MAX = 100_000;

/** What became durable through this process, by edge and cell. A help, never the truth. */
export type DurableMarks = {
  get(edge: Hello): DurableMark | undefined;
  /** Marks only rise. */
  set(edge: Hello, mark: DurableMark): void;
};

export function createDurableMarks(edgesMax = EDGES_MAX): DurableMarks {
  const marks = new Map<string, DurableMark>();
  return {
    get: edge => marks.get(keyOf(edge)),
    set(edge, mark) {
      const key = keyOf(edge);
      const held = marks.get(key);
      if (held !== undefined && !isAfter(mark, held)) return;
      marks.delete(key);
      marks.set(key, mark);
      if (marks.size > edgesMax) marks.delete(marks.keys().next().value as string);
    },
  };
}

/** A session that can be ended for another one of the same edge. */
type EdgeSession = {readonly edge: Hello | undefined; end(error: ForestayError): void};

/** One stream an edge: a newer one ends the older one, which may be dead without knowing. */
export function createEdgeStreams() {
  const sessions = new Map<string, EdgeSession>();
  return {
    opened(session: EdgeSession, hello: Hello): void {
      const key = keyOf(hello);
      const older = sessions.get(key);
      sessions.set(key, session);
      older?.end(superseded(hello));
    },
    closed(session: EdgeSession): void {
      if (session.edge === undefined) return;
      const key = keyOf(session.edge);
      if (sessions.get(key) === session) sessions.delete(key);
    },
  };
}

function isAfter(mark: DurableMark, held: DurableMark): boolean {
  if (mark.incarnation !== held.incarnation) return mark.incarnation > held.incarnation;
  return mark.seq > held.seq;
}

/** The length says where the cell ends: names may hold anything. */
const keyOf = ({edge, cell}: Hello): string => `${cell.length}:${cell}${edge}`;
