import {EventEmitter} from 'node:events';
import type * as grpc from '@grpc/grpc-js';
import test, {type ExecutionContext} from 'ava';
import {streamChanges, type WatchEvent} from '../../core/api/watch.ts';
import {createReadModel, type HostRow} from '../../core/engine/read-model.ts';
import {applyScores, applyTick} from '../../core/engine/read-model-fold.ts';
import type {Clock} from '../../core/ports.ts';
import {aHost, aScore, aTick, START_MS} from './records.ts';

/** A reader that takes what it is given only when the test lets it. */
class SlowCall extends EventEmitter {
  readonly taken: WatchEvent<HostRow>[] = [];
  readonly request = {};
  open = true;

  write(event: WatchEvent<HostRow>): boolean {
    this.taken.push(event);
    return this.open;
  }

  end(): void {
    this.emit('finish');
  }
}

/** Time that passes only when the test says so. */
function manualClock() {
  let wake: (() => void) | undefined;
  const clock: Clock = {
    nowMs: () => START_MS,
    monotonicMs: () => START_MS,
    sleep: (_ms, signal) =>
      new Promise(resolve => {
        wake = resolve;
        signal?.addEventListener('abort', () => resolve());
      }),
  };
  return {clock, pass: () => wake?.()};
}

const settle = () => new Promise(resolve => setImmediate(resolve));

function watchHosts(t: ExecutionContext) {
  const model = createReadModel();
  applyTick(model, 0, aTick(1, {inventory: [aHost('h1'), aHost('h2')]}));
  const call = new SlowCall();
  const {clock, pass} = manualClock();
  const closing = new AbortController();
  t.teardown(() => call.emit('cancelled'));
  const source = {
    model,
    clock,
    prefix: 'hosts/',
    items: model.hosts,
    closing: closing.signal,
  } as const;
  const stream = call as unknown as grpc.ServerWritableStream<unknown, WatchEvent<HostRow>>;
  const start = (resumeToken = '', filter = '') =>
    streamChanges(
      stream,
      source,
      {filter, resumeToken, parse: () => host => filter === '' || host.risk > 0.4},
      event => event,
    );
  const told = () => call.taken.map(event => [event.kind, 'item' in event ? event.item.name : '']);
  return {model, call, pass, start, told};
}

test('a quiet watch sends bookmarks', async t => {
  const {start, told, pass, call} = watchHosts(t);
  void start();
  await settle();
  pass();
  await settle();
  pass();
  await settle();
  t.deepEqual(told().slice(2), [
    ['bookmark', ''],
    ['bookmark', ''],
    ['bookmark', ''],
  ]);
  t.like(call.taken[2], {atMs: START_MS, complete: true});
  t.like(call.taken[3], {complete: false});
});

test('for a reader that is behind, the changes of a host become one, and the last one is there', async t => {
  const {model, call, start, told} = watchHosts(t);
  call.open = false;
  void start();
  await settle();
  t.deepEqual(told(), [['initial', 'hosts/h1']]);
  for (let step = 1; step <= 9; step++) {
    applyScores(model, 0, aScore(START_MS + step * 1000, ['h1', 'h2'], [step / 10, step / 10]));
  }
  call.open = true;
  call.emit('drain');
  await settle();
  await settle();
  t.deepEqual(told(), [
    ['initial', 'hosts/h1'],
    ['initial', 'hosts/h2'],
    ['bookmark', ''],
    ['changed', 'hosts/h1'],
    ['changed', 'hosts/h2'],
  ]);
  const last = call.taken.at(-1) as {item: HostRow};
  t.true(Math.abs(last.item.risk - 0.9) < 1e-6);
});

test('a risk that hardly moves wakes nobody', async t => {
  const {model, call, start} = watchHosts(t);
  void start();
  await settle();
  applyScores(model, 0, aScore(START_MS + 1000, ['h1'], [0.5]));
  await settle();
  const before = call.taken.length;
  applyScores(model, 0, aScore(START_MS + 2000, ['h1'], [0.505]));
  await settle();
  t.is(call.taken.length, before);
  t.true((model.hosts.get('hosts/h1')?.risk ?? 0) > 0.504);
});

test('a reader that leaves while it is behind is let go', async t => {
  const {model, call, start} = watchHosts(t);
  call.open = false;
  const done = start();
  await settle();
  call.emit('cancelled');
  await done;
  t.is(model.watchers.size, 0);
});
