import type {Random} from '../ports.ts';
import type {FleetSensor, Sensor} from '../sensor.ts';
import {activitySensor} from './activity.ts';
import {APPLICATION_METRICS, type ApplicationMetrics} from './application-metrics.ts';
import {applicationsSensor} from './applications.ts';
import {bootsSensor} from './boots.ts';
import {cgroupSensor} from './cgroup.ts';
import {commandsSensor} from './commands.ts';
import {contextSensor} from './context.ts';
import {cpuSensor} from './cpu.ts';
import {diskSensor} from './disk.ts';
import {edacSensor} from './edac.ts';
import {type Histories, noHistories} from './history.ts';
import {hwmonSensor} from './hwmon.ts';
import {ipmiSensor} from './ipmi.ts';
import {createJournal, hasJournal} from './journal.ts';
import {linkSensor} from './link.ts';
import {logSensor} from './log.ts';
import {machineCheckSensor} from './machine-check.ts';
import {memorySensor} from './memory.ts';
import {networkSensor} from './network.ts';
import {pressureSensor} from './pressure.ts';
import {shutdownSensor} from './shutdown.ts';
import {smartSensor} from './smart.ts';

/** Programs of the host by path; one that is not there is not asked. */
export type HostTools = {smartctl?: string; ipmitool?: string; journalctl?: string};

export type HostSensorOptions = {
  tools?: HostTools;
  /** URLs of metrics endpoints of what runs here. */
  applications?: readonly string[];
  applicationMetrics?: ApplicationMetrics;
  histories?: Histories;
  random?: Random;
};

/** Every sensor of a host, reading below `root` (`/`, or a fixture). Close them when done. */
export function hostSensors(root: string, options: HostSensorOptions = {}): Sensor[] {
  const {tools = {}, applications = [], applicationMetrics = APPLICATION_METRICS} = options;
  const {histories = noHistories, random = {next: () => 0.5}} = options;
  const base = root.replace(/\/+$/, '');
  const files = [
    cpuSensor,
    memorySensor,
    pressureSensor,
    diskSensor,
    networkSensor,
    hwmonSensor,
    edacSensor,
    machineCheckSensor,
    linkSensor,
    shutdownSensor,
    activitySensor,
  ].map(create => create(base));
  const journalctl = hasJournal(base) ? tools.journalctl : undefined;
  const journal = journalctl === undefined ? undefined : createJournal(journalctl);
  return [
    ...files,
    smartSensor({path: tools.smartctl, history: histories('smart'), random}),
    ipmiSensor({path: tools.ipmitool, root: base, random}),
    commandsSensor(base, histories('commands'), journal),
    bootsSensor({root: base, history: histories('boots'), random, journalctl}),
    logSensor(base, journal),
    applicationsSensor({urls: applications, metrics: applicationMetrics, random}),
    contextSensor(base, histories('context')),
  ];
}

/** Every sensor of the VMs on a host. */
export function vmSensors(root: string): FleetSensor[] {
  return [cgroupSensor(root.replace(/\/+$/, ''))];
}
