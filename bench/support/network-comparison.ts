/** What windows and streams learn from the same hosts, judged on other ones. */

import {RISK_OUTPUTS} from '../../core/domain/reboot-risks.ts';
import {averagePrecision} from '../../models/metrics.ts';
import {RISK_CLASSES, RISK_SUMS} from '../../models/network/competing-risks.ts';
import {predictSequences} from '../../models/network/evaluation.ts';
import type {NetworkForm} from '../../models/network/network.ts';
import type {Sequences} from '../../models/network/sequences.ts';
import {calibratedProbabilities, fitCalibration} from '../../models/network/temperature.ts';
import {NETWORK_DEFAULTS, type NetworkOptions, trainNetwork} from '../../models/network/train.ts';
import {drawSequences} from './network-sequences.ts';

/** Windows of neighbouring samples are nearly the same: every third one ends a window. */
const STRIDE = 3;
const JUDGED = ['intentional-15m', 'crash-15m', 'intentional-30m', 'crash-30m'];

/** An epoch of windows has as many steps as thirty of streams: each gets what it needs. */
const PLANS: Record<NetworkForm, Pick<NetworkOptions, 'epochs' | 'patience' | 'batchRows'>> = {
  window: {epochs: 10, patience: 3, batchRows: 64},
  stream: {epochs: 60, patience: 12, batchRows: 32},
};

/** Log-loss, average precision and cost of training, a figure a seed. */
export async function compareForms(
  hosts: number,
  seeds: number,
): Promise<Record<string, number[]>> {
  const training = drawSequences(hosts, 1);
  const [validation, test] = [drawSequences(hosts / 2, 2), drawSequences(hosts, 3)];
  const found: Record<string, number[]> = {};
  const note = (name: string, value: number) => {
    found[name] = [...(found[name] ?? []), value];
  };
  for (const form of ['window', 'stream'] as const) {
    const taught = form === 'window' ? thinned(training) : training;
    const stopped = form === 'window' ? thinned(validation) : validation;
    for (let seed = 1; seed <= seeds; seed++) {
      const before = process.cpuUsage();
      const network = await trainNetwork(
        {training: taught, validation: stopped},
        {
          ...NETWORK_DEFAULTS,
          ...PLANS[form],
          form,
          task: {kind: 'classes', classes: RISK_CLASSES},
          seed,
        },
      );
      const {user, system} = process.cpuUsage(before);
      note(`compare.${form}.trainCpuSeconds`, (user + system) / 1e6);
      note(`compare.${form}.epochs`, network.epochs.length);
      const calibration = fitCalibration(
        'temperature',
        RISK_CLASSES,
        await predictSequences(network, stopped),
        stopped.targets,
        stopped.weights,
      );
      const risks = calibratedProbabilities(await predictSequences(network, test), calibration);
      note(`compare.${form}.logLoss`, logLossOf(risks, test));
      for (const output of JUDGED) {
        note(`compare.${form}.ap.${output}`, precisionOf(output, risks, test));
      }
    }
  }
  note('compare.baseRate.logLoss', baseLossOf(test));
  return found;
}

function thinned(data: Sequences): Sequences {
  return {...data, weights: data.weights.map((weight, row) => (row % STRIDE === 0 ? weight : 0))};
}

function judgedRows({weights}: Sequences): number[] {
  return [...weights.keys()].filter(row => (weights[row] as number) > 0);
}

function logLossOf(risks: Float32Array, data: Sequences): number {
  const rows = judgedRows(data);
  const sum = rows.reduce((total, row) => {
    const at = row * RISK_CLASSES;
    const index = data.targets.subarray(at, at + RISK_CLASSES).indexOf(1);
    return total - Math.log(Math.max(risks[at + index] as number, 1e-12));
  }, 0);
  return sum / rows.length;
}

function precisionOf(output: string, risks: Float32Array, data: Sequences): number {
  const column = RISK_OUTPUTS.indexOf(output);
  const sumOf = (values: Float32Array, row: number) =>
    RISK_SUMS.reduce(
      (sum, line, index) =>
        sum + (values[row * RISK_CLASSES + index] as number) * (line[column] as number),
      0,
    );
  const rows = judgedRows(data);
  return averagePrecision(
    rows.map(row => sumOf(risks, row)),
    Uint8Array.from(rows, row => sumOf(data.targets, row)),
  );
}

/** Of who knows how frequent the classes are, and nothing else. */
function baseLossOf(data: Sequences): number {
  const rows = judgedRows(data).length;
  let loss = 0;
  for (let index = 0; index < RISK_CLASSES; index++) {
    const count = data.targets.reduce(
      (sum, target, at) => (at % RISK_CLASSES === index ? sum + target : sum),
      0,
    );
    if (count > 0) loss -= (count / rows) * Math.log(count / rows);
  }
  return loss;
}
