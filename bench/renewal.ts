/** How many failures it takes until a model that was trained on top of the shipped one knows new hardware. */
import {join} from 'node:path';
import {loadModel} from '../models/load-model.ts';
import type {TreeModel} from '../models/trees/tree-model.ts';
import {numberOf, resultOf} from './result.ts';
import {NEW, OLD, runRenewalFleet, tellFailures, untilFailures} from './support/renewal-fleet.ts';
import {
  gainAtLeast,
  risksOn,
  scoreOn,
  trainFromScratch,
  trainOnTopOf,
} from './support/renewal-models.ts';
import type {BenchArgs, BenchResult, BenchVerb} from './verb.ts';

export const renewal: BenchVerb = {
  name: 'renewal',
  summary:
    'how many failures it takes to learn a new generation of hardware, on top of the shipped model',
  options: [
    {
      flags: '--seeds <n>',
      description: 'fleets that teach, each with two that judge',
      default: '6',
    },
    {flags: '--first-seed <n>', description: 'the seeds follow it', default: '7000'},
    {flags: '--failures <list>', description: 'so many teach', default: '20,40,60,100,200'},
    {flags: '--hosts <n>', description: 'of each fleet', default: '24'},
    {flags: '--new-hosts <n>', description: 'of them of the new generation', default: '10'},
    {flags: '--hours <n>', description: 'of each fleet, in time lapse', default: '40'},
  ],
  run: measureRenewal,
};

const CHAMPION = join(import.meta.dirname, '../models/artefacts/component-failure');
const JUDGES = ['judge-1', 'judge-2'];

async function measureRenewal({options}: BenchArgs): Promise<BenchResult> {
  const {trees} = await loadModel(CHAMPION);
  const counts = String(options.failures)
    .split(',')
    .map(text => numberOf(text, 'failures', 1));
  const shape = {
    hosts: numberOf(options.hosts, 'hosts', 5),
    newHosts: numberOf(options.newHosts, 'new-hosts', 1),
    hours: numberOf(options.hours, 'hours', 1),
  };
  const runs: Record<string, number[]> = {};
  const firstSeed = numberOf(options.firstSeed, 'first-seed');
  for (let at = 0; at < numberOf(options.seeds, 'seeds', 1); at++) {
    const found = measureSeed(trees as TreeModel, firstSeed + at, counts, shape);
    for (const [name, value] of Object.entries(found)) {
      runs[name] ??= [];
      runs[name].push(value);
    }
  }
  return resultOf({
    runs,
    notes: [
      'log-losses of all parts together, a row, on fleets that taught nobody; atLeast: of the gain, with 95 %',
    ],
  });
}

function measureSeed(
  champion: TreeModel,
  seed: number,
  counts: readonly number[],
  shape: {hosts: number; newHosts: number; hours: number},
): Record<string, number> {
  const taught = runRenewalFleet({seed, name: 'teach', ...shape});
  const judges = JUDGES.map(name => runRenewalFleet({seed, name, ...shape}));
  const before = risksOn(champion, judges);
  const found: Record<string, number> = {};
  const tell = (name: string, risks: readonly Float32Array[]) => {
    for (const hardware of [OLD, NEW]) {
      const score = scoreOn(judges, hardware, risks);
      found[`${name}.${hardware}.logLoss`] = score.logLoss;
      found[`${name}.${hardware}.averagePrecision`] = score.averagePrecision;
      if (risks === before) continue;
      found[`${name}.${hardware}.atLeast`] = gainAtLeast(judges, hardware, before, risks, seed);
    }
  };
  tell('champion', before);
  for (const count of counts) {
    const known = untilFailures(taught, count);
    const {all, ofNew} = tellFailures(known);
    found[`${count}.failures`] = all;
    found[`${count}.failuresOfNew`] = ofNew;
    tell(`${count}.onTop`, risksOn(trainOnTopOf(champion, known, seed), judges));
    tell(`${count}.scratch`, risksOn(trainFromScratch(known, seed), judges));
  }
  return found;
}
