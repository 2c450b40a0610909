import {type Effect, fleetAgents} from '../domain/effects.ts';
import type {PartitionState} from './partition-state.ts';

/**
 * Who carries an effect out. What acts on a host is done by that host's agent; power and traffic
 * have one executor each beside the fleet.
 */
export function agentFor(state: PartitionState, effect: Effect): {agent: string; address: string} {
  const agent = agentName(effect);
  const on = fleetAgents.includes(agent) ? effect.host : agent;
  return {agent, address: state.hosts.get(on)?.facts?.actuatorAddress ?? ''};
}

/** The actor that asked for an effect, and that hears what came of it. */
export function entityOf(effect: Effect): string {
  return effect.vm === '' ? `hosts/${effect.host}` : `vms/${effect.vm}`;
}

function agentName(effect: Effect): string {
  switch (effect.kind) {
    case 'fence-host':
      return 'power';
    case 'shift-traffic':
      return 'balancer';
    case 'arm-ghost':
    case 'retire-ghost':
    case 'activate-ghost':
    case 'restart-vm':
      return effect.targetHost;
    case 'start-migration':
    case 'cordon-host':
    case 'uncordon-host':
    case 'sync-back':
    case 'fail-back':
      return effect.host;
  }
}
