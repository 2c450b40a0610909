import {userInfo} from 'node:os';
import {Argument, type Command, Option} from 'commander';
import {COMPONENTS} from '../core/domain/components.ts';
import {MODES, type Mode} from '../core/domain/policy.ts';
import {addClientOptions, type ClientOptions, type Connection, withCore} from './client.ts';
import {addOutputOption, type Format, printValue} from './output.ts';
import {resourceName} from './resources.ts';

export type ChangeOptions = ClientOptions & {requestId: string; author: string; output: Format};
type DeclareOptions = ChangeOptions & {part?: string};
type Answer = {requestId: string};

/** `pause` is the kill switch, `resume` lifts it. */
export function registerPauseAndResume(program: Command): void {
  const pause = program
    .command('pause')
    .description('stop all new acts, everywhere')
    .option('--comment <text>', 'why', '')
    .action((options: ChangeOptions & {comment: string}) =>
      change(options, 'paused', (core, control) =>
        core.call(control, control.pauseActions, requestOf(options)),
      ),
    );
  addChangeOptions(pause);
  const resume = program
    .command('resume')
    .description('let it act again')
    .option('--comment <text>', 'why', '')
    .action((options: ChangeOptions & {comment: string}) =>
      change(options, 'resumed', (core, control) =>
        core.call(control, control.resumeActions, requestOf(options)),
      ),
    );
  addChangeOptions(resume);
}

export function registerMode(program: Command): void {
  const command = program
    .command('mode')
    .description('how much it may do by itself: shows it, or changes it')
    .addArgument(new Argument('[mode]', 'the new mode').choices(MODES))
    .action(async (mode: Mode | undefined, options: ChangeOptions) => {
      if (mode === undefined) return await showModes(options);
      const {Mode: ModeMessage} = await import('../proto/gen/forestay/v1/control_pb.ts');
      const wanted = ModeMessage[mode.toUpperCase() as Uppercase<Mode>];
      await change(options, `mode is ${mode}`, (core, control) =>
        core.call(control, control.setMode, {...requestOf(options), mode: wanted}),
      );
    });
  addChangeOptions(command);
}

function showModes(options: ChangeOptions): Promise<void> {
  return withCore(options, async core => {
    const {countModes, modeLine} = await import('./modes.ts');
    const control = await openControl(core);
    const {partitions} = await core.call(control, control.getStatus, {});
    const modes = countModes(partitions);
    await printValue(options.output, {modes}, () => modes.map(modeLine).join('\n'));
  });
}

/** An operator's word on a host, which counts as proof. */
export function registerDeclare(program: Command): void {
  const states = ['lost', 'returned'] as const;
  const command = program
    .command('declare')
    .description(
      'say that a host is down for good, or back, and which part failed; it counts as proof',
    )
    .argument('<host>', 'the host')
    .addArgument(new Argument('<state>', 'what it is').choices(states))
    .addOption(
      new Option(
        '--part <part>',
        'that has failed; may be said later, models learn from it',
      ).choices(COMPONENTS),
    )
    .action(async (host: string, state: (typeof states)[number], options: DeclareOptions) => {
      const {HostDeclaration} = await import('../proto/gen/forestay/v1/control_pb.ts');
      const declaration = HostDeclaration[state.toUpperCase() as Uppercase<typeof state>];
      const name = resourceName('hosts', host);
      const {part = ''} = options;
      const because = part === '' ? '' : `, its ${part} has failed`;
      await change(options, `${name} is ${state}${because}`, (core, control) =>
        core.call(control, control.declareHost, {...requestOf(options), name, declaration, part}),
      );
    });
  addChangeOptions(command);
}

type Control = Awaited<ReturnType<typeof openControl>>;

export async function openControl(core: Connection) {
  const {ControlService} = await import('../proto/gen/forestay/v1/control_pb.ts');
  return core.client(ControlService);
}

export function change(
  options: ChangeOptions,
  done: string,
  ask: (core: Connection, control: Control) => Promise<Answer>,
): Promise<void> {
  return withCore(options, async core => {
    const {requestId} = await ask(core, await openControl(core));
    await printValue(options.output, {requestId}, () => `${done}  (request ${requestId})`);
  });
}

export function requestOf({author, requestId, comment = ''}: ChangeOptions & {comment?: string}) {
  return {author, requestId, comment};
}

export function addChangeOptions(command: Command): void {
  command
    .addOption(new Option('--author <name>', 'who asks').default(userName(), 'you'))
    .option('--request-id <id>', 'the same id acts once, however often it is sent', '');
  addClientOptions(addOutputOption(command, ['table', 'json', 'ndjson', 'yaml']));
}

/** A process of a user without an entry in the password file has no name; the core takes its address. */
export function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return '';
  }
}
