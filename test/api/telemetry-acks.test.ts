import {create, fromBinary, toBinary} from '@bufbuild/protobuf';
import test from 'ava';
import {encodeAck} from '../../core/api/telemetry-replies.ts';
import {IngestResponseSchema} from '../../proto/gen/forestay/v1/telemetry_pb.ts';
import fc from '../support/fast-check.ts';

test('an ack has the bytes that the generated encoder gives', t => {
  fc.assert(
    fc.property(fc.nat(0xffff_ffff), fc.maxSafeNat(), (incarnation, seq) => {
      const value = {incarnation, seq: BigInt(seq)};
      const message = create(IngestResponseSchema, {response: {case: 'ack', value}});
      const bytes = encodeAck(incarnation, seq);
      t.deepEqual(fromBinary(IngestResponseSchema, bytes), message);
      t.deepEqual([...bytes], [...toBinary(IngestResponseSchema, message)]);
    }),
  );
});
