/**
 * Hosts whose parts fail by a law that is known: part c is weak while column c of a host's features
 * is high. Models that know the law, that do not, and that have it upside down.
 */
import {mkdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {COMPONENTS} from '../../../core/domain/components.ts';
import {FEATURE_COUNT, FEATURE_HASH} from '../../../core/domain/features.ts';
import type {HostOutcome, ObservedRows} from '../../../core/domain/observed.ts';
import {writeArtefact} from '../../../models/artefact.ts';
import {createUniform} from '../../../models/random.ts';
import {scoreTrees, type TreeModel} from '../../../models/trees/tree-model.ts';
import {type Sample, trainOn} from '../fixtures.ts';

export const STEP_MS = 5 * 60_000;
export const HOUR_MS = 12 * STEP_MS;
/** Chances to fail within half an hour. */
const [WEAK, SOUND] = [0.3, 0.004];
const HIGH = 0.9;

/** By how many columns the law has moved: 0 before a new generation of hosts arrives. */
export type Law = 0 | 1;

function columnOf(part: number, law: Law): number {
  return part + COMPONENTS.length * law;
}

function drawFeatures(random: () => number): Float32Array {
  return Float32Array.from({length: FEATURE_COUNT}, () => random());
}

/** A model of the law, learned from drawn rows. */
export function modelOfLaw(law: Law, seed: number, rows = 4000): TreeModel {
  const random = createUniform(seed);
  const features = new Float32Array(rows * FEATURE_COUNT);
  for (let row = 0; row < rows; row++) features.set(drawFeatures(random), row * FEATURE_COUNT);
  const forests = COMPONENTS.map((_, part) => {
    const labels = Uint8Array.from({length: rows}, (_, row) => {
      const isWeak = (features[row * FEATURE_COUNT + columnOf(part, law)] as number) > HIGH;
      return Number(random() < (isWeak ? WEAK : SOUND));
    });
    const sample: Sample = {
      columns: FEATURE_COUNT,
      features,
      labels,
      rows: Int32Array.from({length: rows}, (_, row) => row),
    };
    return trainOn(sample, {rounds: 25, seed: seed + part});
  });
  const slopes = new Float32Array(forests.length).fill(1);
  return {featureCount: FEATURE_COUNT, forests, slopes, offsets: new Float32Array(forests.length)};
}

/** What is safe is feared, and the other way round. */
export function upsideDown(model: TreeModel): TreeModel {
  return {
    ...model,
    slopes: model.slopes.map(slope => -slope),
    offsets: model.offsets.map(() => -6),
  };
}

/** As `forestay train` writes it. */
export async function writeModel(folder: string, model: TreeModel, seed: number): Promise<string> {
  mkdirSync(folder, {recursive: true});
  const metadata = {
    name: 'component-failure',
    featureHash: FEATURE_HASH,
    components: COMPONENTS,
    requiredMetrics: [],
    seed,
    data: 'drawn',
  };
  const golden = drawFeatures(createUniform(seed));
  const usual = new Float32Array(FEATURE_COUNT).fill(0.5);
  await writeArtefact(
    folder,
    model,
    metadata,
    {version: '1', metrics: [], limits: [], usual},
    golden,
  );
  writeFileSync(join(folder, 'README.md'), '# component-failure\n');
  return folder;
}

type WorldHost = {
  readonly name: string;
  features: Float32Array;
  changesAtMs: number;
  downUntilMs: number;
};

export type World = {
  law: Law;
  nowMs: number;
  /** Goes a step; hosts that are up are told of with what `model` says of them. */
  step(model: TreeModel, modelHash: string): {rows: ObservedRows; outcomes: HostOutcome[]};
};

export function createWorld(seed: number, hosts: number, startMs = 1_000 * HOUR_MS): World {
  const random = createUniform(seed);
  const all: WorldHost[] = Array.from({length: hosts}, (_, index) => ({
    name: `h${index}`,
    features: drawFeatures(random),
    changesAtMs: startMs + random() * 2 * HOUR_MS,
    downUntilMs: 0,
  }));
  const world: World = {
    law: 0,
    nowMs: startMs,
    step(model, modelHash) {
      world.nowMs += STEP_MS;
      const {nowMs} = world;
      const outcomes = all.flatMap(host => live(host, nowMs, world.law, random));
      const up = all.filter(({downUntilMs}) => downUntilMs === 0);
      const features = new Float32Array(up.length * FEATURE_COUNT);
      for (const [row, host] of up.entries()) features.set(host.features, row * FEATURE_COUNT);
      const rows: ObservedRows = {
        partition: 3,
        atMs: nowMs,
        featureHash: FEATURE_HASH,
        featureCount: FEATURE_COUNT,
        hosts: up.map(({name}) => ({name, cell: 'c', hardware: 'm1', modelHash, bootAtMs: 0})),
        features,
        outputs: COMPONENTS,
        risks: scoreTrees(model, up.length, features),
      };
      return {rows, outcomes};
    },
  };
  return world;
}

/** What becomes of a host in the step that ends now. */
function live(host: WorldHost, nowMs: number, law: Law, random: () => number): HostOutcome[] {
  const times = {partition: 3, host: host.name, cell: 'c', atMs: nowMs - 1, recordedAtMs: nowMs};
  if (host.downUntilMs > nowMs) return [];
  if (host.downUntilMs > 0) {
    host.downUntilMs = 0;
    host.features = drawFeatures(random);
    return [{...times, kind: 'returned', component: ''}];
  }
  if (host.changesAtMs <= nowMs) {
    host.changesAtMs = nowMs + 2 * HOUR_MS;
    host.features = drawFeatures(random);
  }
  for (const [part, component] of COMPONENTS.entries()) {
    const isWeak = (host.features[columnOf(part, law)] as number) > HIGH;
    const chance = 1 - (1 - (isWeak ? WEAK : SOUND)) ** (1 / 6);
    if (random() >= chance) continue;
    host.downUntilMs = nowMs + 2 * STEP_MS;
    return [{...times, kind: 'lost', component}];
  }
  return [];
}
