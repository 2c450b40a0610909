import {join} from 'node:path';
import test from 'ava';
import {shippedModel} from '../../cli/demo-core.ts';
import {writeBadModel} from '../../cli/demo-drift-bad-model.ts';
import {FormerModel} from '../../cli/demo-drift-former.ts';
import {ForecastJudge} from '../../cli/demo-drift-judge.ts';
import {PHASES} from '../../cli/demo-drift-phases.ts';
import {DriftProgress} from '../../cli/demo-drift-progress.ts';
import {driftResult, isGoodEnd} from '../../cli/demo-drift-report.ts';
import {createStaff} from '../../cli/demo-drift-staff.ts';
import {nodeFiles} from '../../core/adapters/files-node.ts';
import {seededRandom} from '../../core/adapters/random-seeded.ts';
import {COMPONENTS} from '../../core/domain/components.ts';
import type {ObservedRows} from '../../core/domain/observed.ts';
import type {ModelSignature, Scorer} from '../../core/ports.ts';
import {createDatacenter} from '../../core/simulation/datacenter.ts';
import {loadModel} from '../../models/load-model.ts';
import {flattenRows} from '../../models/manifest.ts';
import type {Aliases} from '../../models/registry/aliases.ts';
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

/** What the registry says of the bad model `c` beside the promoted `b`. */
function endOf(records: readonly AuditRecord[], skillAfter: number | null = 0.2) {
  const progress = new DriftProgress(60 * MINUTE_MS, () => {});
  progress.badModelAdded('c', 210 * MINUTE_MS);
  progress.follow(records);
  const phases = [0.3, 0.1, skillAfter].map((skill, index) => {
    const figures = {fleet: {forecasts: 1, skill}, arrived: {forecasts: 1, skill}};
    const counts = {hostFailures: 0, missedFailures: 0, migrations: 0, needlessMoves: 0};
    const name = PHASES[index] as (typeof PHASES)[number];
    return {name, seconds: 1, ...figures, withoutChange: figures, ...counts, vmDowntimeSeconds: 0};
  });
  const outcome = {milestones: progress.milestones, phases};
  return {isGood: isGoodEnd(outcome), isRefused: driftResult(outcome).badModelRefused};
}

const aliasesOf = (
  champion: string,
  challenger: string | null,
  canaryPercent: number,
): Aliases => ({
  ...{family: FAMILY, revision: 1, champion, challenger, canaryPercent, previous: 'a'},
  ...{changedAtMs: 0, changedBy: 'keeper', why: ''},
});
const PROMOTED = record(200, 'promote', 'a', 'b');
const BESIDE = record(210, 'challenge', null, 'c');
const WITHDRAWN = record(280, 'withdraw', 'c', null);
const REFUSED = record(280, 'refused', 'c', null);

test('a good end is a model that is promoted and kept, with more skill than before it, and the bad one refused', t => {
  const whole = [PROMOTED, BESIDE, WITHDRAWN, REFUSED];
  t.deepEqual(endOf(whole), {isGood: true, isRefused: true});
  t.deepEqual(endOf(whole.slice(1)), {isGood: false, isRefused: true}, 'nothing was promoted');
  t.deepEqual(endOf(whole.slice(0, 2)), {isGood: false, isRefused: false}, 'nobody refused it');
  t.false(endOf(whole, 0.1).isGood, 'no more skill than before the promotion');
  t.false(endOf(whole, null).isGood, 'nobody knows the skill');
  t.false(endOf([...whole, record(300, 'rollback', 'b', 'a')]).isGood, 'it was given up again');
  const earlier = [record(30, 'promote', 'x', 'a'), record(40, 'rollback', 'a', 'x')];
  t.true(endOf([...earlier, ...whole]).isGood, 'what was before the arrival does not count');
});

test('a bad model that has scored hosts, a share of them or all, was not refused, whatever came of it', t => {
  const tried = {...record(240, 'canary', 'c', 'c'), aliases: aliasesOf('b', 'c', 25)};
  const stopped = {...record(240, 'canary', 'c', 'c'), aliases: aliasesOf('b', 'c', 0)};
  const served = {...record(250, 'promote', 'b', 'c'), aliases: aliasesOf('c', null, 0)};
  const back = record(270, 'rollback', 'c', 'b');
  const good = {...record(190, 'canary', 'b', 'b'), aliases: aliasesOf('a', 'b', 25)};
  const no = {isGood: false, isRefused: false};
  t.deepEqual(endOf([PROMOTED, BESIDE, tried, WITHDRAWN, REFUSED]), no);
  t.deepEqual(endOf([PROMOTED, BESIDE, tried, served, back, REFUSED]), no);
  t.deepEqual(endOf([PROMOTED, BESIDE, served, back, REFUSED]), no);
  t.deepEqual(endOf([BESIDE, served, back, REFUSED]), no, 'and its promotion is none');
  t.true(
    endOf([good, PROMOTED, BESIDE, stopped, WITHDRAWN, REFUSED]).isGood,
    'others may be tried',
  );
});

test('the model of the start is judged by the very rows that others served', async t => {
  const signature = {hash: 'a', components: ['disk', 'cpu']} as unknown as ModelSignature;
  const scorer = {
    signature: () => signature,
    score: async (hash: string, rows: number, features: Float32Array) => {
      t.is(hash, 'a');
      t.is(rows * 2, features.length);
      return features.map(value => value / 10);
    },
  } as unknown as Scorer;
  const former = new FormerModel(scorer);
  const served: ObservedRows[] = [1, 2].map(minute => ({
    ...{partition: 0, atMs: minute * MINUTE_MS, featureHash: 0, featureCount: 2},
    hosts: [{name: `h${minute}`, cell: '', hardware: '', modelHash: 'b', bootAtMs: 0}],
    features: Float32Array.of(minute, 2 * minute),
    outputs: ['cpu', 'disk'],
    risks: Float32Array.of(0.5, 0.5),
  }));
  for (const rows of served) former.take(rows);
  const told: ObservedRows[] = [];
  await former.tell({take: rows => told.push(rows)});
  t.deepEqual(
    told.map(({atMs, hosts, outputs, risks}) => ({atMs, hosts, outputs, risks})),
    served.map(({atMs, hosts, features}) => ({
      ...{atMs, hosts, outputs: ['disk', 'cpu']},
      risks: features.map(value => value / 10),
    })),
  );
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
