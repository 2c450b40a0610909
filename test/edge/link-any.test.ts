import test from 'ava';
import {dialAny} from '../../edge/link-any.ts';
import type {Dial, LinkEvents} from '../../edge/ports.ts';

const HELLO = {edge: 'h1', cell: 'c1', incarnation: 1};

/** Cores that note who was dialled and what they were sent; `end` ends the newest stream. */
function createCores(count: number) {
  const calls: string[] = [];
  let newest: LinkEvents | undefined;
  const dials = Array.from(
    {length: count},
    (_, core): Dial =>
      (_hello, events) => {
        calls.push(`dial ${core}`);
        newest = events;
        return {
          send: bytes => {
            calls.push(`send ${core}`);
            return bytes.length > 0;
          },
          close: () => void calls.push(`close ${core}`),
        };
      },
  );
  return {calls, dials, end: (error?: Error) => newest?.closed(error)};
}

function watcher() {
  const heard: string[] = [];
  const events: LinkEvents = {
    acked: (incarnation, seq) => void heard.push(`acked ${incarnation}/${seq}`),
    refused: () => {},
    throttled: () => {},
    writable: () => {},
    closed: error => void heard.push(`closed ${error?.message}`),
  };
  return {heard, events};
}

test('after a stream has ended the next core is dialled, and the first again after the last', t => {
  const {calls, dials, end} = createCores(2);
  const {heard, events} = watcher();
  const dial = dialAny(dials, 3);
  for (let count = 0; count < 3; count++) {
    dial(HELLO, events);
    end(new Error('gone'));
  }
  t.deepEqual(calls, ['dial 1', 'dial 0', 'dial 1']);
  t.deepEqual(heard, ['closed gone', 'closed gone', 'closed gone']);
});

test('a stream that the edge gives up counts as ended, and only once', t => {
  const {calls, dials, end} = createCores(3);
  const {events} = watcher();
  const dial = dialAny(dials);
  const link = dial(HELLO, events);
  t.true(link.send(new Uint8Array(1)));
  end();
  link.close();
  dial(HELLO, events).close();
  dial(HELLO, events);
  t.deepEqual(calls, ['dial 0', 'send 0', 'close 0', 'dial 1', 'close 1', 'dial 2']);
});

test('one core is dialled again and again', t => {
  const {calls, dials, end} = createCores(1);
  const {events} = watcher();
  const dial = dialAny(dials, 5);
  dial(HELLO, events);
  end();
  dial(HELLO, events);
  t.deepEqual(calls, ['dial 0', 'dial 0']);
});
