import type {Command} from 'commander';
import type {Host, HostSchema} from '../proto/gen/forestay/v1/fleet_pb.ts';
import {anomalyFacts} from './anomaly.ts';
import type {Connection} from './client.ts';
import {addDescribeVerb} from './describe.ts';
import {flagsOf} from './listings.ts';
import {addResourceVerbs, addWatchVerb, type Resource} from './resources.ts';
import {formatBytes} from './table.ts';

/** A risk below it is no news. */
const OUTLOOK_SHOWN_FROM = 0.01;

const hosts: Resource<typeof HostSchema> = {
  plural: 'hosts',
  singular: 'host',
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
    ['size', `${host.cpuCores} cores, ${formatBytes(host.memoryBytes)}`],
    ['flags', flagsOf(host)],
    ['outlook', outlookOf(host)],
    ['actuator', host.actuatorAddress],
    ['can do', host.capabilities.join(', ')],
    ['VMs', host.vms.map(name => name.slice('vms/'.length)).join(', ')],
    ['movable', `${host.movableVms} of ${host.vms.length}`],
    ...anomalyFacts(host.anomaly),
  ]);
}

/** `disk 12 % in 24h, 31 % in 7d; …`, the riskiest part first; parts that hardly fail left out. */
function outlookOf({outlook}: Host): string {
  const parts = Map.groupBy(outlook, ({component}) => component.slice(0, component.indexOf('-')));
  return [...parts]
    .map(([part, risks]) => ({part, risks, worst: Math.max(...risks.map(({risk}) => risk))}))
    .filter(({worst}) => worst >= OUTLOOK_SHOWN_FROM)
    .sort((a, b) => b.worst - a.worst)
    .map(({part, risks}) => {
      const within = risks.map(({component, risk}) => {
        return `${(100 * risk).toPrecision(2)} % in ${component.slice(part.length + 1)}`;
      });
      return `${part} ${within.join(', ')}`;
    })
    .join('; ');
}
