import type {Command} from 'commander';
import {buildInfo} from '../core/build-info.ts';
import {addOutputOption, type Format, printValue} from './output.ts';

export function registerVersion(program: Command): void {
  const command = program
    .command('version')
    .description('version of this program')
    .action(async ({output}: {output: Format}) => {
      const value = {version: buildInfo().version, node: process.versions.node};
      await printValue(output, value, () => `forestay ${value.version} (node ${value.node})`);
    });
  addOutputOption(command, ['table', 'json', 'ndjson', 'yaml']);
}
