import test from 'ava';
import {bindFailure, checkBind} from '../../core/domain/bind.ts';

test('an address of this machine may be bound', t => {
  t.deepEqual(checkBind('gRPC', '127.0.0.1:0', false), {host: '127.0.0.1', port: 0});
  t.notThrows(() => checkBind('gRPC', 'localhost:7443', false));
});

test('what is no address is a matter of configuration', t => {
  for (const listen of ['', 'localhost', '127.0.0.1', ':', '127.0.0.1:99999']) {
    const error = t.throws(() => checkBind('HTTP', listen, true), {code: 'CONFIG_INVALID'}, listen);
    t.regex(error?.message ?? '', /cannot bind HTTP .*HOST:PORT/);
  }
});

test('an address that others reach is refused, unless insecure is typed', t => {
  for (const listen of ['0.0.0.0:7443', '192.0.2.1:7443']) {
    t.throws(() => checkBind('gRPC', listen, false), {code: 'BIND_REFUSED', message: /--insecure/});
    t.is(checkBind('gRPC', listen, true).port, 7443);
  }
});

test('a failed bind says whose fault it is and what to do', t => {
  const cause = new Error('listen EADDRINUSE: address already in use');
  const inUse = bindFailure('HTTP', '127.0.0.1:80', cause);
  t.is(inUse.code, 'PORT_IN_USE');
  t.is(inUse.cause, cause);
  t.regex(inUse.message, /another program has the port/);
  t.is(bindFailure('HTTP', '127.0.0.1:80', new Error('EACCES')).code, 'BIND_REFUSED');
});
