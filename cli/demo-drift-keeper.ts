/** The keeper of the demo's core, with settings for a time lapse. */
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {nodeFiles} from '../core/adapters/files-node.ts';
import {buildInfo} from '../core/build-info.ts';
import type {Clock, ModelSource} from '../core/ports.ts';
import {trainFromBook} from '../models/keeper/book-training.ts';
import {watchChampion} from '../models/keeper/champion-drift.ts';
import {ExampleBook} from '../models/keeper/example-book.ts';
import {startKeeper} from '../models/keeper/keeper.ts';
import type {Keeper} from '../models/keeper/keeper-parts.ts';
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

const PROGRAM = fileURLToPath(new URL('../bin/forestay', import.meta.url));

export function openDemoKeeper(options: DemoKeeperOptions): Keeper {
  const {family, registry, models, control, clock, folder, tell} = options;
  const examples = new ExampleBook();
  const train = [process.execPath, PROGRAM, 'train', '--family', family] as const;
  const training = join(folder, 'training');
  return startKeeper({
    family,
    mode: 'auto',
    registry,
    open: hash => models.open(hash),
    examples,
    train: trainFromBook({command: train, book: examples, files: nodeFiles, folder: training}),
    drift: watchChampion,
    switchModel: command => control.switchModel(command),
    clock,
    tell,
    codeVersion: buildInfo().version,
    settings: DRIFT_SCENARIO.keeper,
    limits: DRIFT_SCENARIO.keeperLimits,
  });
}
