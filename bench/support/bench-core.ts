/** A core as it is shipped, on free ports, with nobody who acts: what every bench of a core opens. */
import {systemClock} from '../../core/adapters/clock-system.ts';
import {createNoActuator} from '../../core/adapters/hypervisor-none.ts';
import {seededRandom} from '../../core/adapters/random-seeded.ts';
import {assembleCore, type Core, type CoreParts, type CoreSettings} from '../../core/assembly.ts';

type Parts = Pick<CoreParts, 'log' | 'codec' | 'scorer' | 'store' | 'outlook' | 'watch'>;
type Fixed = 'listen' | 'http' | 'insecure' | 'owner' | 'run' | 'build';

export function openBenchCore(parts: Parts, settings: Omit<CoreSettings, Fixed>): Promise<Core> {
  return assembleCore(
    {
      ...parts,
      clock: systemClock,
      wallClock: systemClock,
      random: seededRandom('bench'),
      actuators: {hypervisor: createNoActuator(), balancer: createNoActuator()},
    },
    {
      ...settings,
      listen: '127.0.0.1:0',
      http: '127.0.0.1:0',
      insecure: false,
      owner: 'bench',
      run: true,
      build: {version: '', commit: ''},
    },
  );
}
