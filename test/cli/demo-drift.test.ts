import {join} from 'node:path';
import test from 'ava';
import {shippedModel} from '../../cli/demo-core.ts';
import {writeBadModel} from '../../cli/demo-drift-bad-model.ts';
import {ForecastJudge} from '../../cli/demo-drift-judge.ts';
import {DriftProgress} from '../../cli/demo-drift-progress.ts';
import {isGoodEnd} from '../../cli/demo-drift-report.ts';
import {createStaff} from '../../cli/demo-drift-staff.ts';
import {nodeFiles} from '../../core/adapters/files-node.ts';
import {seededRandom} from '../../core/adapters/random-seeded.ts';
import {COMPONENTS} from '../../core/domain/components.ts';
import {createDatacenter} from '../../core/simulation/datacenter.ts';
import {loadModel} from '../../models/load-model.ts';
import {flattenRows} from '../../models/manifest.ts';
import type {AuditRecord} from '../../models/registry/audit.ts';
import {openRegistry} from '../../models/registry/registry.ts';
import {scoreTrees} from '../../models/trees/tree-model.ts';
import {forestay, temporaryFolder} from '../support/process.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const FAMILY = 'component-failure';

function fleet(hours: number) {
  const datacenter = createDatacenter({
    random: seededRandom(3),
    startMs: 0,
    durationMs: hours * HOUR_MS,
    hosts: 12,
    vms: 6,
  });
  return datacenter;
}

/** Forecasts of every host that is heard, each five minutes, by what `say` knows of the part. */
function judged(say: (fails: boolean, rate: number) => number): number | null {
  const datacenter = fleet(6);
  const judge = new ForecastJudge(datacenter.hosts, 30 * MINUTE_MS);
  const asked: {atMs: number; names: string[]}[] = [];
  for (let atMs = 5 * MINUTE_MS; atMs <= 5 * HOUR_MS; atMs += 5 * MINUTE_MS) {
    datacenter.leap(atMs);
    const names = datacenter.hosts
      .map(({name}) => name)
      .filter(name => datacenter.isReporting(name));
    asked.push({atMs, names});
  }
  datacenter.leap(6 * HOUR_MS);
  const outagesOf = new Map(datacenter.hosts.map(({name, outages}) => [name, outages]));
  const fails = (name: string, part: string, atMs: number) => {
    const next = outagesOf.get(name)?.find(({fromMs}) => fromMs > atMs);
    return next?.component === part && next.fromMs <= atMs + 30 * MINUTE_MS;
  };
  const all = asked.flatMap(({atMs, names}) => names.map(name => ({atMs, name})));
  // Backwards: outputs are found by their names.
  const outputs = [...COMPONENTS].reverse();
  const rates = outputs.map(
    part => all.filter(({atMs, name}) => fails(name, part, atMs)).length / all.length,
  );
  for (const {atMs, names} of asked) {
    const risks = names.flatMap(name =>
      outputs.map((part, output) => say(fails(name, part, atMs), rates[output] as number)),
    );
    judge.take({
      ...{partition: 0, atMs, featureHash: 0, featureCount: 0, features: new Float32Array()},
      hosts: names.map(name => ({name, cell: '', hardware: '', modelHash: '', bootAtMs: 0})),
      outputs,
      risks: Float32Array.from(risks),
    });
  }
  return judge.judge(0, 5 * HOUR_MS).skill;
}

test('who always says the base rate has no skill, who knows has all, who says the opposite has less than none', t => {
  const base = judged((_, rate) => rate);
  t.true(Math.abs(base as number) < 1e-3, `${base}`);
  t.true((judged(fails => (fails ? 0.9999 : 0.0001)) as number) > 0.99);
  t.true((judged((fails, rate) => (fails ? rate / 10 : rate)) as number) < -0.1);
});

test('a bad model passes every check of the registry, and says of each row the opposite', async t => {
  const folder = temporaryFolder(t);
  const registry = openRegistry(join(folder, 'models'), nodeFiles);
  const author = {who: 'test', why: 'a test', atMs: 0};
  const good = await registry.importArtefact(shippedModel(FAMILY), {author, codeVersion: ''});
  await writeBadModel(registry.folderOf(good.hash), join(folder, 'bad'));
  const bad = await registry.add(join(folder, 'bad'), {author, codeVersion: ''});
  t.not(bad.hash, good.hash);
  await registry.verify(bad.hash);
  await registry.change(FAMILY, {kind: 'challenge', hash: bad.hash}, author);
  t.is(registry.aliases(FAMILY).aliases.challenger, bad.hash);
  t.deepEqual(bad.metrics, good.metrics, 'its card claims as much');
  const [one, other] = (await Promise.all(
    [good, bad].map(async ({hash}) => {
      const {trees, golden} = await loadModel(registry.folderOf(hash));
      if (trees === undefined || golden === undefined) throw new Error('no trees');
      return scoreTrees(trees, golden.features.length, flattenRows(golden.features));
    }),
  )) as [Float32Array, Float32Array];
  const order = (risks: Float32Array) =>
    [...risks.keys()].sort((a, b) => (risks[a] as number) - (risks[b] as number));
  const cpu = (risks: Float32Array) => risks.filter((_, at) => at % COMPONENTS.length === 0);
  t.deepEqual(order(cpu(other)), order(cpu(one)).reverse());
});

const AUTHOR = {who: 'keeper', why: '', family: FAMILY} as const;
const record = (
  minute: number,
  what: AuditRecord['what'],
  from: string | null,
  to: string | null,
) => ({...AUTHOR, atMs: minute * MINUTE_MS, what, from, to}) as AuditRecord;

test('how far the keeper has come is read from the audit log: what was before the arrival does not count, and each line is told once', t => {
  const told: string[] = [];
  const progress = new DriftProgress(60 * MINUTE_MS, ({what}) => told.push(what));
  const log = [
    record(0, 'added', null, 'a'),
    record(0, 'promote', null, 'a'),
    record(30, 'drift', null, 'a'),
    record(90, 'drift', null, 'a'),
    record(100, 'training-began', null, 'a'),
    record(100, 'challenge', null, 'b'),
  ];
  progress.follow(log);
  t.deepEqual(progress.milestones, {
    ...{arrivedAtMs: 60 * MINUTE_MS, detectedAtMs: 90 * MINUTE_MS},
    trainingAtMs: 100 * MINUTE_MS,
  });
  log.push(record(200, 'promote', 'a', 'b'));
  progress.follow(log);
  progress.badModelAdded('c', 230 * MINUTE_MS);
  log.push(record(230, 'challenge', null, 'c'), record(300, 'withdraw', 'c', null));
  progress.follow(log);
  const {promotedAtMs, badModelAtMs, refusedAtMs} = progress.milestones;
  t.deepEqual(
    [promotedAtMs, badModelAtMs, refusedAtMs],
    [200, 230, 300].map(at => at * MINUTE_MS),
  );
  t.deepEqual(
    told,
    log.map(({what}) => what),
  );
});

test('a bad model that is promoted is no promotion, and nothing that was refused', t => {
  const progress = new DriftProgress(0, () => {});
  progress.badModelAdded('c', 1);
  progress.follow([record(1, 'challenge', null, 'c'), record(2, 'promote', 'a', 'c')]);
  t.is(progress.milestones.promotedAtMs, undefined);
  t.is(progress.milestones.refusedAtMs, undefined);
});

test('only a promotion and a refusal together are a good end', t => {
  const result = {
    ...{detectedAfterSeconds: 1, promotedAfterSeconds: 2, badModelRefused: true},
    ...{skillBefore: 0, skillDuring: 0, skillAfter: 0},
  };
  t.true(isGoodEnd(result));
  t.false(isGoodEnd({...result, promotedAfterSeconds: null}));
  t.false(isGoodEnd({...result, badModelRefused: false}));
});

test('staff says of each failure once which part it was, some time after it, whether the host is back or not', t => {
  const datacenter = fleet(6);
  const staff = createStaff(datacenter, 3 * MINUTE_MS);
  const findings: string[] = [];
  for (let atMs = MINUTE_MS; atMs <= 6 * HOUR_MS; atMs += MINUTE_MS) {
    datacenter.step(atMs);
    for (const {host, part, isBack} of staff(atMs)) {
      findings.push(`${host} ${part}`);
      t.is(isBack, datacenter.isReporting(host));
    }
  }
  const failures = datacenter.hosts.flatMap(({name, outages}) =>
    outages
      .filter(({cause, fromMs}) => cause === 'failed' && fromMs <= 6 * HOUR_MS - 3 * MINUTE_MS)
      .map(({component}) => `${name} ${component}`),
  );
  t.true(failures.length > 5);
  t.deepEqual(findings.sort(), failures.sort());
});

for (const flag of ['--hosts', '--duration', '--fault', '--speed'] as const) {
  test(`demo --drift has a scenario of its own: ${flag} is a wrong use`, async t => {
    const value = {'--hosts': '8', '--duration': '1h', '--fault': 'disk', '--speed': '9'}[flag];
    const {code, stdout, stderr} = await forestay(t, ['demo', '--drift', flag, value]);
    t.is(code, 2);
    t.is(stdout, '');
    t.true(stderr.includes(`'--drift' cannot be used with option '${flag}`), stderr);
  });
}
