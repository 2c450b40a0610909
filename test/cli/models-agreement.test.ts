import test from 'ava';
import {disagreements, type Serving} from '../../cli/models-agreement.ts';
import {type Aliases, noAliases} from '../../models/registry/aliases.ts';

const [OLD, NEW] = ['a'.repeat(64), 'b'.repeat(64)];
const ALIASES: Aliases = {...noAliases('component-failure'), revision: 3, champion: NEW};
const TRIAL: Aliases = {...ALIASES, champion: OLD, challenger: NEW, canaryPercent: 10};

const serving = (partition: number, fields: Partial<Serving> = {}): Serving => ({
  partition,
  modelHash: NEW,
  canaryHash: '',
  canaryPercent: 0,
  refusedHash: '',
  refusedBecause: '',
  ...fields,
});

test('partitions that serve what the registry says, or of which nothing is known, say nothing', t => {
  const known = [serving(0), serving(1, {modelHash: ''})];
  t.deepEqual(disagreements(ALIASES, known, '/models'), []);
  const trial = {modelHash: OLD, canaryHash: NEW, canaryPercent: 10};
  t.deepEqual(disagreements(TRIAL, [serving(0, trial)], '/models'), []);
  const never = noAliases('component-failure');
  t.deepEqual(disagreements(never, [serving(0), serving(1, {modelHash: OLD})], '/models'), []);
});

test('partitions that serve another model are told together, and how to tell them again', t => {
  const partitions = [0, 1, 2, 4].map(at => serving(at, {modelHash: OLD}));
  t.deepEqual(disagreements(ALIASES, [...partitions, serving(3)], '/models'), [
    'partitions 0-2, 4: scored by aaaaaaaaaaaa, while the registry in /models says bbbbbbbbbbbb; ' +
      'forestay models promote component-failure@champion tells them again',
  ]);
});

test('a trial that only one side knows of is told', t => {
  const [forgotten] = disagreements(TRIAL, [serving(7, {modelHash: OLD})], '/models');
  t.regex(forgotten ?? '', /^partition 7: scored by a{12}, while .* 10 % of the hosts by b{12};/);
  t.regex(forgotten ?? '', /promote component-failure@challenger --percent 10 tells/);
  const other = {modelHash: OLD, canaryHash: NEW, canaryPercent: 20};
  t.is(disagreements(TRIAL, [serving(7, other)], '/models').length, 1);
  const left = {canaryHash: OLD, canaryPercent: 5};
  const [stays] = disagreements(ALIASES, [serving(7, left)], '/models');
  t.regex(stays ?? '', /scored by b{12} and 5 % of the hosts by a{12}, while .* says b{12};/);
});

test('a champion that a partition refused is told with its reason, and how to go back', t => {
  const refused = {modelHash: OLD, refusedHash: NEW, refusedBecause: 'it foretells cpu'};
  t.deepEqual(disagreements(ALIASES, [serving(0, refused), serving(1, refused)], '/models'), [
    'partitions 0-1: bbbbbbbbbbbb of the registry was refused, aaaaaaaaaaaa goes on: it foretells cpu; ' +
      'forestay models verify bbbbbbbbbbbb checks it, forestay models rollback component-failure takes it back',
  ]);
  const former = {refusedHash: OLD, refusedBecause: 'it was damaged'};
  t.deepEqual(disagreements(ALIASES, [serving(0, former)], '/models'), []);
});
