import type {Command} from 'commander';
import type {HostSchema} from '../proto/gen/forestay/v1/fleet_pb.ts';
import {anomalyFacts} from './anomaly.ts';
import type {Connection} from './client.ts';
import {addDescribeVerb} from './describe.ts';
import {flagsOf} from './listings.ts';
import {outlookFacts, worstOf} from './outlook.ts';
import {addResourceVerbs, addWatchVerb, type Resource} from './resources.ts';
import {formatBytes} from './table.ts';

const hosts: Resource<typeof HostSchema> = {
  plural: 'hosts',
  singular: 'host',
  // The one to look at, or to repair, first.
  orders: {
    risk: host => host.risk,
    outlook: ({outlook}) => worstOf(outlook)?.risk,
  },
  async load() {
    const [{FleetService}, {hostListing}] = await Promise.all([
      import('../proto/gen/forestay/v1/fleet_pb.ts'),
      import('./listings.ts'),
    ]);
    const open = (core: Connection) => core.client(FleetService);
    return {
      listing: hostListing,
      async get(core, name) {
        const fleet = open(core);
        const {host} = await core.call(fleet, fleet.getHost, {name});
        return host as NonNullable<typeof host>;
      },
      async list(core, page) {
        const fleet = open(core);
        const answer = await core.call(fleet, fleet.listHosts, page);
        return {items: answer.hosts, nextPageToken: answer.nextPageToken};
      },
      watch: (core, filter) => open(core).watchHosts({filter}),
    };
  },
};

export function registerHosts(program: Command): void {
  const command = program.command('hosts').description('hosts, their risk and what holds them');
  addResourceVerbs(command, hosts);
  addWatchVerb(command, hosts);
  addDescribeVerb(command, hosts, host => [
    ['rack', host.rack],
    ['hardware', host.hardware],
    ['size', `${host.cpuCores} cores, ${formatBytes(host.memoryBytes)}`],
    ['flags', flagsOf(host)],
    ...outlookFacts(host.outlook),
    ['actuator', host.actuatorAddress],
    ['can do', host.capabilities.join(', ')],
    ['VMs', host.vms.map(name => name.slice('vms/'.length)).join(', ')],
    ['movable', `${host.movableVms} of ${host.vms.length}`],
    ...anomalyFacts(host.anomaly),
  ]);
}
