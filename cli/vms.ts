import type {Command} from 'commander';
import type {VmSchema} from '../proto/gen/forestay/v1/fleet_pb.ts';
import type {Connection} from './client.ts';
import {addDescribeVerb} from './describe.ts';
import {flagsOf} from './listings.ts';
import {addResourceVerbs, addWatchVerb, type Resource} from './resources.ts';
import {formatBytes} from './table.ts';
import {criticalityOf, workloadFacts} from './workload.ts';

const vms: Resource<typeof VmSchema> = {
  plural: 'vms',
  singular: 'vm',
  async load() {
    const [{FleetService}, {vmListing}] = await Promise.all([
      import('../proto/gen/forestay/v1/fleet_pb.ts'),
      import('./listings.ts'),
    ]);
    const open = (core: Connection) => core.client(FleetService);
    return {
      listing: vmListing,
      async get(core, name) {
        const fleet = open(core);
        const {vm} = await core.call(fleet, fleet.getVm, {name});
        return vm as NonNullable<typeof vm>;
      },
      async list(core, page) {
        const fleet = open(core);
        const answer = await core.call(fleet, fleet.listVms, page);
        return {items: answer.vms, nextPageToken: answer.nextPageToken};
      },
      watch: (core, filter) => open(core).watchVms({filter}),
    };
  },
};

export function registerVms(program: Command): void {
  const command = program.command('vms').description('VMs, where they run and where they may go');
  addResourceVerbs(command, vms);
  addWatchVerb(command, vms);
  addDescribeVerb(command, vms, vm => [
    ['host', vm.host],
    ['target', vm.targetHost],
    ['ghost', vm.ghostHost && `${vm.ghostHost}${vm.ghostArmed ? ' (armed)' : ''}`],
    ['home', vm.homeHost],
    ['size', `${vm.cpuCores} cores, ${formatBytes(vm.memoryBytes)}`],
    ['criticality', criticalityOf(vm)],
    ...workloadFacts(vm.workload),
    ['tenant', vm.tenant],
    ['kept apart', vm.antiAffinityGroup],
    ['movable', vm.movable ? 'yes' : vm.pinnedReason || 'not known'],
    ['flags', flagsOf(vm)],
  ]);
}
