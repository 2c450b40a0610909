import * as grpc from '@grpc/grpc-js';
import {richServiceError} from '../../proto/rich-errors.ts';
import {type ErrorCode, isForestayError} from '../domain/errors.ts';

const {status} = grpc;
const RETRY_AFTER_SECONDS = 1;

/** What each code is to a gRPC client. */
const statusOf: Readonly<Record<ErrorCode, grpc.status>> = {
  CONFIG_INVALID: status.INVALID_ARGUMENT,
  PORT_IN_USE: status.FAILED_PRECONDITION,
  BIND_REFUSED: status.FAILED_PRECONDITION,
  DATA_DIR_LOCKED: status.FAILED_PRECONDITION,
  DEPENDENCY_UNREACHABLE: status.UNAVAILABLE,
  BATCH_MALFORMED: status.INVALID_ARGUMENT,
  BATCH_TOO_LARGE: status.RESOURCE_EXHAUSTED,
  BATCH_OUT_OF_ORDER: status.FAILED_PRECONDITION,
  BATCH_GAP: status.FAILED_PRECONDITION,
  HELLO_MISSING: status.FAILED_PRECONDITION,
  EDGE_MISMATCH: status.FAILED_PRECONDITION,
  METRIC_SET_UNKNOWN: status.FAILED_PRECONDITION,
  METRIC_SET_CONFLICT: status.ALREADY_EXISTS,
  TIME_BASE_CONFLICT: status.FAILED_PRECONDITION,
  ENTITY_LIMIT_REACHED: status.RESOURCE_EXHAUSTED,
  LOG_APPEND_FAILED: status.UNAVAILABLE,
  LOG_CORRUPT: status.DATA_LOSS,
  LOG_CLOSED: status.UNAVAILABLE,
  EPOCH_SUPERSEDED: status.ABORTED,
  CHECKPOINT_INVALID: status.DATA_LOSS,
  RECORD_MALFORMED: status.DATA_LOSS,
  STORE_WRITE_FAILED: status.UNAVAILABLE,
  STORE_SCHEMA_NEWER: status.FAILED_PRECONDITION,
  MODEL_SIGNATURE_MISMATCH: status.FAILED_PRECONDITION,
  MODEL_HASH_MISMATCH: status.FAILED_PRECONDITION,
  MODEL_UNREADABLE: status.FAILED_PRECONDITION,
  MODEL_UNTRUSTED: status.FAILED_PRECONDITION,
  REGISTRY_CONFLICT: status.ABORTED,
  SCORER_SATURATED: status.RESOURCE_EXHAUSTED,
  SCORER_FAILED: status.INTERNAL,
  TRAINING_DATA_INVALID: status.INVALID_ARGUMENT,
  STALE_EPOCH: status.FAILED_PRECONDITION,
  EFFECT_UNSUPPORTED: status.UNIMPLEMENTED,
  EFFECT_PRECONDITION: status.FAILED_PRECONDITION,
  EFFECT_FAILED: status.INTERNAL,
  AGENT_UNREACHABLE: status.UNAVAILABLE,
  ACTOR_QUARANTINED: status.FAILED_PRECONDITION,
  NOT_FOUND: status.NOT_FOUND,
  INVALID_ARGUMENT: status.INVALID_ARGUMENT,
  REQUEST_ID_REUSED: status.ALREADY_EXISTS,
  TOKEN_EXPIRED: status.OUT_OF_RANGE,
  SERVER_UNREACHABLE: status.UNAVAILABLE,
  TIMED_OUT: status.DEADLINE_EXCEEDED,
  SENSOR_FAILED: status.INTERNAL,
};

/**
 * The error as gRPC sends it: status, message, and google.rpc details whose reason is our code.
 * Give it to a unary handler's callback, or `call.emit('error', …)` on a stream: what was written
 * before is sent first. (`call.destroy(…)` sends no status.)
 *
 * What is not a {@link ForestayError} is a mistake of ours: its text stays inside.
 */
export function toServiceError(error: unknown): grpc.ServiceError {
  if (!isForestayError(error)) {
    const message = 'internal error; the log of the core says more';
    return richServiceError({status: status.INTERNAL, message, reason: 'INTERNAL', metadata: {}});
  }
  const {code, message, details, retryable} = error;
  const metadata = Object.fromEntries(
    Object.entries(details).map(([name, value]) => [name, String(value)]),
  );
  return richServiceError({
    status: statusOf[code],
    message,
    reason: code,
    metadata,
    ...(typeof details.field === 'string' ? {field: details.field} : {}),
    ...(retryable ? {retryAfterSeconds: RETRY_AFTER_SECONDS} : {}),
  });
}
