/** The keeper of the models that hosts are scored by, made of the parts of a core. */
import {randomUUID} from 'node:crypto';
import {fileURLToPath} from 'node:url';
import {trainFromBook} from '../models/keeper/book-training.ts';
import {watchChampion} from '../models/keeper/champion-drift.ts';
import {ExampleBook} from '../models/keeper/example-book.ts';
import {startKeeper} from '../models/keeper/keeper.ts';
import type {Keeper, KeeperOptions} from '../models/keeper/keeper-parts.ts';
import {buildInfo} from './build-info.ts';
import type {KeeperConfig} from './config-schema.ts';
import type {InboxRecord} from './domain/records.ts';
import {publish} from './events.ts';
import type {Codec, Files, Log, ModelSource} from './ports.ts';
import {submit} from './submit.ts';

/** What a keeper works with wherever it keeps models. */
export type KeeperParts = Omit<
  KeeperOptions,
  'open' | 'examples' | 'train' | 'drift' | 'codeVersion'
> & {
  /** Opens models for the keeper alone, beside those that serve. */
  readonly models: ModelSource;
  readonly files: Files;
  /** Where trainings leave what they learned from and what they made; made when it is needed. */
  readonly folder: string;
};

export type KeepingParts = Omit<KeeperParts, 'mode' | 'switchModel' | 'onChange' | 'settings'> & {
  readonly log: Log;
  readonly codec: Codec;
};

/** A trial's longest time, in times of its least. */
const CANARY_TIMES_MAX = 6;
const PROGRAM = fileURLToPath(new URL('../bin/forestay', import.meta.url));

/** Starts the keeper as configured; undefined: nobody tends the models. */
export function keepModels(config: KeeperConfig, parts: KeepingParts): Keeper | undefined {
  const {mode, canaryMs, ...settings} = config;
  if (mode === 'off') return undefined;
  const {log, codec, ...rest} = parts;
  return openKeeper({
    ...rest,
    mode,
    switchModel: asked => submit({log, codec}, commandAt(rest.clock, asked)),
    onChange: change => publish('keeper.stepped', change),
    settings: {...settings, canaryMs, canaryMsMax: CANARY_TIMES_MAX * canaryMs},
  });
}

/** A keeper that collects examples and trains by `forestay train`, in a process of its own. */
export function openKeeper({models, files, folder, ...options}: KeeperParts): Keeper {
  const examples = new ExampleBook();
  const command = [process.execPath, PROGRAM, 'train', '--family', options.family] as const;
  return startKeeper({
    ...options,
    open: hash => models.open(hash),
    examples,
    train: trainFromBook({command, book: examples, files, folder}),
    drift: watchChampion,
    codeVersion: buildInfo().version,
  });
}

/** A command like anybody's. */
function commandAt(
  clock: KeeperOptions['clock'],
  asked: Parameters<KeeperOptions['switchModel']>[0],
): InboxRecord {
  const who = {requestId: randomUUID(), atMs: clock.nowMs(), author: 'keeper'};
  return {...who, kind: 'switch-model', ...asked};
}
