import {existsSync} from 'node:fs';
import type {Random} from '../ports.ts';
import {createProbe, type Run} from '../probe.ts';
import {createTool, type Tool, type ToolLimits} from '../probe-tool.ts';
import type {Sensor} from '../sensor.ts';
import {type IpmiReport, parsePower, parseSensors, summarise} from './ipmi-report.ts';
import {garbled} from './procfs.ts';

export type IpmiOptions = {
  /** Path of ipmitool; undefined: nobody is asked. */
  path: string | undefined;
  root: string;
  random: Random;
  periodMs?: number;
  limits?: Partial<ToolLimits>;
};

const usualPeriodMs = 120_000;
/** Controllers of boards are slow: some need that long for two hundred sensors. */
const usualLimits = {deadlineMs: 30_000};
const devices = ['dev/ipmi0', 'dev/ipmi/0', 'dev/ipmidev/0'];

/**
 * What the board's controller says, through ipmitool, every two minutes: the share of its power
 * supplies that fail or have no input, watts drawn, the share of its sensors beyond a critical
 * limit. A host without such a controller has no values, and that is no failure.
 */
export function ipmiSensor({path, root, random, periodMs, limits}: IpmiOptions): Sensor {
  const tool = path === undefined ? undefined : createTool(path, {...usualLimits, ...limits});
  const probe = createProbe(periodMs ?? usualPeriodMs, random, run => ask(tool, run, root));
  return {
    name: 'ipmi',
    columns: ['power_supplies_failed_ratio', 'power_draw_watts', 'ipmi_sensors_critical_ratio'],
    read(nowMs, row) {
      const report = probe.read(nowMs);
      if (report !== undefined) {
        const {suppliesFailedRatio, failedSupply, criticalRatio, criticalSensor} = report;
        row.set('power_supplies_failed_ratio', suppliesFailedRatio, failedSupply);
        row.set('power_draw_watts', report.powerWatts);
        row.set('ipmi_sensors_critical_ratio', criticalRatio, criticalSensor);
      }
      probe.rethrow();
    },
    close: () => probe.close(),
  };
}

async function ask(
  tool: Tool | undefined,
  {signal}: Run,
  root: string,
): Promise<IpmiReport | undefined> {
  if (tool === undefined || !devices.some(device => existsSync(`${root}/${device}`)))
    return undefined;
  const {text, exitCode} = await tool.run(['sdr', 'elist', 'all'], signal);
  if (exitCode < 0) throw garbled('ipmitool sdr elist all, which was killed', text);
  // Many controllers speak no DCMI; what they print then has no watts in it.
  const power = await tool.run(['dcmi', 'power', 'reading'], signal);
  return summarise(parseSensors(text), power.exitCode < 0 ? Number.NaN : parsePower(power.text));
}
