import type {DescMessage, MessageShape} from '@bufbuild/protobuf';
import type {Timestamp} from '@bufbuild/protobuf/wkt';
import type {Command} from 'commander';
import {shortHash} from '../core/domain/hash.ts';
import type {Counterfactual} from '../proto/gen/forestay/v1/fleet_pb.ts';
import type {ExplainEntityResponse} from '../proto/gen/forestay/v1/inspect_pb.ts';
import {addClientOptions, type ClientOptions, type Connection, withCore} from './client.ts';
import {formatFigure} from './figures.ts';
import {addOutputOption, type Format, printValue, toRecord} from './output.ts';
import {type Resource, resourceName} from './resources.ts';
import {formatAge, formatOutcome, formatRisk} from './table.ts';

/** A label and what stands beside it; an empty value is left out. */
type Fact = readonly [label: string, value: string];

type Described = {
  name: string;
  state: string;
  substate: string;
  stateTime?: Timestamp;
  asOfTime?: Timestamp;
};

/** Adds `describe`: everything about one thing, reasons and newest decisions included. */
export function addDescribeVerb<Schema extends DescMessage>(
  command: Command,
  resource: Resource<Schema>,
  factsOf: (item: MessageShape<Schema>) => readonly Fact[],
): void {
  const {plural, singular} = resource;
  const describe = command
    .command('describe')
    .description(`everything about one ${singular}: facts, reasons, decisions`)
    .argument('<name>', `the ${singular}`)
    .action((name: string, options: ClientOptions & {output: Format}) =>
      withCore(options, async core => {
        const {ExplainEntityResponseSchema} = await import(
          '../proto/gen/forestay/v1/inspect_pb.ts'
        );
        const {listing, get} = await resource.load();
        const fullName = resourceName(plural, name);
        const item = await get(core, fullName);
        const explanation = await explainEntity(core, fullName);
        const record = {
          [singular]: toRecord(listing.schema, item),
          explanation: toRecord(ExplainEntityResponseSchema, explanation),
        };
        await printValue(options.output, record, () =>
          [...headOf(item as unknown as Described), ...lines(factsOf(item))]
            .concat('', ...explanationLines(explanation))
            .join('\n'),
        );
      }),
    );
  addClientOptions(addOutputOption(describe, ['table', 'json', 'ndjson', 'yaml']));
}

export async function explainEntity(
  core: Connection,
  name: string,
): Promise<ExplainEntityResponse> {
  const {InspectService} = await import('../proto/gen/forestay/v1/inspect_pb.ts');
  const inspect = core.client(InspectService);
  return core.call(inspect, inspect.explainEntity, {name});
}

/** The explanation for people: risk, components, reasons, decisions. */
export function explanationLines(explanation: ExplainEntityResponse): string[] {
  const {host, componentRisks, reasons, counterfactual, decisions} = explanation;
  const nowMs = ageMs(explanation.asOfTime) ?? Date.now();
  const whose = host === explanation.name || host === '' ? '' : ` of its host ${host}`;
  const byRisk = componentRisks.toSorted((left, right) => right.risk - left.risk);
  return [
    `risk${whose} ${formatRisk(explanation.risk)}${scoredAge(explanation)}`,
    ...byRisk.map(({component, risk}) => `  ${component.padEnd(12)} ${risk.toFixed(3)}`),
    ...learnedLines(explanation),
    ...(reasons.length > 0 ? ['because'] : []),
    ...reasons.map(({contribution, component, feature, value, usual, unit}) => {
      const sign = contribution < 0 ? '' : '+';
      // Of a reboot the agent says what speaks for it, and not what is usual.
      const beside = Number.isNaN(usual) ? '' : `  usual ${formatFigure(usual)}`;
      return `  ${sign}${contribution.toFixed(2)}  ${component} ${feature} ${formatFigure(value, unit)}${beside}`;
    }),
    ...(counterfactual === undefined ? [] : [otherwise(counterfactual)]),
    decisions.length > 0 ? 'decisions, newest first' : 'no decision is recorded',
    ...decisions.map(({time, action, targetHost, outcome, blockedBy, because}) => {
      const age = formatAge(ageMs(time), nowMs);
      const what = targetHost ? `${action} to ${targetHost}` : action;
      return `  ${age} ago  ${what} (${formatOutcome(outcome, blockedBy)}): ${because}`;
    }),
  ];
}

/** What the cell's own past did to the risk, apart from the model. */
function learnedLines({learnedLogOdds}: ExplainEntityResponse): string[] {
  if (learnedLogOdds === 0) return [];
  const factor = Math.exp(Math.abs(learnedLogOdds)).toFixed(2);
  const verb = learnedLogOdds > 0 ? 'multiplied' : 'divided';
  return [`of it, this cell's own past has ${verb} the model's odds by ${factor}`];
}

function scoredAge({scoreTime, asOfTime, modelHash}: ExplainEntityResponse): string {
  if (scoreTime === undefined) return '';
  return `, scored ${formatAge(ageMs(scoreTime), ageMs(asOfTime) ?? Date.now())} ago by model ${shortHash(modelHash)}`;
}

function ageMs(time: Timestamp | undefined): number | undefined {
  return time && Number(time.seconds) * 1000 + time.nanos / 1e6;
}

/** `it would be 12 %, below the threshold, if disk_latency_seconds were 0.001 seconds` */
function otherwise({changes, risk}: Counterfactual): string {
  const wanted = changes.map(
    ({metric, value, unit}) => `${metric} were ${formatFigure(value, unit)}`,
  );
  return `it would be ${formatRisk(risk)}, below the threshold, if ${wanted.join(' and ')}`;
}

function headOf({name, state, substate, stateTime, asOfTime}: Described): string[] {
  const nowMs = ageMs(asOfTime) ?? Date.now();
  const since = stateTime ? ` for ${formatAge(ageMs(stateTime), nowMs)}` : '';
  return [name, ...lines([['state', `${state}${substate && ` (${substate})`}${since}`]])];
}

function lines(facts: readonly Fact[]): string[] {
  return facts
    .filter(([_label, value]) => value !== '')
    .map(([label, value]) => `  ${label.padEnd(12)} ${value}`);
}
