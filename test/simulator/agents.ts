/**
 * The agents that act: the real actuator with its durable table over the simulated drivers, and the
 * core's way to them over the network.
 */
import type {EffectReport, IssuedEffect} from '../../core/domain/effects.ts';
import {ForestayError, isForestayError} from '../../core/domain/errors.ts';
import type {Actuator, AgentAddress, Clock, Fence, Files} from '../../core/ports.ts';
import type {SimulatedDrivers} from '../../core/simulation/drivers.ts';
import {type Actuator as AgentActuator, createActuator} from '../../edge/actuator/actuator.ts';
import type {Driver} from '../../edge/actuator/driver.ts';
import {type EffectTable, openEffectTable} from '../../edge/actuator/effect-table.ts';
import type {Network} from './network.ts';
import type {SimProcess} from './process.ts';

const CALL_MS = 5_000;

/** What a driver does with an effect. `hang`: it says `running` until it is told to stop. */
export type DriverFate = 'well' | 'fail' | 'hang' | 'slow';

export type DriverHooks = {
  fateOf(effect: IssuedEffect): DriverFate;
  /** How long a slow start keeps its caller waiting. */
  slowMs(): number;
  /** Right before an effect touches the world. */
  onStart(agent: string, effect: IssuedEffect): void;
};

/** The datacenter's drivers on one agent, with their accidents. */
export function createDriver(
  agent: string,
  drivers: SimulatedDrivers,
  clock: Clock,
  hooks: DriverHooks,
): Driver {
  const hung = new Map<string, EffectReport>();
  return {
    capabilities: () => drivers.capabilities(),
    async start(effect) {
      hooks.onStart(agent, effect);
      const fate = hooks.fateOf(effect);
      if (fate === 'fail') return report(effect.id, 'failed', 'DRIVER_BROKE');
      if (fate === 'hang') {
        hung.set(effect.id, report(effect.id, 'running', ''));
        return report(effect.id, 'running', '');
      }
      // It is done, and the answer comes when nobody waits for it any more.
      const done = drivers.start(effect, clock.nowMs());
      if (fate === 'slow') await clock.sleep(hooks.slowMs());
      return done;
    },
    progress: id => hung.get(id) ?? drivers.progress(id),
    cancel(id) {
      if (!hung.has(id)) return drivers.cancel(id);
      hung.set(id, report(id, 'cancelled', ''));
      return hung.get(id) as EffectReport;
    },
  };
}

function report(id: string, status: EffectReport['status'], code: string): EffectReport {
  return {id, status, code, message: '', progress: 0, figures: {}};
}

/** One agent's life: gone with its process, its table stays on the disk. */
export class SimAgent {
  readonly name: string;
  readonly process: SimProcess;
  readonly actuator: AgentActuator;
  readonly table: EffectTable;

  constructor(options: {
    name: string;
    process: SimProcess;
    files: Files;
    clock: Clock;
    drivers: SimulatedDrivers;
    hooks: DriverHooks;
    /** Planted bugs sit between actuator and table. */
    wrapTable: (table: EffectTable) => EffectTable;
  }) {
    const {name, process, files, clock, drivers, hooks} = options;
    this.name = name;
    this.process = process;
    this.table = openEffectTable({
      files,
      path: `/effects/${name}`,
      limits: {resultsMax: 10_000, grownBytesMax: 16 * 1024},
    });
    this.actuator = createActuator({
      agent: name,
      driver: createDriver(name, drivers, clock, hooks),
      table: options.wrapTable(this.table),
      clock,
    });
  }
}

/** The agents as a core reaches them. */
export function createAgentsClient(options: {
  process: SimProcess;
  network: Network;
  processOf: (agent: string) => SimProcess;
  agentOf: (agent: string) => SimAgent | undefined;
  onAnswer: (agent: string, fence: Fence) => void;
}): Actuator {
  const {process, network, processOf, agentOf, onAnswer} = options;
  const ask = <T>(name: string, act: (agent: AgentActuator) => Promise<T>): Promise<T> => {
    const timeOut = () => unreachable(name);
    const there = async (): Promise<T> => {
      const agent = agentOf(name);
      if (agent === undefined) throw unreachable(name);
      return act(agent.actuator).catch(asOnTheWire);
    };
    return network.call(process, processOf(name), there, {timeoutMs: CALL_MS, timeOut});
  };
  return {
    announce: async ({agent}: AgentAddress, fence) => {
      await ask(agent, async to => {
        await to.announce(fence);
        onAnswer(agent, fence);
      });
    },
    execute: (effect, fence) => ask(effect.agent, to => to.execute(effect, fence)),
    query: ({agent}, ids) => ask(agent, to => to.query(ids)),
    cancel: ({agent}, id, fence) => ask(agent, to => to.cancel(id, fence)),
    renewLease: ({agent}, fence, leaseMs) => ask(agent, to => to.renewLease(fence, leaseMs)),
    close: async () => {},
  };
}

/** As edge/actuator/service.ts answers for what is no error of ours. */
function asOnTheWire(error: unknown): never {
  if (isForestayError(error)) throw error;
  throw new ForestayError('EFFECT_FAILED', 'the agent has a defect', {cause: error});
}

function unreachable(agent: string): ForestayError {
  return new ForestayError('AGENT_UNREACHABLE', `agent ${agent} does not answer`, {
    retryable: true,
  });
}
