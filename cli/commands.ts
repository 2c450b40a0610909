import type {Command} from 'commander';
import {registerConfig} from './config.ts';
import {registerDeclare, registerMode, registerPauseAndResume} from './control.ts';
import {registerCore} from './core.ts';
import {registerDecisions} from './decisions.ts';
import {registerDrift} from './drift.ts';
import {registerEvents} from './events.ts';
import {registerExplain} from './explain.ts';
import {registerHosts} from './hosts.ts';
import {registerInspect} from './inspect.ts';
import {registerSkill} from './skill.ts';
import {registerStatus} from './status.ts';
import {registerVersion} from './version.ts';
import {registerVms} from './vms.ts';

type Register = (program: Command) => void;

/**
 * Programs of their own, loaded only when they are called: an edge has no use for what a trainer
 * needs, and help is fast.
 */
const programs: readonly {name: string; description: string; load(): Promise<Register>}[] = [
  {
    name: 'demo',
    description: 'a simulated datacenter on the real path; needs nothing else',
    load: async () => (await import('./demo.ts')).registerDemo,
  },
  {
    name: 'edge',
    description: 'run the agent of this host: measure, send, act as far as it is allowed',
    load: async () => (await import('./edge.ts')).registerEdge,
  },
  {
    name: 'datacenter',
    description: 'run simulated hosts, with real agents, for cores that run elsewhere',
    load: async () => (await import('./datacenter.ts')).registerDatacenter,
  },
  {
    name: 'train',
    description: 'train a model: of failing components, their outlook, or reboots',
    load: async () => (await import('./train.ts')).registerTrain,
  },
  {
    name: 'models',
    description: 'models with their history: who serves, who challenges, what was before',
    load: async () => (await import('./models.ts')).registerModels,
  },
  {
    name: 'backtest',
    description: 'predict recorded data as if it were live',
    load: async () => (await import('./backtest.ts')).registerBacktest,
  },
  {
    name: 'replay',
    description: 'stream recorded data as hosts through the same path',
    load: async () => (await import('./replay.ts')).registerReplay,
  },
  {
    name: 'bench',
    description: 'measure the prediction path on this machine',
    load: async () => (await import('./bench.ts')).registerBench,
  },
];

/** Adds every command; of the programs only the one that `args` call is loaded. */
export async function registerAll(program: Command, args: readonly string[]): Promise<void> {
  const called = args.find(arg => !arg.startsWith('-'));
  const helped = called === 'help' ? args.at(-1) : undefined;
  for (const {name, description, load} of programs) {
    if (name === called || name === helped) (await load())(program);
    else program.command(name).description(description);
  }
  const registers: readonly Register[] = [
    registerCore,
    registerHosts,
    registerVms,
    registerExplain,
    registerDecisions,
    registerEvents,
    registerPauseAndResume,
    registerMode,
    registerDeclare,
    registerSkill,
    registerDrift,
    registerStatus,
    registerInspect,
    registerConfig,
    registerVersion,
  ];
  for (const register of registers) register(program);
}
