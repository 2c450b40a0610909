import assert from 'node:assert/strict';
import test from 'ava';
import {formatAddress, isLoopback, parseAddress} from '../../core/domain/address.ts';
import fc from '../support/fast-check.ts';

test('an address is taken apart and put together again', t => {
  for (const [text, host, port] of [
    ['127.0.0.1:7070', '127.0.0.1', 7070],
    ['core.example:0', 'core.example', 0],
    ['[::1]:65535', '::1', 65_535],
  ] as const) {
    t.deepEqual(parseAddress(text), {host, port});
    t.is(formatAddress({host, port}), text);
  }
  const host = fc.oneof(fc.ipV4(), fc.ipV6(), fc.domain());
  fc.assert(
    fc.property(host, fc.integer({min: 0, max: 65_535}), (name, port) => {
      assert.deepEqual(parseAddress(formatAddress({host: name, port})), {host: name, port});
    }),
  );
});

test('what is no HOST:PORT is refused', t => {
  for (const text of [
    '',
    'host',
    ':80',
    'host:',
    'host:65536',
    'host:x',
    '::1:80',
    'a b:1',
    'h:-1',
  ]) {
    t.is(parseAddress(text), undefined, text);
  }
});

test('only this machine’s own addresses are loopback', t => {
  for (const host of ['localhost', '::1', '127.0.0.1', '127.3.2.1']) t.true(isLoopback(host), host);
  for (const host of ['0.0.0.0', '::', '128.0.0.1', '127.0.0.1.example', '']) {
    t.false(isLoopback(host), host);
  }
});
