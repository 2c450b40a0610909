import {Argument, type Command, Option} from 'commander';
import type {Actor} from '../proto/gen/forestay/v1/inspect_pb.ts';
import {addClientOptions, type ClientOptions, withCore} from './client.ts';
import {toMs} from './listings.ts';
import {addOutputOption, type Format, print, printValue, toRecord} from './output.ts';
import {formatAge} from './table.ts';

export function registerInspect(program: Command): void {
  const command = program.command('inspect').description('statecharts, and actors from the inside');
  command
    .command('export')
    .description('the statechart of a machine, as this version has it')
    .addArgument(new Argument('<machine>', 'which').choices(['host', 'vm']))
    .addOption(
      new Option('--format <format>', 'how').choices(['mermaid', 'json']).default('mermaid'),
    )
    .action(async (machine: 'host' | 'vm', {format}: {format: 'mermaid' | 'json'}) => {
      const {exportJson, exportMermaid} = await import('../statecharts/export.ts');
      const json = () => JSON.stringify(exportJson(machine), null, 2);
      print(format === 'json' ? json() : exportMermaid(machine));
    });
  const actor = command
    .command('actor')
    .description('state, context, timers, history and effects of one actor')
    .argument('<name>', 'hosts/HOST or vms/VM; HOST or VM alone where only one has that name')
    .action((name: string, options: ClientOptions & {output: Format}) =>
      withCore(options, async core => {
        const {ActorSchema, InspectService} = await import(
          '../proto/gen/forestay/v1/inspect_pb.ts'
        );
        const inspect = core.client(InspectService);
        const answer = await core.call(inspect, inspect.getActor, {name});
        const found = answer.actor as Actor;
        await printValue(options.output, toRecord(ActorSchema, found), () =>
          actorLines(found).join('\n'),
        );
      }),
    );
  addClientOptions(addOutputOption(actor, ['table', 'json', 'ndjson', 'yaml']));
}

function actorLines(actor: Actor): string[] {
  const nowMs = Date.now();
  const context = JSON.parse(actor.context) as Record<string, unknown>;
  return [
    `${actor.name}  ${actor.machine} v${actor.machineVersion}  ${actor.state}`,
    'context',
    ...Object.entries(context).map(([key, value]) => `  ${key.padEnd(14)} ${value}`),
    ...actor.timers.map(({dueTime}) => `timer due ${new Date(toMs(dueTime) ?? 0).toISOString()}`),
    actor.history.length > 0 ? 'history, oldest first' : 'it never moved',
    ...actor.history.map(
      ({time, seq, from, to, event}) =>
        `  ${String(seq).padStart(4)}  ${formatAge(toMs(time), nowMs)} ago  ${event}  ${from} → ${to}`,
    ),
    ...(actor.effects.length > 0 ? ['effects, oldest first'] : []),
    ...actor.effects.map(
      ({time, id, kind, targetHost, agent}) =>
        `  ${formatAge(toMs(time), nowMs)} ago  ${kind} ${targetHost}  by ${agent}  (${id})`,
    ),
  ];
}
