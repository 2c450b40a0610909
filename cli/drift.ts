import type {Command} from 'commander';
import {addClientOptions, type ClientOptions, withCore} from './client.ts';
import {addOutputOption, type Format, printValue, toRecord} from './output.ts';

const NOTHING_YET = 'no host has been heard for long enough yet';

type DriftOptions = ClientOptions & {output: Format; json?: boolean};

/** Whether the world is still as the model that serves has learned it. */
export function registerDrift(program: Command): void {
  const command = program
    .command('drift')
    .description('whether inputs and losses are still what the model has learned, by hardware')
    .option('--json', 'the same as --output json')
    .action((options: DriftOptions) => showDrift(options));
  addClientOptions(addOutputOption(command, ['table', 'json', 'ndjson', 'yaml']));
}

function showDrift({json, output, ...options}: DriftOptions): Promise<void> {
  return withCore(options, async core => {
    const {DriftService, GetDriftResponseSchema} = await import(
      '../proto/gen/forestay/v1/drift_pb.ts'
    );
    const {fromReport} = await import('../proto/codec-drift.ts');
    const {driftText} = await import('./drift-table.ts');
    const service = core.client(DriftService);
    const drift = await core.call(service, service.getDrift, {});
    const report = drift.report && driftText(fromReport(drift.report));
    await printValue(json ? 'json' : output, toRecord(GetDriftResponseSchema, drift), () =>
      drift.mode === 'off'
        ? 'nobody tends the models of this core: keeper.mode is off'
        : `the keeper is in mode ${drift.mode}, ${drift.phase}\n\n${report ?? NOTHING_YET}`,
    );
  });
}
