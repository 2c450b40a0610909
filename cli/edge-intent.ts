/** What an edge does with the reboot-intent model. */
import {existsSync} from 'node:fs';
import {fileURLToPath} from 'node:url';
import {type Command, InvalidArgumentError, Option} from 'commander';
import {ForestayError} from '../core/domain/errors.ts';
import {DEFAULT_FLAG_POLICY, FLAGS, type FlagName} from '../core/domain/intent-policy.ts';
import type {IntentUse} from '../edge/intent-use.ts';

export type IntentFlagOptions = {
  intentModel?: string;
  localFlags?: string;
  localGain: Minutes;
  localCost: Minutes;
};

type Minutes = Readonly<Record<FlagName, number>>;

const SHIPPED = fileURLToPath(new URL('../models/artefacts/reboot-intent', import.meta.url));

export function addIntentOptions(command: Command): Command {
  const [gain, cost] = [minutesOf('gain'), minutesOf('cost')];
  return command
    .option(
      '--intent-model <dir>',
      'tells how likely this host is rebooted or crashes (default: the one that comes along); off: none',
    )
    .option(
      '--local-flags <dir>',
      'write the files checkpoint-me and drain there while this host is likely to go down',
    )
    .addOption(
      new Option(
        '--local-gain <file=minutes,...>',
        'work that a flag saves if the host does go down',
      )
        .argParser(text => minutes(text, gain))
        .default(gain, shown(gain)),
    )
    .addOption(
      new Option(
        '--local-cost <file=minutes,...>',
        'work that a flag costs in any case: it is up when probability × gain reaches that',
      )
        .argParser(text => minutes(text, cost))
        .default(cost, shown(cost)),
    );
}

/**
 * The model that is asked for, or the one that comes along if it does.
 *
 * @throws {ForestayError} `CONFIG_INVALID` for flags without a model.
 */
export function toIntentUse(
  {intentModel, localFlags, localGain, localCost}: IntentFlagOptions,
  note: (line: string) => void,
): IntentUse | undefined {
  const model = intentModel ?? (existsSync(SHIPPED) ? SHIPPED : 'off');
  if (model === 'off') {
    if (localFlags !== undefined) {
      throw new ForestayError(
        'CONFIG_INVALID',
        '--local-flags needs a reboot-intent model: give --intent-model DIR',
      );
    }
    if (intentModel === undefined) note('edge: no reboot-intent model came along: it is off');
    return undefined;
  }
  const required = intentModel !== undefined;
  if (localFlags === undefined) return {model, required};
  const policy = {
    'checkpoint-me': {gain: localGain['checkpoint-me'], cost: localCost['checkpoint-me']},
    drain: {gain: localGain.drain, cost: localCost.drain},
  };
  return {model, required, flags: {folder: localFlags, policy}};
}

function minutesOf(what: 'gain' | 'cost'): Minutes {
  const {drain, 'checkpoint-me': checkpoint} = DEFAULT_FLAG_POLICY;
  return {'checkpoint-me': checkpoint[what], drain: drain[what]};
}

function shown(of: Minutes): string {
  return FLAGS.map(flag => `${flag}=${of[flag]}`).join();
}

function minutes(text: string, before: Minutes): Minutes {
  const result = {...before};
  for (const pair of text.split(',')) {
    const [, file, value] = /^([a-z-]+)=(\d+(?:\.\d+)?)$/.exec(pair) ?? [];
    const flag = FLAGS.find(name => name === file);
    if (flag === undefined || !(Number(value) > 0)) {
      throw new InvalidArgumentError('Expected checkpoint-me=MINUTES,drain=MINUTES, above 0.');
    }
    result[flag] = Number(value);
  }
  return result;
}
