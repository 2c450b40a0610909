import {type Timestamp, timestampMs} from '@bufbuild/protobuf/wkt';
import type {Command} from 'commander';
import type {GetDriftResponse} from '../proto/gen/forestay/v1/drift_pb.ts';
import {addClientOptions, type ClientOptions, withCore} from './client.ts';
import {addOutputOption, type Format, printValue, toRecord} from './output.ts';

type DriftOptions = ClientOptions & {output: Format};

/** Whether the world is still as the model that serves has learned it. */
export function registerDrift(program: Command): void {
  const command = program
    .command('drift')
    .description('whether inputs and losses are still what the model has learned, by hardware')
    .action((options: DriftOptions) => showDrift(options));
  addClientOptions(addOutputOption(command, ['table', 'json', 'ndjson', 'yaml']));
}

function showDrift({output, ...options}: DriftOptions): Promise<void> {
  return withCore(options, async core => {
    const {DriftService, GetDriftResponseSchema} = await import(
      '../proto/gen/forestay/v1/drift_pb.ts'
    );
    const {fromReport} = await import('../proto/codec-drift.ts');
    const {driftText, NOTHING_YET} = await import('./drift-table.ts');
    const service = core.client(DriftService);
    const drift = await core.call(service, service.getDrift, {});
    const report = drift.report && driftText(fromReport(drift.report));
    await printValue(output, toRecord(GetDriftResponseSchema, drift), () =>
      drift.mode === 'off'
        ? 'nobody tends the models of this core: keeper.mode is off'
        : `${keeperText(drift)}\n\n${report ?? NOTHING_YET}`,
    );
  });
}

/** What the keeper is at, since when, and what it said last. Times are those of the rows. */
function keeperText(drift: GetDriftResponse): string {
  const {mode, phase, phaseTime, coolDownTime, because} = drift;
  const since = phaseTime ? ` since ${told(phaseTime)}` : '';
  const rest = coolDownTime ? `; no training begins before ${told(coolDownTime)}` : '';
  const first = `the keeper is in mode ${mode}, ${phase}${since}${rest}`;
  return because === '' ? first : `${first}\n${because}`;
}

function told(time: Timestamp): string {
  return new Date(timestampMs(time)).toISOString();
}
