import type {ErrorCode} from '../core/domain/errors.ts';
import {isForestayError} from '../core/domain/errors.ts';

export const EXIT = {
  done: 0,
  internal: 1,
  usage: 2,
  configuration: 3,
  unreachable: 4,
  notFound: 5,
  notAllowed: 6,
  conflict: 7,
  timedOut: 8,
  /** The check ran and the answer is no. */
  no: 10,
  interrupted: 130,
} as const;

const byErrorCode: Readonly<Partial<Record<ErrorCode, number>>> = {
  CONFIG_INVALID: EXIT.configuration,
  MODEL_UNREADABLE: EXIT.configuration,
  MODEL_SIGNATURE_MISMATCH: EXIT.configuration,
  MODEL_HASH_MISMATCH: EXIT.configuration,
  MODEL_UNTRUSTED: EXIT.configuration,
  SERVER_UNREACHABLE: EXIT.unreachable,
  DEPENDENCY_UNREACHABLE: EXIT.unreachable,
  AGENT_UNREACHABLE: EXIT.unreachable,
  LOG_APPEND_FAILED: EXIT.unreachable,
  NOT_FOUND: EXIT.notFound,
  BIND_REFUSED: EXIT.notAllowed,
  PORT_IN_USE: EXIT.conflict,
  DATA_DIR_LOCKED: EXIT.conflict,
  REQUEST_ID_REUSED: EXIT.conflict,
  METRIC_SET_CONFLICT: EXIT.conflict,
  TIME_BASE_CONFLICT: EXIT.conflict,
  EPOCH_SUPERSEDED: EXIT.conflict,
  STALE_EPOCH: EXIT.conflict,
  EFFECT_PRECONDITION: EXIT.conflict,
  REGISTRY_CONFLICT: EXIT.conflict,
  STORE_SCHEMA_NEWER: EXIT.conflict,
  INVALID_ARGUMENT: EXIT.usage,
  TRAINING_DATA_INVALID: EXIT.usage,
  TOKEN_EXPIRED: EXIT.usage,
  TIMED_OUT: EXIT.timedOut,
};

/** By the number of a gRPC status; for errors that carry no code of ours. */
const byGrpcStatus: Readonly<Record<number, number>> = {
  3: EXIT.usage, // INVALID_ARGUMENT
  4: EXIT.timedOut, // DEADLINE_EXCEEDED
  5: EXIT.notFound, // NOT_FOUND
  6: EXIT.conflict, // ALREADY_EXISTS
  7: EXIT.notAllowed, // PERMISSION_DENIED
  9: EXIT.conflict, // FAILED_PRECONDITION
  10: EXIT.conflict, // ABORTED
  11: EXIT.usage, // OUT_OF_RANGE
  14: EXIT.unreachable, // UNAVAILABLE
  16: EXIT.notAllowed, // UNAUTHENTICATED
};

/** What the process says to its caller about an error. */
export function exitCodeOf(error: unknown): number {
  if (isForestayError(error)) return byErrorCode[error.code] ?? EXIT.internal;
  const status = (error as {code?: unknown} | undefined)?.code;
  return typeof status === 'number' ? (byGrpcStatus[status] ?? EXIT.internal) : EXIT.internal;
}
