import type {Random} from '../ports.ts';
import {createProbe, type Run} from '../probe.ts';
import {createTool, type Tool, type ToolLimits} from '../probe-tool.ts';
import type {Sensor} from '../sensor.ts';
import {createDefectGrowth} from './defect-growth.ts';
import type {History} from './history.ts';
import {Reduction} from './reduction.ts';
import {type DriveReport, parseDrive, parseScan} from './smart-report.ts';

export type SmartOptions = {
  /** Path of smartctl; undefined: nobody is asked. */
  path: string | undefined;
  history: History;
  random: Random;
  periodMs?: number;
  limits?: Partial<ToolLimits>;
};

const usualPeriodMs = 600_000;
/** A fleet of drives behind an expander; more would not be asked within a period. */
const drivesMax = 256;
const keepEveryMs = 3_600_000;

type Drive = {name: string; report: DriveReport; newPerDay: number};

/**
 * SMART of all drives through smartctl, one after another, every ten minutes: the share that fails
 * its own check, and of each number the worst drive, which is named. Drives that sleep are not
 * woken and have no values. New defects are those of {@link createDefectGrowth}.
 */
export function smartSensor({path, history, random, ...options}: SmartOptions): Sensor {
  const tool = path === undefined ? undefined : createTool(path, options.limits);
  const growth = createDefectGrowth(history.load());
  let keptMs = Number.NaN;
  const probe = createProbe<Drive[]>(options.periodMs ?? usualPeriodMs, random, async run => {
    const drives: Drive[] = [];
    for (const [name, report] of tool ? await askDrives(tool, run) : []) {
      const defects = sumOf(report.reallocated, report.pending, report.uncorrectable);
      drives.push({name, report, newPerDay: growth.perDay(name, defects, run.atMs)});
    }
    if (drives.length > 0 && !(Math.abs(run.atMs - keptMs) < keepEveryMs)) {
      keptMs = run.atMs;
      try {
        history.keep(growth.points());
      } catch (error) {
        // A full disk costs the past, not the present.
        run.failed(error);
      }
    }
    return drives;
  });
  return {
    name: 'smart',
    columns: [
      'disk_failing_ratio',
      'disk_reallocated_sectors',
      'disk_pending_sectors',
      'disk_uncorrectable_sectors',
      'disk_new_defects_per_day',
      'disk_link_errors',
      'disk_wear_ratio',
      'disk_temperature_celsius',
      'disk_age_hours',
    ],
    read(nowMs, row) {
      if (tool === undefined) return;
      const drives = probe.read(nowMs) ?? [];
      const judged = drives.filter(({report}) => report.isFailing !== undefined);
      const worst = new Reduction();
      for (const {name, report} of judged)
        worst.sum('disk_failing_ratio', Number(report.isFailing) / judged.length, name);
      for (const {name, report, newPerDay} of drives) {
        worst.most('disk_reallocated_sectors', report.reallocated, name);
        worst.most('disk_pending_sectors', report.pending, name);
        worst.most('disk_uncorrectable_sectors', report.uncorrectable, name);
        worst.most('disk_new_defects_per_day', newPerDay, name);
        worst.most('disk_link_errors', report.linkErrors, name);
        worst.most('disk_wear_ratio', report.wearRatio, name);
        worst.most('disk_temperature_celsius', report.temperatureCelsius, name);
        worst.most('disk_age_hours', report.ageHours, name);
      }
      worst.writeTo(row);
      probe.rethrow();
    },
    close: () => probe.close(),
  };
}

/** One drive that hangs or prints nonsense is a failure, and the others are asked all the same. */
async function askDrives(tool: Tool, run: Run): Promise<Map<string, DriveReport>> {
  const reports = new Map<string, DriveReport>();
  const scan = await tool.run(['--scan', '-j'], run.signal);
  for (const {name, type} of parseScan(scan.text).slice(0, drivesMax)) {
    if (run.signal.aborted) break;
    // Behind a controller all drives have one name, and the type tells them apart.
    const device = type.includes(',') ? `${name} ${type}` : name;
    try {
      // A scan calls what it has not opened `scsi`, SATA drives too: those are for smartctl to tell.
      const asType = type === 'scsi' || type === 'ata' ? [] : ['-d', type];
      const args = ['-j', '-x', '-n', 'standby,0', ...asType, name];
      const {text, exitCode} = await tool.run(args, run.signal);
      const report = parseDrive(text, exitCode, device);
      if (report !== undefined) reports.set(device, report);
    } catch (error) {
      run.failed(error);
    }
  }
  return reports;
}

/** Of what is known; NaN if nothing is. */
function sumOf(...counts: readonly number[]): number {
  const known = counts.filter(count => !Number.isNaN(count));
  return known.length > 0 ? known.reduce((sum, count) => sum + count, 0) : Number.NaN;
}
