/** What trains on examples of a fleet in renewal, and how good it is on other fleets. */
import {COMPONENT_CONTRACT} from '../../core/domain/features.ts';
import {COMPONENT_FAILURE} from '../../models/failure/family.ts';
import {createOnTopTrainer} from '../../models/failure/on-top.ts';
import {assembleOnTop, FAILURES_MIN, nodesOf, roomFor} from '../../models/failure/on-top-model.ts';
import {toFailureData, toOnTopRows} from '../../models/failure/on-top-rows.ts';
import {FAILURE_SETTINGS} from '../../models/failure/settings.ts';
import {assembleModel, createFailureTrainer} from '../../models/failure/training.ts';
import type {ExampleSet} from '../../models/keeper/example-set.ts';
import {averagePrecision} from '../../models/metrics.ts';
import {bootstrapGain, type PairedBlock} from '../../models/registry/promotion.ts';
import {logLossOf} from '../../models/trees/boosting.ts';
import {scoreTrees, type TreeModel} from '../../models/trees/tree-model.ts';

/** As `forestay train --examples --parent` does; where it would refuse, the model below. */
export function trainOnTopOf(under: TreeModel, set: ExampleSet, seed: number): TreeModel {
  const taught = set.outputs.map(name => (set.counts.failures[name] ?? 0) >= FAILURES_MIN);
  const count = taught.filter(each => each).length;
  if (count === 0) return under;
  const treesMax = roomFor(under, nodesOf(under), count);
  const trainer = createOnTopTrainer(toOnTopRows(set, under), seed);
  const fits = taught.map((isTaught, at) => (isTaught ? trainer.fit(at, treesMax) : undefined));
  return assembleOnTop(under, fits);
}

/** As `forestay train --data` does, on all hosts. */
export function trainFromScratch(set: ExampleSet, seed: number): TreeModel {
  const {outputs} = COMPONENT_FAILURE;
  const data = toFailureData(set, {contract: COMPONENT_CONTRACT, outputs});
  const trainer = createFailureTrainer(data, seed);
  const fitted = outputs.map((_, at) => trainer.fit(at, FAILURE_SETTINGS));
  return assembleModel(set.featureCount, fitted);
}

export type RenewalScore = {
  /** Of all outputs together, a row. */
  readonly logLoss: number;
  /** Mean over the outputs. */
  readonly averagePrecision: number;
};

/** Rows of one class of hardware. */
export function scoreOn(
  sets: readonly ExampleSet[],
  hardware: string,
  risksOf: readonly Float32Array[],
): RenewalScore {
  const outputs = sets[0]?.outputs.length ?? 0;
  let [loss, precision] = [0, 0];
  for (let output = 0; output < outputs; output++) {
    const risks: number[] = [];
    const labels: number[] = [];
    for (const [at, set] of sets.entries()) {
      for (const row of rowsOf(set, hardware)) {
        const target = set.targets[row * outputs + output] as number;
        if (Number.isNaN(target)) continue;
        risks.push(risksOf[at]?.[row * outputs + output] as number);
        labels.push(target);
      }
    }
    precision += averagePrecision(Float32Array.from(risks), Uint8Array.from(labels)) / outputs;
    loss +=
      risks.reduce((sum, risk, at) => sum + lossOf(risk, labels[at] as number), 0) / risks.length;
  }
  return {logLoss: loss, averagePrecision: precision};
}

/** The gain in log-loss a row that a promotion would go by: with 95 %, over hours of hosts. */
export function gainAtLeast(
  sets: readonly ExampleSet[],
  hardware: string,
  champion: readonly Float32Array[],
  challenger: readonly Float32Array[],
  seed: number,
): number {
  const blocks = new Map<string, PairedBlock>();
  for (const [at, set] of sets.entries()) {
    const outputs = set.outputs.length;
    for (const row of rowsOf(set, hardware)) {
      const id = `${at}/${set.host[row]}/${Math.floor((set.atMs[row] as number) / 3_600_000)}`;
      const sum = blocks.get(id) ?? {champion: 0, challenger: 0, weight: 0};
      let [first, second] = [0, 0];
      for (let output = 0; output < outputs; output++) {
        const place = row * outputs + output;
        const target = set.targets[place] as number;
        if (Number.isNaN(target)) continue;
        first += lossOf(champion[at]?.[place] as number, target);
        second += lossOf(challenger[at]?.[place] as number, target);
      }
      blocks.set(id, {
        champion: sum.champion + first,
        challenger: sum.challenger + second,
        weight: sum.weight + 1,
      });
    }
  }
  return bootstrapGain([...blocks.values()], {seed, doubt: 0.05}).lower;
}

export function risksOn(model: TreeModel, sets: readonly ExampleSet[]): Float32Array[] {
  return sets.map(({rows, features}) => scoreTrees(model, rows, features));
}

function* rowsOf({rows, host, hosts}: ExampleSet, hardware: string): Generator<number> {
  for (let row = 0; row < rows; row++) {
    if (hosts[host[row] as number]?.hardware === hardware) yield row;
  }
}

function lossOf(risk: number, target: number): number {
  const kept = Math.min(Math.max(risk, 1e-12), 1 - 1e-12);
  return logLossOf(Math.log(kept / (1 - kept)), target);
}
