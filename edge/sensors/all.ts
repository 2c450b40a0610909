import type {FleetSensor, Sensor} from '../sensor.ts';
import {cgroupSensor} from './cgroup.ts';
import {cpuSensor} from './cpu.ts';
import {diskSensor} from './disk.ts';
import {edacSensor} from './edac.ts';
import {hwmonSensor} from './hwmon.ts';
import {memorySensor} from './memory.ts';
import {networkSensor} from './network.ts';
import {pressureSensor} from './pressure.ts';

/** Every sensor of a host, reading below `root` (`/`, or a fixture). */
export function hostSensors(root: string): Sensor[] {
  const base = root.replace(/\/+$/, '');
  return [
    cpuSensor,
    memorySensor,
    pressureSensor,
    diskSensor,
    networkSensor,
    hwmonSensor,
    edacSensor,
  ].map(create => create(base));
}

/** Every sensor of the VMs on a host. */
export function vmSensors(root: string): FleetSensor[] {
  return [cgroupSensor(root.replace(/\/+$/, ''))];
}
