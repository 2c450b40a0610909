/** A reboot-intent model that is made by hand: what it says can be told beforehand. */
import {join} from 'node:path';
import type {ExecutionContext} from 'ava';
import {systemClock} from '../../core/adapters/clock-system.ts';
import {INTENT_INPUTS} from '../../core/domain/host-metrics.ts';
import {INTENT_COLUMNS} from '../../core/domain/intent-step.ts';
import {type IntentThreadOptions, openIntentThread} from '../../edge/intent-thread.ts';
import {writeIntentArtefact} from '../../models/intent/artefact.ts';
import {RISK_CLASSES} from '../../models/network/competing-risks.ts';
import {parameterCount} from '../../models/network/lstm.ts';
import type {Network} from '../../models/network/network.ts';
import {plainNormalisation} from '../../models/network/normalisation.ts';
import {identityCalibration} from '../../models/network/temperature.ts';
import {createUniform} from '../../models/random.ts';
import {temporaryFolder} from '../support/process.ts';

const HIDDEN = 2;
export const SCHEDULED = 'shutdown_scheduled_ratio';
export const FAULTS = 'log_memory_faults_per_minute';

/**
 * Its first unit sees only whether a shutdown is scheduled now, and makes an intentional reboot
 * within 15 to 30 minutes likely; the second adds up memory faults, for a crash within a minute.
 */
export function handmadeNetwork(): Network {
  const lstm = {inputs: INTENT_COLUMNS, hidden: HIDDEN, outputs: RISK_CLASSES};
  const theta = new Float32Array(parameterCount(lstm));
  const gates = 4 * HIDDEN;
  // Input, output and forget gates of both units, then what they remember.
  const candidate = (metric: string, unit: number, weight: number): void => {
    const input = INTENT_INPUTS.findIndex(({name}) => name === metric);
    theta[input * gates + 3 * HIDDEN + unit] = weight;
  };
  candidate(SCHEDULED, 0, 3);
  candidate(FAULTS, 1, 0.5);
  const bias = (INTENT_COLUMNS + HIDDEN) * gates;
  theta.set([4, -1, 6, 6, -6, 6], bias);
  const head = bias + gates;
  theta[head + 6] = 12;
  theta[head + RISK_CLASSES + 1] = 12;
  theta[head + HIDDEN * RISK_CLASSES + RISK_CLASSES - 1] = 6;
  return {
    form: 'stream',
    task: {kind: 'classes', classes: RISK_CLASSES},
    steps: 60,
    lstm,
    normalisation: plainNormalisation(INTENT_COLUMNS),
    theta,
  };
}

export async function writeHandmade(t: ExecutionContext): Promise<string> {
  const folder = join(temporaryFolder(t), 'model');
  const uniform = createUniform(3);
  await writeIntentArtefact(
    folder,
    {network: handmadeNetwork(), calibration: identityCalibration(RISK_CLASSES)},
    {
      version: '0.0.1',
      seed: 3,
      data: 'made by hand',
      metrics: [],
      limits: [],
      usual: new Float32Array(INTENT_COLUMNS),
    },
    Float32Array.from({length: 4 * INTENT_COLUMNS}, () =>
      uniform() < 0.2 ? Number.NaN : uniform(),
    ),
  );
  return folder;
}

export async function startThread(
  t: ExecutionContext,
  folder: string,
  options: Partial<IntentThreadOptions> = {},
) {
  const notes: string[] = [];
  const thread = await openIntentThread({
    folder,
    clock: systemClock,
    random: {next: () => 0.5},
    note: line => notes.push(line),
    ...options,
  });
  t.teardown(() => thread.close());
  return {thread, notes};
}

/** A row of inputs in which all is as usual but these. */
export function rowOf(values: Readonly<Record<string, number>>): Float32Array {
  return Float32Array.from(INTENT_INPUTS, ({name}) => values[name] ?? 0);
}
