import type {Command} from 'commander';

/** Simulated hosts grow with their VMs; beyond this one would need more memory than is built. */
const VMS_A_HOST_MAX = 200;

/** Ends the command as a wrong use if so many VMs cannot be on so many hosts. */
export function refuseCrowding(command: Command, hosts: number, vms: number): void {
  const vmsMax = hosts * VMS_A_HOST_MAX;
  if (vms <= vmsMax) return;
  command.error(
    `error: ${vms} VMs do not fit on ${hosts} hosts: at most ${VMS_A_HOST_MAX} on each, ${vmsMax} in all`,
  );
}
