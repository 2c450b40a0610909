import {join, resolve} from 'node:path';
import {type Command, Option} from 'commander';
import {nodeFiles} from '../core/adapters/files-node.ts';
import {loadConfig} from '../core/config.ts';
import type {Author} from '../models/registry/aliases.ts';
import {openRegistry, type Registry} from '../models/registry/registry.ts';
import {addConfigOption} from './config.ts';
import {userName} from './control.ts';
import {addOutputOption, type Format} from './output.ts';
import type {Progress} from './train-progress.ts';

export type RegistryOptions = {registry?: string; config: readonly string[]; output: Format};
export type ChangeOptions = RegistryOptions & {author: string; why: string};

/** Adds where the registry is, and how to print. */
export function addRegistryOptions(command: Command): Command {
  command.option('--registry <dir>', 'folder of the models (models in the data folder)');
  return addConfigOption(addOutputOption(command, ['table', 'json', 'ndjson', 'yaml']));
}

/** Adds who changes something, and why. */
export function addAuthorOptions(command: Command): Command {
  command
    .addOption(new Option('--author <name>', 'who asks').default(userName(), 'you'))
    .option('--why <text>', 'the reason, for the audit log', '');
  return addRegistryOptions(command);
}

export function openRegistryOf({
  registry,
  config,
}: Pick<RegistryOptions, 'registry' | 'config'>): Registry {
  if (registry !== undefined) return openRegistry(resolve(registry), nodeFiles);
  const {core} = loadConfig({env: process.env, files: config}).config;
  return openRegistry(join(core.dataDir, 'models'), nodeFiles);
}

export function authorOf({author, why}: ChangeOptions): Author {
  return {who: author, why, atMs: Date.now()};
}

/** What takes a while says what it does. */
export const progress: Progress = {
  note: line => void process.stderr.write(`models: ${line}\n`),
  show: () => {},
};

/** What is the matter with files of the registry, beside what was asked for. */
export function warn(remarks: readonly string[]): void {
  for (const remark of remarks) process.stderr.write(`forestay: ${remark}\n`);
}
