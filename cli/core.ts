import type {Command} from 'commander';
import {addConfigOption} from './config.ts';
import {EXIT, exitCodeOf} from './exit-codes.ts';
import {firstSignal} from './signals.ts';

type CoreOptions = {
  config: readonly string[];
  data?: string;
  listen?: string;
  http?: string;
  log?: string;
  store?: string;
  hypervisor?: string;
  insecure?: boolean;
};

export function registerCore(program: Command): void {
  const command = program
    .command('core')
    .description('run the core: take telemetry, predict, decide, act as far as it is allowed')
    .option('--data <dir>', 'where logs, checkpoints and the store live')
    .option('--listen <host:port>', 'gRPC; port 0 takes a free one')
    .option('--http <host:port>', 'health, metrics and version')
    .option('--log <kind>', 'segments, kafka or memory')
    .option('--store <kind>', 'sqlite, questdb or memory')
    .option('--hypervisor <kind>', 'grpc: agents act on their hosts; none: nobody acts')
    .option('--insecure', 'bind addresses that others reach, although nobody is authenticated')
    .action(runCore);
  addConfigOption(command);
}

async function runCore(options: CoreOptions): Promise<void> {
  const [{checkBind}, {formatError}, {loadConfig}, {logProblem, logInfo}] = await Promise.all([
    import('../core/domain/bind.ts'),
    import('../core/domain/errors.ts'),
    import('../core/config.ts'),
    import('./logger.ts'),
  ]);
  const {config, origins} = loadConfig({
    env: process.env,
    files: options.config,
    flags: {
      'core.dataDir': {flag: '--data', value: options.data},
      'core.listen': {flag: '--listen', value: options.listen},
      'core.http': {flag: '--http', value: options.http},
      'log.kind': {flag: '--log', value: options.log},
      'store.kind': {flag: '--store', value: options.store},
      'hypervisor.kind': {flag: '--hypervisor', value: options.hypervisor},
      'core.insecure': {flag: '--insecure', value: options.insecure},
    },
  });
  // Said at once, not after the models are loaded.
  checkBind('gRPC', config.core.listen, config.core.insecure);
  checkBind('HTTP', config.core.http, config.core.insecure);
  const asked = firstSignal();
  const stop = new Promise<string>(resolve => {
    asked.addEventListener('abort', () => resolve(asked.reason), {once: true});
  });
  const {startCore} = await import('../core/main.ts');
  const modeMax = origins.has('policy.mode') ? config.policy.mode : undefined;
  const starting = startCore(config, {
    modeMax,
    onProblem: logProblem,
    onWaiting: message => logInfo(message, {}),
    onKeeping: message => logInfo(message, {}),
    // What it still holds it may not write down.
    onLost: error => {
      logProblem(formatError(error));
      process.exit(exitCodeOf(error));
    },
  });
  const core = await Promise.race([starting, stop]);
  if (typeof core === 'string') {
    // What start waits for (a broker, a damaged partition) may never come; a core that has not
    // started has nothing to finish, so its end is no worse than a crash's.
    logInfo(`${core}: stopped before it was ready`, {signal: core});
    process.exit(EXIT.done);
  }
  logInfo(`core serves gRPC on ${core.grpcAddress}, HTTP on ${core.httpAddress}`, {
    grpcAddress: core.grpcAddress,
    httpAddress: core.httpAddress,
  });
  const signal = await stop;
  logInfo(`${signal}: finishing what was taken`, {signal});
  await core.close();
  logInfo('stopped', {});
}
