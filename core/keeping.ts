/** The keeper of the models that hosts are scored by, made of the parts of a core. */
import {randomUUID} from 'node:crypto';
import {fileURLToPath} from 'node:url';
import {trainFromBook} from '../models/keeper/book-training.ts';
import {watchChampion} from '../models/keeper/champion-drift.ts';
import {ExampleBook} from '../models/keeper/example-book.ts';
import {startKeeper} from '../models/keeper/keeper.ts';
import type {Keeper, KeeperOptions} from '../models/keeper/keeper-parts.ts';
import type {Registry} from '../models/registry/registry.ts';
import {buildInfo} from './build-info.ts';
import type {KeeperConfig} from './config-schema.ts';
import type {InboxRecord} from './domain/records.ts';
import {publish} from './events.ts';
import type {Clock, Codec, Files, Log, ModelSource} from './ports.ts';
import {submit} from './submit.ts';

export type KeepingParts = {
  readonly family: string;
  readonly registry: Registry;
  /** Opens models for the keeper alone, beside those that serve. */
  readonly models: ModelSource;
  readonly log: Log;
  readonly codec: Codec;
  readonly clock: Clock;
  readonly files: Files;
  /** Where trainings leave what they learned from and what they made; made when it is needed. */
  readonly folder: string;
  /** Artefact that serves where nobody was promoted yet. */
  readonly configured: string;
  /** Said to people, a sentence each. */
  tell(line: string): void;
};

/** A trial's longest time, in times of its least. */
const CANARY_TIMES_MAX = 6;
const PROGRAM = fileURLToPath(new URL('../bin/forestay', import.meta.url));

/** Starts the keeper as configured; undefined: nobody tends the models. */
export function keepModels(config: KeeperConfig, parts: KeepingParts): Keeper | undefined {
  const {mode, canaryMs, ...settings} = config;
  if (mode === 'off') return undefined;
  const {models, log, codec, clock, files, folder, ...rest} = parts;
  const examples = new ExampleBook();
  const command = [process.execPath, PROGRAM, 'train', '--family', rest.family] as const;
  return startKeeper({
    ...rest,
    mode,
    clock,
    open: hash => models.open(hash),
    examples,
    train: trainFromBook({command, book: examples, files, folder}),
    drift: watchChampion,
    switchModel: asked => submit({log, codec}, commandAt(clock, asked)),
    onChange: change => publish('keeper.stepped', change),
    codeVersion: buildInfo().version,
    settings: {...settings, canaryMs, canaryMsMax: CANARY_TIMES_MAX * canaryMs},
  });
}

/** A command like anybody's. */
function commandAt(clock: Clock, asked: Parameters<KeeperOptions['switchModel']>[0]): InboxRecord {
  const who = {requestId: randomUUID(), atMs: clock.nowMs(), author: 'keeper'};
  return {...who, kind: 'switch-model', ...asked};
}
