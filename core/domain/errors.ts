/** Every error code of Forestay, by area. A code is the metric tag and the gRPC reason. */
export const errorCodes = [
  // Configuration and start
  'CONFIG_INVALID',
  'PORT_IN_USE',
  'BIND_REFUSED',
  'DATA_DIR_LOCKED',
  'DEPENDENCY_UNREACHABLE',
  // Telemetry
  'BATCH_MALFORMED',
  'BATCH_TOO_LARGE',
  'BATCH_OUT_OF_ORDER',
  'BATCH_GAP',
  'HELLO_MISSING',
  'EDGE_MISMATCH',
  'METRIC_SET_UNKNOWN',
  'METRIC_SET_CONFLICT',
  'TIME_BASE_CONFLICT',
  'ENTITY_LIMIT_REACHED',
  // Log, checkpoints and stores
  'LOG_APPEND_FAILED',
  'LOG_CORRUPT',
  'LOG_CLOSED',
  'EPOCH_SUPERSEDED',
  'CHECKPOINT_INVALID',
  'RECORD_MALFORMED',
  'STORE_WRITE_FAILED',
  'STORE_SCHEMA_NEWER',
  // Models
  'MODEL_SIGNATURE_MISMATCH',
  'MODEL_HASH_MISMATCH',
  'MODEL_UNREADABLE',
  'MODEL_UNTRUSTED',
  'REGISTRY_CONFLICT',
  'SCORER_SATURATED',
  'SCORER_FAILED',
  'TRAINING_DATA_INVALID',
  // Acting
  'STALE_EPOCH',
  'EFFECT_UNSUPPORTED',
  'EFFECT_PRECONDITION',
  'EFFECT_FAILED',
  'AGENT_UNREACHABLE',
  // Actors
  'ACTOR_QUARANTINED',
  // API and CLI
  'NOT_FOUND',
  'INVALID_ARGUMENT',
  'REQUEST_ID_REUSED',
  'TOKEN_EXPIRED',
  'SERVER_UNREACHABLE',
  'TIMED_OUT',
  // Edge
  'SENSOR_FAILED',
] as const;

export type ErrorCode = (typeof errorCodes)[number];

/** The code that a text from elsewhere is, or undefined. */
export function toErrorCode(text: string | undefined): ErrorCode | undefined {
  return errorCodes.find(code => code === text);
}

/** Numbers and names that the message was made of. */
export type ErrorDetails = Readonly<Record<string, string | number | boolean>>;

/**
 * An operating error: something outside the program is not as it must be.
 *
 * The message says operation, subject, numbers against limits and what to do; the cause keeps its
 * own text. `retryable` is the first property a caller looks at: false means that the same call
 * will fail again. Programmer errors are assertions and end the process.
 */
export class ForestayError extends Error {
  readonly code: ErrorCode;
  readonly retryable: boolean;
  readonly details: ErrorDetails;

  constructor(
    code: ErrorCode,
    message: string,
    options: {retryable?: boolean; details?: ErrorDetails; cause?: unknown} = {},
  ) {
    super(message, options.cause === undefined ? undefined : {cause: options.cause});
    this.name = 'ForestayError';
    this.code = code;
    this.retryable = options.retryable ?? false;
    this.details = options.details ?? {};
  }
}

/** Says whether `error` is a {@link ForestayError}, of this code if one is given. */
export function isForestayError(error: unknown, code?: ErrorCode): error is ForestayError {
  return error instanceof ForestayError && (code === undefined || error.code === code);
}

/** Says whether the operating system failed a call (`ENOSPC`, `EIO`, …), as Node reports it. */
export function isSystemError(error: unknown): error is Error & {code: string} {
  return error instanceof Error && 'code' in error && /^E(?!RR_)[A-Z0-9]+$/.test(`${error.code}`);
}

/** Says whether a disk had no room for what was to be written, or a quota was used up. */
export function isDiskFull(error: unknown): boolean {
  return isSystemError(error) && (error.code === 'ENOSPC' || error.code === 'EDQUOT');
}

/**
 * Says whether the program itself is wrong: nothing outside makes an assertion, a type or a name
 * fail. Such an error is never retried, counted or told as if a service had failed.
 */
export function isDefect(error: unknown): boolean {
  if (isSystemError(error) || !(error instanceof Error) || error.cause !== undefined) return false;
  return (
    error instanceof TypeError ||
    error instanceof ReferenceError ||
    error instanceof RangeError ||
    error.name === 'AssertionError'
  );
}

/** Of gRPC's, what it found out when it looked a name up; mostly nothing. */
function textOf({message}: Error): string {
  return message.replace(/\.? Resolution note: *$/, '');
}

/** One line an error of the cause chain, outermost first: `[CODE] message`, then `caused by …`. */
export function formatError(error: unknown): string {
  const lines: string[] = [];
  let current: unknown = error;
  for (let depth = 0; current !== undefined && depth < 8; depth++) {
    const prefix = depth === 0 ? '' : '  caused by ';
    if (current instanceof ForestayError)
      lines.push(`${prefix}[${current.code}] ${textOf(current)}`);
    else if (current instanceof Error) lines.push(`${prefix}${current.name}: ${textOf(current)}`);
    else lines.push(`${prefix}${String(current)}`);
    current = current instanceof Error ? current.cause : undefined;
  }
  return lines.join('\n');
}
