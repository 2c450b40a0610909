import type {Command} from 'commander';
import {addClientOptions, type ClientOptions, withCore} from './client.ts';
import {addOutputOption, type Format, printValue, toRecord} from './output.ts';

export function registerExplain(program: Command): void {
  const command = program
    .command('explain')
    .description('why a host or VM is thought to be at risk, and what was decided')
    .argument('<name>', 'hosts/HOST or vms/VM; HOST or VM alone where only one has that name')
    .action((name: string, options: ClientOptions & {output: Format}) =>
      withCore(options, async core => {
        const [{ExplainEntityResponseSchema}, {explainEntity, explanationLines}] =
          await Promise.all([
            import('../proto/gen/forestay/v1/inspect_pb.ts'),
            import('./describe.ts'),
          ]);
        const explanation = await explainEntity(core, name);
        const record = toRecord(ExplainEntityResponseSchema, explanation);
        await printValue(options.output, record, () =>
          [`${explanation.name} is ${explanation.state}`, ...explanationLines(explanation)].join(
            '\n',
          ),
        );
      }),
    );
  addClientOptions(addOutputOption(command, ['table', 'json', 'ndjson', 'yaml']));
}
