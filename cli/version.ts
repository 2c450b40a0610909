import {readFileSync} from 'node:fs';
import type {Command} from 'commander';
import {addOutputOption, type Format, printValue} from './output.ts';

/** Of the package. */
export function packageVersion(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as {version: string}).version;
}

export function registerVersion(program: Command): void {
  const command = program
    .command('version')
    .description('version of this program')
    .action(async ({output}: {output: Format}) => {
      const value = {version: packageVersion(), node: process.versions.node};
      await printValue(output, value, () => `forestay ${value.version} (node ${value.node})`);
    });
  addOutputOption(command, ['table', 'json', 'ndjson', 'yaml']);
}
