import {EventEmitter} from 'node:events';
import type * as grpc from '@grpc/grpc-js';
import test, {type ExecutionContext} from 'ava';
import {streamChanges, type WatchEvent} from '../../core/api/watch.ts';
import {createReadModel, type HostRow} from '../../core/engine/read-model.ts';
import {applyScores, applyTick} from '../../core/engine/read-model-fold.ts';
import type {Clock} from '../../core/ports.ts';
import fc from '../support/fast-check.ts';
import {aHost, aScore, aTick, aVm, START_MS} from './records.ts';

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

/** What a reader that keeps a map of hosts has in it after these events. */
function keep(kept: Map<string, number>, taken: readonly WatchEvent<HostRow>[]): string {
  let token = '';
  for (const event of taken) {
    if (event.kind === 'removed') kept.delete(event.name);
    else if (event.kind === 'bookmark') {
      token = event.resumeToken;
    } else kept.set(event.item.name, event.item.risk);
  }
  return token;
}

const tickOf = (number: number, hosts: readonly string[]) =>
  aTick(number, {inventory: hosts.map(host => aHost(host))});

test('resumed at another core, a watch begins with what has changed since its token', async t => {
  const [here, there] = [watchHosts(t), watchHosts(t)];
  void here.start();
  await settle();
  const token = keep(new Map(), here.call.taken);
  for (const {model} of [here, there]) applyTick(model, 0, tickOf(2, ['h2', 'h3']));
  void there.start(token);
  await settle();
  await settle();
  t.deepEqual(there.told(), [
    ['initial', 'hosts/h2'],
    ['initial', 'hosts/h3'],
    ['bookmark', ''],
  ]);
  t.like(there.call.taken.at(-1), {complete: false});
});

test('a resumed watch says once what does not match any more', async t => {
  const {model, call, start, told, pass} = watchHosts(t);
  applyScores(model, 0, aScore(START_MS + 1000, ['h1', 'h2'], [0.9, 0.9]));
  void start('', 'risky');
  await settle();
  await settle();
  const token = keep(new Map(), call.taken);
  const before = call.taken.length;
  call.emit('cancelled');
  applyScores(model, 0, aScore(START_MS + 2000, ['h1'], [0.1]));
  void start(token, 'risky');
  await settle();
  await settle();
  applyScores(model, 0, aScore(START_MS + 3000, ['h1'], [0.2]));
  pass();
  await settle();
  // What was scored since is sent again, too: scores have no place in the journal.
  t.deepEqual(told().slice(before), [
    ['removed', ''],
    ['initial', 'hosts/h2'],
    ['bookmark', ''],
  ]);
});

test('a token of another filter, or of nothing, ends the watch with the reason', async t => {
  const {call, start} = watchHosts(t);
  const reasons: string[] = [];
  call.on('error', error => reasons.push((error as Error).message));
  await start('nonsense');
  t.regex(reasons.join(), /not one that a core gave/);
});

test('whenever a reader goes and comes back, here or at another core, it has every last state', async t => {
  const step = fc.record({
    partition: fc.constantFrom(0, 1),
    host: fc.constantFrom('a', 'b', 'c', 'd'),
    what: fc.constantFrom('tick', 'score', 'reconnect', 'elsewhere'),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, {maxLength: 30}), async steps => {
      const cores = [watchHosts(t), watchHosts(t)];
      const kept = new Map<string, number>();
      let [at, token, number] = [0, '', 1];
      const offsets = new Map([[0, 1]]);
      const connect = async () => {
        const core = cores[at] as (typeof cores)[number];
        core.call.taken.length = 0;
        void core.start(token);
        await settle();
      };
      const leave = async () => {
        const core = cores[at] as (typeof cores)[number];
        await settle();
        await settle();
        token = keep(kept, core.call.taken) || token;
        core.call.emit('cancelled');
        await settle();
      };
      await connect();
      for (const {partition, host, what} of steps) {
        number++;
        if (what === 'tick') {
          const next = (offsets.get(partition) ?? 0) + 1;
          offsets.set(partition, next);
          const tick = tickOf(number, [`${host}${partition}`]);
          for (const {model} of cores) applyTick(model, partition, tick, next);
        } else if (what === 'score') {
          const score = aScore(START_MS + number * 1000, [`${host}${partition}`], [number / 100]);
          for (const {model} of cores) applyScores(model, partition, score);
        } else {
          await leave();
          if (what === 'elsewhere') at = 1 - at;
          await connect();
        }
      }
      await leave();
      await connect();
      await leave();
      const rows = (cores[at] as (typeof cores)[number]).model.hosts;
      t.deepEqual([...kept.keys()].sort(), [...rows.keys()].sort());
      for (const [name, risk] of kept) {
        const shown = rows.get(name)?.risk as number;
        t.true(Object.is(risk, shown) || Math.abs(risk - shown) < 0.011, `${name}: ${risk}`);
      }
    }),
    {numRuns: 40},
  );
});

test('what was forgotten is named while it is remembered; after that all is sent anew', t => {
  const model = createReadModel({gone: 2});
  const vmTick = (number: number, vms: readonly string[]) =>
    aTick(number, {
      inventory: [
        aHost(
          'h1',
          vms.map(name => aVm(name)),
        ),
      ],
    });
  applyTick(model, 0, vmTick(1, ['v1', 'v2', 'v3']));
  applyTick(model, 0, vmTick(2, []));
  applyTick(model, 0, aTick(700));
  t.is(model.vms.size, 0);
  t.deepEqual(
    [...model.gone.newestFirst()].map(({name, shownFrom}) => [name, shownFrom]),
    [
      ['vms/v3', 3],
      ['vms/v2', 3],
    ],
  );
  t.is(model.goneFrom.get(0), 3);
});
