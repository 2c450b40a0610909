/** A keeper whose surroundings fail: models, trainers, commands, and itself. */
import {readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import test from 'ava';
import {nodeFiles} from '../../../core/adapters/files-node.ts';
import {ForestayError} from '../../../core/domain/errors.ts';
import {writeDriftFile} from '../../../models/drift-file.ts';
import {rememberKeeper, rememberRefusals} from '../../../models/keeper/keeper-memory.ts';
import type {AuditRecord} from '../../../models/registry/audit.ts';
import {openRegistry} from '../../../models/registry/registry.ts';
import {createTreesScorer} from '../../../models/scorer-trees.ts';
import {drawSnapshot} from '../drift-fixtures.ts';
import {judgement} from './keeper-fixtures.ts';
import {aliasesOf, doings, FAMILY, keep, makeRegistry, models, person, run} from './kept.ts';
import {createWorld, HOUR_MS, STEP_MS} from './world.ts';

const quietly = () => ({
  observe() {},
  settle() {},
  report: () => ({lossesRose: false, inputsMoved: false, reasons: []}),
});
const drifting = () => ({
  observe() {},
  settle() {},
  report: () => ({lossesRose: true, inputsMoved: true, reasons: ['The loss rose.']}),
});

test('a trainer that dies is told, cooled down and tried again; what serves goes on', async t => {
  const {registry, hashes, hash} = await makeRegistry(t, 'old');
  let jobs = 0;
  const keeper = keep(registry, {
    drift: drifting,
    train: async () => {
      jobs++;
      throw new ForestayError('DEPENDENCY_UNREACHABLE', 'the training died (SIGKILL)');
    },
    settings: {coolDownMs: 2 * HOUR_MS, trainingLeastFailures: 0},
  });
  await run(createWorld(1, 10), registry, hashes, [keeper], 5);
  t.is(jobs, 3);
  t.is(aliasesOf(registry).champion, hash('old'));
  const told = doings(registry);
  t.deepEqual(told.slice(0, 3), ['drift', 'training-began', 'training-failed']);
  t.regex(registry.history().records.at(-1)?.why ?? '', /Nothing was trained on top of .*SIGKILL/);
  await keeper.close();
});

test('a training that does not end is ended with the keeper, and nobody waits for it', async t => {
  const {registry, hashes} = await makeRegistry(t, 'old');
  let aborted = false;
  const keeper = keep(registry, {
    drift: drifting,
    settings: {trainingLeastFailures: 0},
    train: (_, signal) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => {
          aborted = true;
          reject(new Error('stopped'));
        });
      }),
  });
  const world = createWorld(2, 10);
  for (let step = 0; step < 4; step++) {
    keeper.observe(world.step(models.old, aliasesOf(registry).champion as string).rows);
    await new Promise(resolve => setTimeout(resolve, 50));
  }
  t.is(keeper.status().phase, 'training');
  await run(world, registry, hashes, [], 1);
  await keeper.close();
  t.true(aborted);
  t.deepEqual(doings(registry), ['drift', 'training-began']);
});

test('a challenger that somebody else has signed is refused by its signature', async t => {
  const {registry, hashes, hash} = await makeRegistry(t, 'old', 'fresh');
  await registry.change(FAMILY, {kind: 'challenge', hash: hash('fresh')}, person.author);
  const path = join(registry.folderOf(hash('fresh')), 'entry.json');
  writeFileSync(path, readFileSync(path, 'utf8').replace('"anna"', '"eve"'));
  const keeper = keep(registry);
  await run(createWorld(3, 10), registry, hashes, [keeper], 1);
  t.is(aliasesOf(registry).challenger, null);
  t.regex(registry.history().records.at(-1)?.why ?? '', /cannot be compared: .*MODEL_UNTRUSTED/);
  await keeper.close();
});

test('a challenger of other features, or of other parts, cannot score the same rows and is refused', async t => {
  for (const change of [{featureHash: 7}, {components: ['disk']}]) {
    const {registry, hashes, hash} = await makeRegistry(t, 'old', 'fresh');
    await registry.change(FAMILY, {kind: 'challenge', hash: hash('fresh')}, person.author);
    const keeper = keep(registry, {
      open: async wanted => {
        const scorer = await createTreesScorer(registry.folderOf(wanted));
        const own = wanted === hash('fresh') ? change : {};
        return {...scorer, signature: () => ({...scorer.signature(), ...own})};
      },
    });
    await run(createWorld(4, 10), registry, hashes, [keeper], 1);
    t.is(aliasesOf(registry).challenger, null);
    const expected = 'featureHash' in change ? /reads feature contract 7/ : /it foretells disk;/;
    t.regex(registry.history().records.at(-1)?.why ?? '', expected);
    await keeper.close();
  }
});

test('a model that does not open in time is told, waited for, and not refused for it', async t => {
  const {registry, hashes, hash} = await makeRegistry(t, 'old', 'fresh');
  await registry.change(FAMILY, {kind: 'challenge', hash: hash('fresh')}, person.author);
  let asked = 0;
  const keeper = keep(registry, {
    open: () => {
      asked++;
      return new Promise(() => {});
    },
    limits: {callMsMax: 20},
  });
  await run(createWorld(5, 10), registry, hashes, [keeper], 1);
  t.is(asked, 1);
  t.is(aliasesOf(registry).challenger, hash('fresh'));
  t.true(keeper.told.lines.some(line => /could not compare: \[TIMED_OUT\]/.test(line)));
  await keeper.close();
});

test('a command that does not get through is given again until it does', async t => {
  const {registry, hashes, hash} = await makeRegistry(t, 'old', 'bad');
  const heard: string[] = [];
  let failing = 2;
  const keeper = keep(registry, {
    switchModel: async ({modelHash}) => {
      if (failing-- > 0) throw new ForestayError('LOG_APPEND_FAILED', 'the disk is full');
      heard.push(modelHash);
    },
  });
  const world = createWorld(6, 120);
  await run(world, registry, hashes, [keeper], 1);
  await registry.promote(hash('bad'), {...person.author, why: 'because'}, {force: true});
  await run(world, registry, hashes, [keeper], 6);
  t.is(aliasesOf(registry).champion, hash('old'));
  t.deepEqual(heard, [hash('old')]);
  t.true(
    keeper.told.lines.some(line => /the core was not told yet: \[LOG_APPEND_FAILED\]/.test(line)),
  );
  await keeper.close();
});

test('of more steps than it can take the oldest go, with a count', async t => {
  const {registry} = await makeRegistry(t, 'old');
  const keeper = keep(registry, {limits: {queueMax: 5}});
  const world = createWorld(7, 5);
  for (let step = 0; step < 12; step++) {
    keeper.observe(world.step(models.old, aliasesOf(registry).champion as string).rows);
  }
  await keeper.idle();
  t.is(keeper.status().dropped, 7);
  await keeper.close();
  keeper.observe(world.step(models.old, 'x').rows);
  await keeper.idle();
});

test('a keeper that begins anew goes on in the phase that the aliases say, and knows its cool-down', async t => {
  const {registry, hashes, hash} = await makeRegistry(t, 'old', 'bad');
  await registry.change(FAMILY, {kind: 'challenge', hash: hash('bad')}, person.author);
  const world = createWorld(8, 120);
  const first = keep(registry);
  await run(world, registry, hashes, [first], 0.25);
  t.is(first.status().phase, 'shadowing');
  await first.close();
  const second = keep(registry, {drift: drifting});
  await run(world, registry, hashes, [second], 4);
  t.deepEqual(doings(registry).slice(-2), ['withdraw', 'refused']);
  const {coolDownUntilMs} = second.status();
  await second.close();
  const third = keep(registry, {drift: drifting});
  await run(world, registry, hashes, [third], 2);
  t.is(third.status().phase, 'watching');
  t.is(third.status().coolDownUntilMs, coolDownUntilMs);
  t.true(third.told.lines.some(line => /The next training may begin in \d+ minutes/.test(line)));
  await third.close();
});

test('a promotion of today is on probation after a restart, one of last week is not', async t => {
  const {registry, hash} = await makeRegistry(t, 'old', 'bad');
  const nowMs = 1_000 * 24 * HOUR_MS;
  const author = {...person.author, why: 'because', atMs: nowMs};
  await registry.promote(hash('bad'), author, {force: true});
  const {records} = registry.history();
  const phaseAt = (laterMs: number) =>
    rememberKeeper(records, aliasesOf(registry), {
      nowMs: nowMs + laterMs,
      probationMs: 24 * HOUR_MS,
    }).phase;
  t.is(phaseAt(STEP_MS), 'probation');
  t.is(phaseAt(7 * 24 * HOUR_MS), undefined);
  await registry.change(FAMILY, {kind: 'rollback'}, author);
  const after = rememberKeeper(registry.history().records, aliasesOf(registry), {
    nowMs,
    probationMs: 24 * HOUR_MS,
  });
  t.is(after.phase, undefined);
});

test('a first champion that could not be named is named later, and what serves is watched meanwhile', async t => {
  const {directory, registry: full, hashes, hash} = await makeRegistry(t, 'old');
  const registry = openRegistry(join(directory, 'empty'), nodeFiles);
  let failing = 2;
  const watched: unknown[] = [];
  const keeper = keep(
    {
      ...registry,
      async importArtefact(...given) {
        if (failing-- > 0) throw new ForestayError('REGISTRY_CONFLICT', 'the folder is locked');
        return registry.importArtefact(...given);
      },
    },
    {
      configured: join(directory, 'old'),
      drift: champion => {
        watched.push('hash' in champion ? champion.hash : null);
        return quietly();
      },
    },
  );
  await run(createWorld(9, 10), full, hashes, [keeper], 1);
  t.is(aliasesOf(registry).champion, hash('old'));
  t.true(keeper.told.lines.some(line => /nothing can be tended yet/.test(line)));
  t.deepEqual(watched, [null, hash('old')]);
  await keeper.close();
});

test('where nobody was promoted the spread of inputs is that beside the configured artefact', async t => {
  const {directory, registry: full, hashes, hash} = await makeRegistry(t, 'old');
  const configured = join(directory, 'old');
  const snapshot = drawSnapshot(1);
  const watch = async (world: number) => {
    const watched: unknown[] = [];
    const keeper = keep(openRegistry(join(directory, `empty-${world}`), nodeFiles), {
      ...{mode: 'watch', configured},
      drift(champion) {
        watched.push(champion.drift);
        return quietly();
      },
    });
    t.is(keeper.status().coolDownUntilMs, null, 'before it has seen anything, too');
    await run(createWorld(world, 10), full, hashes, [keeper], 1);
    await keeper.close();
    return {watched, lines: keeper.told.lines.filter(line => /are not watched/.test(line))};
  };
  t.deepEqual(await watch(9), {watched: [null], lines: []});
  await writeDriftFile(configured, hash('old'), snapshot);
  t.deepEqual(await watch(10), {watched: [snapshot], lines: []});
  await writeDriftFile(configured, 'b'.repeat(64), snapshot);
  const {watched, lines} = await watch(11);
  t.deepEqual(watched, [null], 'losses are watched all the same');
  t.is(lines.length, 1);
  t.regex(lines[0] ?? '', /the inputs of \w{12} are not watched: .*MODEL_HASH_MISMATCH/);
});

test('what any keeper of the family found is remembered, whoever wrote last', t => {
  const mark = (
    what: AuditRecord['what'],
    hours: number,
    refusals: number,
    until: number | null,
  ) => ({
    ...{atMs: 1, family: FAMILY, what, who: 'keeper', why: '', from: null, to: null},
    keeper: {
      ...{atMs: hours * HOUR_MS, refusals},
      coolDownUntilMs: until === null ? null : until * HOUR_MS,
    },
  });
  const refused = mark('refused', 10, 2, 60);
  // One that has not heard of it yet.
  const told = [refused, mark('drift', 11, 0, null), mark('training-failed', 12, 0, 20)];
  t.deepEqual(rememberRefusals(told, FAMILY), {refusals: 2, coolDownUntilMs: 60 * HOUR_MS});
  t.is(rememberRefusals([...told, mark('kept', 40, 0, 60)], FAMILY).refusals, 0);
  t.is(rememberRefusals(told, 'reboot-intent').refusals, 0);
  const jumped = [mark('drift', 9000, 0, 9100), ...told];
  t.is(rememberRefusals(jumped, FAMILY).coolDownUntilMs, 60 * HOUR_MS);
});

test('the looks of a challenger are counted on after a restart', async t => {
  const {registry, hash} = await makeRegistry(t, 'old', 'fresh');
  await registry.change(FAMILY, {kind: 'challenge', hash: hash('fresh')}, person.author);
  const {evaluation} = judgement('open', {champion: hash('old'), challenger: hash('fresh')});
  for (const who of ['keeper', 'anna', 'keeper']) {
    registry.recordEvaluation(FAMILY, evaluation, {...person.author, who});
  }
  const times = {nowMs: 1, probationMs: 1};
  const {records} = registry.history();
  t.like(rememberKeeper(records, aliasesOf(registry), times), {earlierLooks: 2});
});

test('a refusal of another keeper is one of this keeper', async t => {
  const {registry, hashes, hash} = await makeRegistry(t, 'old', 'bad');
  const world = createWorld(12, 10);
  const keeper = keep(registry, {drift: drifting});
  await run(world, registry, hashes, [keeper], 0.25);
  const coolDownUntilMs = world.nowMs + 48 * HOUR_MS;
  await registry.change(FAMILY, {kind: 'challenge', hash: hash('bad')}, person.author);
  await registry.change(FAMILY, {kind: 'withdraw'}, {...person.author, who: 'keeper'});
  const found = {atMs: world.nowMs, refusals: 3, coolDownUntilMs};
  registry.recordFinding(
    FAMILY,
    {what: 'refused', hash: hash('bad'), keeper: found},
    {...person.author, who: 'keeper'},
  );
  await run(world, registry, hashes, [keeper], 0.5);
  t.is(keeper.status().coolDownUntilMs, coolDownUntilMs);
  await keeper.close();
});
