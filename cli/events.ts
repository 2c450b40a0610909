import type {Command} from 'commander';
import {addClientOptions, withCore} from './client.ts';
import type {EventsOptions} from './event-stream.ts';
import {addOutputOption} from './output.ts';

/** `events`: every transition, decision, effect, result, command and change of owner, in order. */
export function registerEvents(program: Command): void {
  const command = program
    .command('events')
    .description('everything that happened, in order: moves, decisions, effects and their results')
    .option('-w, --watch', 'go on with what happens from now on, also when the core restarts')
    .option('--filter <filter>', 'FIELD OP VALUE terms joined by AND, e.g. "kind = decision"', '')
    .option('--since <when>', 'a time, an age (15m), or the token that an earlier call gave')
    .action((options: EventsOptions) =>
      withCore(options, async core => {
        const {tellEvents} = await import('./event-stream.ts');
        await tellEvents(core, options);
      }),
    );
  addClientOptions(addOutputOption(command, ['table', 'json', 'ndjson', 'name']));
}
