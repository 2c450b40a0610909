/** A keeper with a real registry and real artefacts, in a world whose law is known. */
import {appendFileSync} from 'node:fs';
import {join} from 'node:path';
import test from 'ava';
import {nodeFiles} from '../../../core/adapters/files-node.ts';
import type {HostOutcome} from '../../../core/domain/observed.ts';
import {openRegistry} from '../../../models/registry/registry.ts';
import {
  aliasesOf,
  type Change,
  doings,
  FAMILY,
  keep,
  makeRegistry,
  models,
  person,
  run,
  serve,
} from './kept.ts';
import {createWorld, HOUR_MS, writeModel} from './world.ts';

test('drift, training, shadow, canary, promotion: unattended, each step in the audit log, and skill recovers', async t => {
  const {directory, registry, hashes, hash} = await makeRegistry(t, 'old');
  const world = createWorld(7, 120);
  let jobs = 0;
  const keeper = keep(registry, {
    train: async ({parent}) => {
      jobs++;
      t.is(parent, registry.folderOf(hash('old')));
      const folder = await writeModel(join(directory, 'trained'), models.fresh, 9);
      return {folder, dataHash: 'a'.repeat(64)};
    },
    limits: {skillWindowMs: 3 * HOUR_MS},
    settings: {retrainAfterFailures: 100_000},
  });
  const startMs = world.nowMs;
  await run(world, registry, hashes, [keeper], 4);
  const before = await keeper.figures(startMs, world.nowMs);
  t.like(keeper.status(), {phase: 'watching', because: ''});
  t.true(before.skill > 0.05, `skill ${before.skill}`);
  t.deepEqual(doings(registry), []);

  world.law = 1;
  const movedMs = world.nowMs;
  const trained = () => registry.list().entries.find(entry => entry.parent !== null);
  for (let hour = 0; hour < 24 && aliasesOf(registry).champion === hash('old'); hour++) {
    await run(world, registry, hashes, [keeper], 1);
    const entry = trained();
    if (entry !== undefined) hashes.set(entry.hash, 'fresh');
  }
  const {champion, previous} = aliasesOf(registry);
  t.is(champion, trained()?.hash as string);
  t.is(previous, hash('old'));
  const promotedMs = world.nowMs;
  const during = await keeper.figures(movedMs, promotedMs);
  t.true(during.skill <= 0, `skill ${during.skill}`);
  await run(world, registry, hashes, [keeper], 8);
  const after = await keeper.figures(promotedMs, world.nowMs);
  t.true(after.skill > 0.05, `skill ${after.skill}`);
  t.is(jobs, 1);
  t.is(keeper.status().phase, 'watching');
  t.regex(keeper.status().because, / is kept: /);
  const steps = doings(registry).filter((what, at, all) => what !== all[at - 1]);
  t.deepEqual(
    steps.filter(what => !what.startsWith('evaluated')),
    ['drift', 'training-began', 'added', 'challenge', 'canary', 'promote', 'kept'],
  );
  t.true(steps.indexOf('evaluated better') < steps.indexOf('canary'));
  t.deepEqual(keeper.told.switched, [
    {modelHash: champion, percent: 25},
    {modelHash: champion, percent: 100},
  ]);
  for (const {why} of registry.history().records) t.true(why.length > 0);
  await keeper.close();
});

test('a deliberately bad challenger is refused, withdrawn and cooled down', async t => {
  const {registry, hashes, hash} = await makeRegistry(t, 'old', 'bad');
  await registry.change(FAMILY, {kind: 'challenge', hash: hash('bad')}, person.author);
  const keeper = keep(registry);
  await run(createWorld(11, 120), registry, hashes, [keeper], 6);
  t.like(aliasesOf(registry), {champion: hash('old'), challenger: null});
  const told = doings(registry);
  t.deepEqual(told.slice(-2), ['withdraw', 'refused']);
  t.true(told.slice(0, -2).every(what => what === 'evaluated no'));
  t.deepEqual(keeper.told.switched, []);
  const {keeper: mark} = registry.history().records.at(-1) ?? {};
  t.is(mark?.refusals, 1);
  t.true((mark?.coolDownUntilMs ?? 0) > (mark?.atMs ?? 0));
  await keeper.close();
});

test('a bad model that people forced is rolled back unattended', async t => {
  const {registry, hashes, hash} = await makeRegistry(t, 'old', 'bad');
  const world = createWorld(13, 120);
  const keeper = keep(registry);
  await run(world, registry, hashes, [keeper], 1);
  await registry.promote(hash('bad'), {...person.author, why: 'because'}, {force: true});
  await run(world, registry, hashes, [keeper], 6);
  t.like(aliasesOf(registry), {champion: hash('old'), previous: hash('bad')});
  t.deepEqual(doings(registry).slice(-2), ['rollback', 'refused']);
  t.deepEqual(keeper.told.switched, [{modelHash: hash('old'), percent: 100}]);
  t.is(keeper.status().phase, 'watching');
  await keeper.close();
});

test('in mode watch the same is judged, written down and told, and nothing is changed', async t => {
  const {registry, hashes, hash} = await makeRegistry(t, 'bad', 'old');
  await registry.change(FAMILY, {kind: 'challenge', hash: hash('old')}, person.author);
  const {revision} = aliasesOf(registry);
  const keeper = keep(registry, {mode: 'watch'});
  await run(createWorld(17, 120), registry, hashes, [keeper], 8);
  t.is(aliasesOf(registry).revision, revision);
  t.true(doings(registry).includes('evaluated better'));
  t.true(doings(registry).every(what => what.startsWith('evaluated')));
  t.true(
    keeper.told.lines.some(line => /as the mode is watch: .* is better in its shadow/.test(line)),
  );
  await keeper.close();
});

test('a challenger that is damaged is refused, and what serves goes on', async t => {
  const {registry, hashes, hash} = await makeRegistry(t, 'old', 'fresh');
  await registry.change(FAMILY, {kind: 'challenge', hash: hash('fresh')}, person.author);
  appendFileSync(join(registry.folderOf(hash('fresh')), 'model.onnx'), 'x');
  const keeper = keep(registry);
  await run(createWorld(19, 40), registry, hashes, [keeper], 1);
  t.like(aliasesOf(registry), {champion: hash('old'), challenger: null});
  const refused = registry.history().records.at(-1);
  t.is(refused?.what, 'refused');
  t.regex(refused?.why ?? '', /cannot be compared: .*MODEL_HASH_MISMATCH/);
  await keeper.close();
});

test('a clock that jumps and outcomes that come late while a model is shadowed do no harm', async t => {
  const {registry, hashes, hash} = await makeRegistry(t, 'old', 'bad');
  await registry.change(FAMILY, {kind: 'challenge', hash: hash('bad')}, person.author);
  const world = createWorld(23, 120);
  const keeper = keep(registry, {settings: {firstLookFailures: 40}});
  let held: HostOutcome[] = [];
  const late: Change = (rows, outcomes) => {
    const due = held.filter(({recordedAtMs}) => recordedAtMs + 2 * HOUR_MS <= rows.atMs);
    held = [...held.filter(each => !due.includes(each)), ...outcomes];
    return {rows, outcomes: due.map(each => ({...each, recordedAtMs: rows.atMs}) as HostOutcome)};
  };
  await run(world, registry, hashes, [keeper], 3, late);
  world.nowMs += 72 * HOUR_MS;
  await run(world, registry, hashes, [keeper], 6, late);
  t.like(aliasesOf(registry), {champion: hash('old'), challenger: null});
  t.is(doings(registry).at(-1), 'refused');
  await keeper.close();
});

test('two keepers of one registry do not fight: each change is made once, and both go on from it', async t => {
  const {registry, hashes, hash} = await makeRegistry(t, 'bad', 'old');
  await registry.change(FAMILY, {kind: 'challenge', hash: hash('old')}, person.author);
  const world = createWorld(29, 120);
  const second = openRegistry(registry.directory, nodeFiles);
  const keepers = [keep(registry), keep(second)] as const;
  for (let hour = 0; hour < 14; hour++) {
    for (let step = 0; step < 12; step++) {
      const {rows, outcomes} = serve(world, registry, hashes);
      for (const keeper of keepers) {
        for (const outcome of outcomes) keeper.outcome(outcome);
        keeper.observe(rows);
      }
      // At the same time.
      await Promise.all(keepers.map(keeper => keeper.idle()));
    }
  }
  t.like(aliasesOf(registry), {champion: hash('old'), previous: hash('bad')});
  const changes = doings(registry).filter(what =>
    ['canary', 'promote', 'rollback', 'withdraw'].includes(what),
  );
  t.deepEqual(changes, ['canary', 'promote']);
  const commands = keepers.flatMap(({told}) => told.switched);
  t.deepEqual(
    commands.map(({percent}) => percent).sort((a, b) => a - b),
    [25, 100],
  );
  for (const keeper of keepers) t.is(keeper.status().phase, 'watching');
  await Promise.all(keepers.map(keeper => keeper.close()));
});
