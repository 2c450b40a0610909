import test from 'ava';
import {createMemoryFiles} from '../../core/adapters/files-memory.ts';
import {seededRandom} from '../../core/adapters/random-seeded.ts';
import type {IssuedEffect} from '../../core/domain/effects.ts';
import type {Files} from '../../core/ports.ts';
import {openActJournal} from '../../core/simulation/act-journal.ts';
import {createDatacenter} from '../../core/simulation/datacenter.ts';
import {LastingDatacenter} from '../../core/simulation/lasting-datacenter.ts';
import {START_MS} from '../support/fleet-harness.ts';

const PATH = '/dc/acts';
const SEED = 7;

function open(files: Files, seed = SEED): LastingDatacenter {
  const shape = {hosts: 4, vms: 12, cells: 1};
  files.makeDirectory('/dc');
  const journal = openActJournal(files, PATH, {seed, ...shape});
  const random = seededRandom(seed);
  const world = {...shape, random, startMs: START_MS, durationMs: 3_600_000, rateFactor: 10};
  return new LastingDatacenter(createDatacenter(world), journal);
}

function move(lasting: LastingDatacenter, id: string): IssuedEffect {
  const vm = lasting.datacenter.vms.find(one => one.pinnedReason === '');
  const target = lasting.datacenter.hosts.find(host => host !== vm?.host);
  return {
    id,
    kind: 'start-migration',
    host: vm?.host.name ?? '',
    vm: vm?.name ?? '',
    targetHost: target?.name ?? '',
    weightPercent: 0,
    deadlineMs: START_MS + 3_600_000,
    agent: vm?.host.name ?? '',
    address: '',
  };
}

/** Everything that anybody can see of it. */
function seen({datacenter}: LastingDatacenter): unknown {
  return {
    nowMs: datacenter.nowMs,
    vms: datacenter.vms.map(({name, host, state}) => [name, host.name, state]),
    hosts: datacenter.hosts.map(({name, state, values}) => [name, state, [...values]]),
    ledger: datacenter.ledger.summary(datacenter.nowMs),
  };
}

const seconds = (count: number): number => START_MS + count * 1000;

test('a datacenter whose process died goes on as if it had not, half-way copies too', async t => {
  const files = createMemoryFiles();
  const dying = open(files);
  dying.step(seconds(30));
  const effect = move(dying, '1/1/1/0');
  t.is((await dying.start(effect)).status, 'running');
  dying.step(seconds(32));
  const {progress} = dying.progress(effect.id);
  t.true(progress > 0 && progress < 1, `${progress}`);

  const back = open(files);
  t.deepEqual(seen(back), seen(dying));
  t.is(back.progress(effect.id).progress, progress);
  for (const world of [dying, back]) world.step(seconds(600));
  t.deepEqual(seen(back), seen(dying));
  t.is(back.progress(effect.id).status, 'done');
});

test('what was cancelled, and VMs that were stopped, stay so', async t => {
  const files = createMemoryFiles();
  const dying = open(files);
  dying.step(seconds(5));
  const effect = move(dying, '1/1/1/0');
  await dying.start(effect);
  dying.step(seconds(7));
  t.is((await dying.cancel(effect.id)).status, 'cancelled');
  await dying.stopVms(effect.targetHost);
  dying.close();
  const back = open(files);
  t.is(back.progress(effect.id).status, 'cancelled');
  t.deepEqual(seen(back), seen(dying));
  t.deepEqual(back.capabilities(), dying.capabilities());
});

test('a last line that was not finished never happened', t => {
  const files = createMemoryFiles();
  open(files).step(seconds(10));
  const file = files.openAppend(PATH);
  file.write([Buffer.from('{"kind":"time","atM')]);
  t.is(open(files).datacenter.nowMs, seconds(10));
  open(files).step(seconds(11));
  t.is(open(files).datacenter.nowMs, seconds(11));
});

test('the acts of another datacenter are refused, and a damaged line is named', t => {
  const files = createMemoryFiles();
  open(files);
  t.throws(() => open(files, SEED + 1), {code: 'CONFIG_INVALID', message: /"seed":8/});
  files.openAppend(PATH).write([Buffer.from('null\n')]);
  t.throws(() => open(files), {code: 'LOG_CORRUPT', message: /line 2/});
  files.replace(
    PATH,
    Buffer.from(`${Buffer.from(files.read(PATH)).toString().split('\n')[0]}\n{"\n`),
  );
  t.throws(() => open(files), {code: 'LOG_CORRUPT', message: /line 2/});
});
