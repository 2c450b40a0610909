import type {Command} from 'commander';
import {addOutputOption, type Format, print, printValue} from './output.ts';
import {formatTable} from './table.ts';

type FileOptions = {config: readonly string[]};

/** Adds `--config FILE`, which may be given more than once. */
export function addConfigOption(command: Command): Command {
  const collect = (file: string, files: readonly string[]) => [...files, file];
  return command.option('--config <file>', 'configuration; later files win', collect, []);
}

export function registerConfig(program: Command): void {
  const command = program
    .command('config')
    .description('what is configured, where, and what may be');
  const check = command
    .command('check')
    .description('say what is wrong with the configuration, by file:line:col')
    .action(async (options: FileOptions) => {
      const {configEntries} = await import('../core/config.ts');
      const {config, origins} = await load(options);
      const count = configEntries(config).filter(({path}) => origins.has(path)).length;
      const set = count === 1 ? '1 value is' : `${count} values are`;
      print(`the configuration is valid; ${set} set, the rest are defaults`);
    });
  addConfigOption(check);
  const show = command
    .command('show')
    .description('every value as it is in force')
    .option('--origin', 'and where each came from')
    .action(async (options: FileOptions & {origin?: boolean; output: Format}) => {
      const {configEntries} = await import('../core/config.ts');
      const {config, origins} = await load(options);
      const rows = configEntries(config).map(({path, value}) => ({
        path,
        value,
        origin: origins.get(path) ?? 'default',
      }));
      const value = (options.origin ? {values: rows} : config) as never;
      const columns = [
        {title: 'PATH', cell: (row: (typeof rows)[number]) => row.path},
        {title: 'VALUE', cell: (row: (typeof rows)[number]) => JSON.stringify(row.value)},
        ...(options.origin
          ? [{title: 'ORIGIN', cell: (row: (typeof rows)[number]) => row.origin}]
          : []),
      ];
      await printValue(options.output, value, () => formatTable(columns, rows));
    });
  addConfigOption(addOutputOption(show, ['table', 'json', 'ndjson', 'yaml']));
  command
    .command('schema')
    .description('JSON Schema of the configuration, for editors')
    .action(async () => {
      const {configJsonSchema} = await import('../core/config.ts');
      print(JSON.stringify(configJsonSchema(), null, 2));
    });
}

async function load({config}: FileOptions) {
  const {loadConfig} = await import('../core/config.ts');
  return loadConfig({env: process.env, files: config});
}
