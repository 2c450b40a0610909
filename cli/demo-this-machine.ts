import {availableParallelism, hostname, totalmem} from 'node:os';
import {join} from 'node:path';
import {systemClock} from '../core/adapters/clock-system.ts';
import {nodeFiles} from '../core/adapters/files-node.ts';
import {seededRandom} from '../core/adapters/random-seeded.ts';
import {partitionOfCell} from '../core/domain/hash.ts';
import {createAgent} from '../edge/agent.ts';
import {createGrpcLinks} from '../edge/link-grpc.ts';
import {concludeOddness} from '../edge/oddness.ts';
import {hostSensors} from '../edge/sensors/all.ts';
import {codec} from '../proto/codec.ts';

/**
 * The machine that the demo runs on, as one more host: real /proc and /sys, on the machine's own
 * clock, in a cell of its own. It is only observed.
 */
export async function joinThisMachine({
  core,
  folder,
  avoid,
}: {
  core: string;
  folder: string;
  /** Partitions of simulated cells: a live cell never shares one. */
  avoid: ReadonlySet<number>;
}): Promise<{host: string; partition: number; stop(): Promise<void>}> {
  const links = createGrpcLinks(core, 'demo');
  const name = hostname();
  const cell = freeCell(avoid);
  const inventory = {
    hosts: [
      {
        host: name,
        rack: '',
        cpuCores: availableParallelism(),
        memoryBytes: totalmem(),
        actuatorAddress: '',
        capabilities: [],
        migrationBytesPerSecond: 0,
        vms: [],
        bootId: '',
        observeOnly: true,
        hardware: '',
      },
    ],
  };
  const agent = createAgent({
    edge: name,
    cell,
    timeBase: 'live',
    sensors: hostSensors('/'),
    fleets: [],
    conclusions: [concludeOddness({intervalMs: 1000})],
    inventory: () => inventory,
    clock: systemClock,
    random: seededRandom(name),
    files: nodeFiles,
    dial: links.dial,
    codec,
    spoolFolder: join(folder, 'spool'),
  });
  agent.start();
  return {
    host: name,
    partition: partitionOfCell(cell),
    async stop() {
      await agent.stop();
      links.close();
    },
  };
}

function freeCell(avoid: ReadonlySet<number>): string {
  for (let number = 0; ; number++) {
    const cell = number === 0 ? 'this-machine' : `this-machine-${number}`;
    if (!avoid.has(partitionOfCell(cell))) return cell;
  }
}
