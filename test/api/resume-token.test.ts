import test from 'ava';
import {isForestayError} from '../../core/domain/errors.ts';
import {
  decodeResumeToken,
  encodeResumeToken,
  type JournalPlace,
} from '../../core/engine/resume-token.ts';
import fc from '../support/fast-check.ts';

const count = fc.maxSafeNat();
const place: fc.Arbitrary<JournalPlace> = fc.record({
  offset: count,
  epoch: count,
  tickNumber: fc.oneof(fc.constant(-1), fc.nat()),
  inboxOffset: fc.oneof(fc.constant(-1), fc.nat()),
});
const places = fc
  .uniqueArray(fc.tuple(fc.nat(63), place), {selector: ([partition]) => partition})
  .map(entries => new Map(entries));

test('a token gives the places that it was made of', t => {
  fc.assert(
    fc.property(places, fc.string(), (given, scope) => {
      const token = encodeResumeToken(given, scope);
      t.regex(token, /^[\w-]+$/);
      t.deepEqual(decodeResumeToken(token, scope), given);
      t.deepEqual(decodeResumeToken(token, undefined), given);
    }),
  );
});

test('a token bears one record of its log, a tick if there is one', t => {
  const at = {offset: 9, epoch: 1, inboxOffset: 0};
  const epoch = {...at, tickNumber: -1, recordCrc32: 1};
  const tick = {...at, tickNumber: 4, recordCrc32: 0xffffffff};
  const anchored = (...given: JournalPlace[]) =>
    [...decodeResumeToken(encodeResumeToken(new Map(given.entries()), ''), '').values()].map(
      ({recordCrc32}) => recordCrc32,
    );
  t.deepEqual(anchored(epoch, tick, tick), [undefined, 0xffffffff, undefined]);
  t.deepEqual(anchored(epoch), [1]);
});

test('64 busy partitions make a token of less than two kilobytes', t => {
  const busy = new Map(
    Array.from({length: 64}, (_, partition) => [
      partition,
      {offset: 40_000_000, epoch: 39_999_000, tickNumber: 10_000_000, inboxOffset: 900_000},
    ]),
  );
  t.true(encodeResumeToken(busy, 'hosts/').length < 2000);
});

test('what is no token, or not the whole of one, is refused with what to do', t => {
  const refused = (token: string) => {
    const error = t.throws(() => decodeResumeToken(token, 'hosts/'));
    t.true(isForestayError(error, 'INVALID_ARGUMENT'), token);
    t.regex(error.message, /list again/);
  };
  fc.assert(fc.property(fc.string(), refused));
  fc.assert(
    fc.property(places, fc.nat(), fc.nat(7), (given, at, bit) => {
      const bytes = Buffer.from(encodeResumeToken(given, 'hosts/'), 'base64url');
      const index = at % bytes.length;
      bytes[index] = (bytes[index] as number) ^ (1 << bit);
      refused(bytes.toString('base64url'));
      refused(bytes.subarray(0, index).toString('base64url'));
    }),
  );
  refused('A'.repeat(100_000));
});

test('a token of another watch is refused', t => {
  const token = encodeResumeToken(new Map(), 'hosts/risk > 0.5');
  const error = t.throws(() => decodeResumeToken(token, 'hosts/'));
  t.true(isForestayError(error, 'INVALID_ARGUMENT'));
  t.regex(error.message, /another filter/);
});
