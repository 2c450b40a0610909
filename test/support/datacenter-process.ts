import {launch, type Program, type Scope} from './process.ts';

export type DatacenterFlags = {
  cores: readonly string[];
  seed: number;
  hosts: number;
  cells: number;
  speed: number;
  state: string;
  oracle: string;
  /** Where its agents listen, and what they say of it. */
  actuators?: {listen: string; advertise: string};
};

/** Starts a datacenter that keeps its state and tells what happens; waits for nothing. */
export function launchDatacenter(t: Scope, flags: DatacenterFlags): Program {
  const {cores, seed, hosts, cells, speed, state, oracle, actuators} = flags;
  return launch(t, [
    ...['datacenter', '--core', cores.join(','), '--state', state, '--oracle', oracle],
    ...['--seed', `${seed}`, '--hosts', `${hosts}`, '--cells', `${cells}`],
    ...['--speed', `${speed}`, '--fault-rate', '8'],
    ...(actuators === undefined
      ? []
      : ['--actuator-listen', actuators.listen, '--actuator-advertise', actuators.advertise]),
  ]);
}

/**
 * A policy under which much happens: the band lies where the risk of healthy hosts is, so that they go
 * to risk and back, and VMs move and move again. Silence is
 * long, because a datacenter that is faster than life is silent for longer, too.
 */
export const BUSY = `
policy:
  mode: auto
  band: {enter: 0.072, enterHoldMs: 0, leave: 0.07, leaveHoldMs: 0}
  costs: {moveMinutes: 0.05, ghostMinutes: 0.05}
  budgets: {concurrentPerHost: 4, concurrentPerCell: 12, movesPerHourPerCell: 5000}
  target: {riskLimit: 1}
  silence: {staleAfterMs: 120000, fenceAfterMs: 1800000, fenceAtRiskAfterMs: 1200000}
  breaker: {hostsAtRiskRatio: 1, hostsAtRiskMin: 1000}
  dwellMs: 20000
  cooldownMs: 5000
  probationMs: 10000
ticks: {tickMs: 100}
`;
