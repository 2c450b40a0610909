import {fromBinary} from '@bufbuild/protobuf';
import {anyIs, anyUnpack} from '@bufbuild/protobuf/wkt';
import * as grpc from '@grpc/grpc-js';
import test from 'ava';
import {toServiceError} from '../../core/api/errors.ts';
import {errorCodes, ForestayError} from '../../core/domain/errors.ts';
import {BadRequestSchema, RetryInfoSchema} from '../../proto/gen/error_details_pb.ts';
import {StatusSchema} from '../../proto/gen/status_pb.ts';
import {readErrorInfo} from '../../proto/rich-errors.ts';

const TRAILER = 'grpc-status-details-bin';

function detailsOf(error: grpc.ServiceError) {
  return fromBinary(StatusSchema, error.metadata.get(TRAILER)[0] as Buffer).details;
}

test('every code travels as the reason of an error that is not OK', t => {
  for (const code of errorCodes) {
    const error = toServiceError(new ForestayError(code, 'text'));
    t.not(error.code, grpc.status.OK);
    t.is(error.details, 'text');
    t.is(readErrorInfo(error)?.reason, code);
  }
});

test('details travel as text', t => {
  const details = {expectedSeq: 2, edge: 'h01', first: true};
  const error = toServiceError(new ForestayError('BATCH_GAP', 'text', {details}));
  t.deepEqual(readErrorInfo(error)?.metadata, {expectedSeq: '2', edge: 'h01', first: 'true'});
});

test('a wrong field is named for programs', t => {
  const options = {details: {field: 'entity_kind'}};
  const error = toServiceError(new ForestayError('INVALID_ARGUMENT', 'no such kind', options));
  const [, detail] = detailsOf(error);
  const violations = detail && anyUnpack(detail, BadRequestSchema)?.fieldViolations;
  t.like(violations?.[0], {field: 'entity_kind', description: 'no such kind'});
});

test('only an error that may pass says when to try again', t => {
  const retries = [true, false].map(retryable => {
    const error = toServiceError(new ForestayError('LOG_APPEND_FAILED', 'text', {retryable}));
    return detailsOf(error).some(detail => anyIs(detail, RetryInfoSchema));
  });
  t.deepEqual(retries, [true, false]);
});

test('a mistake of ours keeps its text to itself', t => {
  const error = toServiceError(new TypeError('secret of /home/me'));
  t.is(error.code, grpc.status.INTERNAL);
  t.false(error.details.includes('secret'));
  t.is(readErrorInfo(error)?.reason, 'INTERNAL');
});

test('what is no error of ours has no info', t => {
  const metadata = new grpc.Metadata();
  metadata.set(TRAILER, Buffer.from('no status at all'));
  t.is(readErrorInfo({metadata}), undefined);
  t.is(readErrorInfo({metadata: new grpc.Metadata()}), undefined);
  t.is(readErrorInfo(new Error('plain')), undefined);
  t.is(readErrorInfo(undefined), undefined);
});
