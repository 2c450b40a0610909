/**
 * Errors over gRPC that a program can act on: google.rpc.Status with an ErrorInfo, in the trailer
 * that every gRPC library knows. grpc-js leaves this to its users.
 *
 * @see https://google.aip.dev/193
 */
import {create, fromBinary, toBinary} from '@bufbuild/protobuf';
import {type Any, anyPack, anyUnpack} from '@bufbuild/protobuf/wkt';
import * as grpc from '@grpc/grpc-js';
import {BadRequestSchema, ErrorInfoSchema, RetryInfoSchema} from './gen/error_details_pb.ts';
import {StatusSchema} from './gen/status_pb.ts';

const TRAILER = 'grpc-status-details-bin';
const DOMAIN = 'forestay';

export type RichError = {
  status: grpc.status;
  message: string;
  /** Low-cardinality, in capitals: a ForestayError's code. */
  reason: string;
  metadata: Readonly<Record<string, string>>;
  /** The request's field that is wrong, if it is one. */
  field?: string;
  /** When the same call may succeed; absent: never. */
  retryAfterSeconds?: number;
};

/** An error that grpc-js sends with its details, from handlers of every kind. */
export function richServiceError(error: RichError): grpc.ServiceError {
  const {status: code, message} = error;
  const bytes = toBinary(
    StatusSchema,
    create(StatusSchema, {code, message, details: detailsOf(error)}),
  );
  const metadata = new grpc.Metadata();
  metadata.set(TRAILER, Buffer.from(bytes));
  return Object.assign(new Error(message), {code, details: message, metadata});
}

/**
 * What the other side said: reason and metadata of a service error of ours. Undefined if it came
 * from elsewhere (a proxy, the transport) or cannot be read.
 */
export function readErrorInfo(
  error: unknown,
): {reason: string; metadata: Readonly<Record<string, string>>} | undefined {
  const trailers = (error as Partial<grpc.ServiceError> | undefined)?.metadata;
  const [bytes] = trailers instanceof grpc.Metadata ? trailers.get(TRAILER) : [];
  if (!(bytes instanceof Uint8Array)) return undefined;
  try {
    for (const detail of fromBinary(StatusSchema, bytes).details) {
      const info = anyUnpack(detail, ErrorInfoSchema);
      if (info?.domain === DOMAIN) return {reason: info.reason, metadata: info.metadata};
    }
  } catch {
    // Foreign bytes in a trailer tell us nothing; the status code and text are still there.
  }
  return undefined;
}

function detailsOf({reason, metadata, field, message, retryAfterSeconds}: RichError): Any[] {
  const info = create(ErrorInfoSchema, {reason, domain: DOMAIN, metadata: {...metadata}});
  const details = [anyPack(ErrorInfoSchema, info)];
  if (field !== undefined) {
    const fieldViolations = [{field, description: message}];
    details.push(anyPack(BadRequestSchema, create(BadRequestSchema, {fieldViolations})));
  }
  if (retryAfterSeconds !== undefined) {
    const retryDelay = {seconds: BigInt(retryAfterSeconds), nanos: 0};
    details.push(anyPack(RetryInfoSchema, create(RetryInfoSchema, {retryDelay})));
  }
  return details;
}
