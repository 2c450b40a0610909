/** The keeper of the demo's core, with settings for a time lapse. */
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {nodeFiles} from '../core/adapters/files-node.ts';
import {buildInfo} from '../core/build-info.ts';
import type {Clock, ModelSource} from '../core/ports.ts';
import {watchChampion} from '../models/keeper/champion-drift.ts';
import {ExampleBook} from '../models/keeper/example-book.ts';
import {writeExamples} from '../models/keeper/example-file.ts';
import {startKeeper} from '../models/keeper/keeper.ts';
import type {Keeper, KeeperOptions} from '../models/keeper/keeper-parts.ts';
import {createTrainer} from '../models/keeper/trainer.ts';
import type {Registry} from '../models/registry/registry.ts';
import type {DemoControl} from './demo-drift-control.ts';
import {DRIFT_SCENARIO} from './demo-drift-scenario.ts';

export type DemoKeeperOptions = {
  readonly family: string;
  readonly registry: Registry;
  readonly models: ModelSource;
  readonly control: DemoControl;
  readonly clock: Clock;
  /** Where trainings find examples and leave what they learned. */
  readonly folder: string;
  /** What it says to people; what it writes down is among it. */
  readonly tell: (line: string) => void;
};

export function openDemoKeeper(options: DemoKeeperOptions): Keeper {
  const {family, registry, models, control, clock, tell} = options;
  const examples = new ExampleBook();
  return startKeeper({
    family,
    mode: 'auto',
    registry,
    open: hash => models.open(hash),
    examples,
    train: trainOn(examples, options),
    drift: watchChampion,
    switchModel: command => control.switchModel(command),
    clock,
    tell,
    codeVersion: buildInfo().version,
    settings: DRIFT_SCENARIO.keeper,
    limits: DRIFT_SCENARIO.keeperLimits,
  });
}

const PROGRAM = fileURLToPath(new URL('../bin/forestay', import.meta.url));

/** Trains in a process of its own, from a file of what is known when it begins. */
function trainOn(
  examples: ExampleBook,
  {family, folder}: DemoKeeperOptions,
): KeeperOptions['train'] {
  const command = [process.execPath, PROGRAM, 'train', '--family', family] as const;
  const trainer = createTrainer({command});
  const path = join(folder, 'examples');
  return async ({parent, seed}, signal) => {
    const dataHash = writeExamples(nodeFiles, path, examples.examples());
    const out = join(folder, 'trained');
    const job = {examples: path, parent, out, seed};
    return {...(await trainer.train(job, signal)), dataHash};
  };
}
