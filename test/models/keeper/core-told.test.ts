import test from 'ava';
import {canaryFor} from '../../../core/domain/model-use.ts';
import type {ObservedRows} from '../../../core/domain/observed.ts';
import {CoreTold} from '../../../models/keeper/core-told.ts';
import type {Aliases} from '../../../models/registry/aliases.ts';
import {aliasesAfter, NEW, OLD} from './keeper-fixtures.ts';

const NAMES = Array.from({length: 40}, (_, at) => `h${at}`);

function rowsBy(modelOf: (name: string) => string): ObservedRows {
  return {
    ...{partition: 1, atMs: 5, featureHash: 1, featureCount: 0, outputs: []},
    ...{features: new Float32Array(), risks: new Float32Array()},
    hosts: NAMES.map(name => ({
      ...{name, cell: 'c', hardware: 'm', bootAtMs: 0},
      modelHash: modelOf(name),
    })),
  };
}

function tell(aliases: Aliases) {
  const world = {
    aliases,
    served: (_name: string) => OLD,
    isDown: false,
    heard: [] as string[],
    lines: [] as string[],
  };
  const told = new CoreTold({
    aliases: () => world.aliases,
    async switchModel({modelHash, percent}) {
      if (world.isDown) throw new Error('no log');
      world.heard.push(`${modelHash[0]} ${percent}`);
    },
    tell: line => world.lines.push(line),
  });
  const look = async (times = 1) => {
    for (let at = 0; at < times; at++) {
      told.observe(rowsBy(world.served), world.aliases);
      await told.settle();
    }
  };
  return Object.assign(world, {told, look});
}

const promote = {kind: 'promote', hash: NEW} as const;

test('a command that did not get through is not given again once people have gone back', async t => {
  const world = tell(aliasesAfter(promote));
  world.isDown = true;
  await world.told.tell();
  t.regex(world.lines[0] ?? '', /the core was not told yet/);
  world.isDown = false;
  world.aliases = aliasesAfter(promote, {kind: 'rollback'});
  await world.look(30);
  t.deepEqual(world.heard, []);
});

test('a command that did not get through is given again, and once it is heard no more', async t => {
  const world = tell(aliasesAfter(promote));
  world.isDown = true;
  await world.told.tell();
  await world.look(3);
  world.isDown = false;
  await world.look(4);
  t.deepEqual(world.heard, ['b 100']);
  world.served = () => NEW;
  await world.look(30);
  t.deepEqual(world.heard, ['b 100']);
});

test('a change that nobody told the core of is told after a look of grace', async t => {
  const world = tell(aliasesAfter(promote));
  await world.look();
  t.deepEqual(world.heard, []);
  await world.look();
  t.deepEqual(world.heard, ['b 100']);
  world.served = () => NEW;
  await world.look(30);
  t.deepEqual(world.heard, ['b 100']);
});

test('rows that were on their way at a promotion are no reason to tell it again', async t => {
  const world = tell(aliasesAfter(promote));
  await world.told.tell();
  await world.look();
  world.served = () => NEW;
  await world.look(30);
  t.deepEqual(world.heard, ['b 100']);
});

test('a core that refuses is told a few times, ever more seldom', async t => {
  const world = tell(aliasesAfter(promote));
  const at: number[] = [];
  for (let look = 1; look <= 300; look++) {
    const before = world.heard.length;
    await world.look();
    if (world.heard.length > before) at.push(look);
  }
  t.deepEqual(at, [2, 4, 8, 16, 28]);
});

test('a trial is told while the hosts of its share are scored by the champion', async t => {
  const trial = {kind: 'canary', percent: 25} as const;
  const world = tell(aliasesAfter({kind: 'challenge', hash: NEW}, trial));
  await world.look(2);
  t.deepEqual(world.heard, ['b 25']);
  world.served = name => (canaryFor(name, trial) ? NEW : OLD);
  await world.look(30);
  t.deepEqual(world.heard, ['b 25']);
});

test('without rows nothing can be compared, and nothing is told', async t => {
  const world = tell(aliasesAfter(promote));
  for (let at = 0; at < 30; at++) await world.told.settle();
  t.deepEqual(world.heard, []);
});
