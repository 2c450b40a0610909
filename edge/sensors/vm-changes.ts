import {findVms, readCpuAllotment, readMemoryAllotment} from './cgroup.ts';
import {createAttempts, listNames, readText} from './procfs.ts';
import {createWorkloadMeter, type WorkloadMeter} from './workload.ts';

type Vm = {limits: string; meter: WorkloadMeter};

/** What happened to the VMs of this host since somebody looks. */
export type VmChanges = {
  look(nowMs: number): void;
  /** Shares of the VMs that are known for long enough; NaN without any. */
  shareOf(kind: 'steady' | 'batch'): number;
  /** When a VM was given other limits; NaN: never seen. */
  readonly resizedMs: number;
  /** When a VM came or went; NaN: never seen. */
  readonly movedMs: number;
};

/** Times of before are given by `resizedMs` and `movedMs`. Those that are there first came before. */
export function createVmChanges(
  root: string,
  {resizedMs, movedMs}: {resizedMs: number; movedMs: number},
): VmChanges {
  const hostCpus = listNames(`${root}/sys/devices/system/cpu`, /^cpu\d+$/).length;
  let vms: Map<string, Vm> | undefined;
  const changes = {resizedMs, movedMs};
  return {
    look(nowMs) {
      const found = new Map<string, Vm>();
      const attempts = createAttempts();
      for (const {vm: name, folder} of findVms(root))
        attempts.attempt(() => {
          const allotment = readCpuAllotment(folder, hostCpus);
          const limits = `${allotment} ${readMemoryAllotment(folder)}`;
          const known = vms?.get(name);
          if (known !== undefined && known.limits !== limits) changes.resizedMs = nowMs;
          const meter = known?.meter ?? createWorkloadMeter();
          found.set(name, {limits, meter});
          const used = /^usage_usec (\d+)$/m.exec(readText(`${folder}/cpu.stat`) ?? '')?.[1];
          meter.add(Number(used ?? Number.NaN) / 1e6, allotment, nowMs);
        });
      const isSame = vms?.size === found.size && [...found.keys()].every(name => vms?.has(name));
      if (vms !== undefined && !isSame) changes.movedMs = nowMs;
      vms = found;
      attempts.rethrow();
    },
    shareOf(kind) {
      const kinds = [...(vms?.values() ?? [])].flatMap(({meter}) => meter.kind() ?? []);
      return kinds.filter(it => it === kind).length / kinds.length;
    },
    get resizedMs() {
      return changes.resizedMs;
    },
    get movedMs() {
      return changes.movedMs;
    },
  };
}
