import {ForestayError} from '../domain/errors.ts';
import type {Hello} from './ingest-checks.ts';
import type {Sequence, Span} from './ingest-sequence.ts';

export function helloMissing(): ForestayError {
  return new ForestayError(
    'HELLO_MISSING',
    'the first request of a stream must be a hello with edge, cell and incarnation',
  );
}

export function secondHello({edge, cell}: Hello): ForestayError {
  return new ForestayError(
    'EDGE_MISMATCH',
    `the stream has said hello as edge ${edge} in cell ${cell} already; open another stream`,
    {details: {edge, cell}},
  );
}

/** The same edge again: a reconnect, or two collectors under one name. */
export function superseded({edge, cell}: Hello): ForestayError {
  return new ForestayError(
    'EDGE_MISMATCH',
    `edge ${edge} of cell ${cell} opened another stream, which takes the place of this one; if it ` +
      'was not a reconnect, two collectors have the same name: give each its own',
    {retryable: true, details: {edge, cell}},
  );
}

/**
 * Everything of an older life is a repeat (marks.ts M3): acked, and left out for ever. It may be
 * right later, when the other one has gone and the clock is right.
 */
export function olderLife({edge, cell, incarnation}: Hello, newest: number): ForestayError {
  return new ForestayError(
    'EDGE_MISMATCH',
    `edge ${edge} of cell ${cell} says hello in its life ${incarnation}, but the log has batches of ` +
      `its life ${newest}, so that nothing of this one would count. Either a second collector has ` +
      'this name: give each its own; or the spool was lost and the clock set back: set it right, ' +
      'or give the edge another name, and start it with an empty spool. Nothing was taken',
    {details: {edge, cell, incarnation, newest}},
  );
}

/** What arrived is not what had to come: the edge sends again from its last ack. */
export function orderError(
  verdict: 'gapped' | 'out-of-order',
  span: Span,
  sequence: Sequence,
  {edge, cell}: Hello,
): ForestayError {
  const expected = sequence.expected() ?? {incarnation: 0, seq: 0};
  const {incarnation, fromSeq: seq} = span;
  return new ForestayError(
    verdict === 'gapped' ? 'BATCH_GAP' : 'BATCH_OUT_OF_ORDER',
    `edge ${edge} of cell ${cell}: expected batch ${expected.seq} of incarnation ` +
      `${expected.incarnation}, got batch ${seq} of incarnation ${incarnation}; open a new stream ` +
      'and send everything after the last ack again, or a gap for what is lost',
    {
      retryable: true,
      details: {
        edge,
        cell,
        expectedIncarnation: expected.incarnation,
        expectedSeq: expected.seq,
        incarnation,
        seq,
      },
    },
  );
}

export function batchTooLarge(bytes: number, bytesMax: number): ForestayError {
  return new ForestayError(
    'BATCH_TOO_LARGE',
    `batch of ${bytes} bytes is larger than ${bytesMax}; send fewer rows in a batch`,
    {details: {bytes, bytesMax}},
  );
}

export function ingestClosing(): ForestayError {
  return new ForestayError('LOG_CLOSED', 'the core is stopping; open a stream to another core', {
    retryable: true,
  });
}
