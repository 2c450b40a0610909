/** What the parts say of their own health: SMART, IPMI, machine checks, links. */
import {hostColumn} from './columns.ts';
import {gaussian, poisson} from './noise.ts';
import type {SimulatedHost} from './world.ts';

const FAILING = hostColumn('disk_failing_ratio');
const REALLOCATED = hostColumn('disk_reallocated_sectors');
const PENDING = hostColumn('disk_pending_sectors');
const UNCORRECTABLE = hostColumn('disk_uncorrectable_sectors');
const NEW_DEFECTS = hostColumn('disk_new_defects_per_day');
const DISK_LINK_ERRORS = hostColumn('disk_link_errors');
const WEAR = hostColumn('disk_wear_ratio');
const DISK_TEMPERATURE = hostColumn('disk_temperature_celsius');
const DISK_AGE = hostColumn('disk_age_hours');
const SUPPLIES_FAILED = hostColumn('power_supplies_failed_ratio');
const POWER_DRAW = hostColumn('power_draw_watts');
const IPMI_CRITICAL = hostColumn('ipmi_sensors_critical_ratio');
const MACHINE_CHECKS = hostColumn('cpu_machine_checks_per_second');
const THROTTLED = hostColumn('cpu_throttled_ratio');
const LINK_ERRORS = hostColumn('network_link_errors_per_second');
const CARRIER_CHANGES = hostColumn('network_carrier_changes_per_second');
const LINKS_DOWN = hostColumn('network_links_down_ratio');
const CPU = hostColumn('cpu_utilisation_ratio');
const FREQUENCY = hostColumn('cpu_frequency_ratio');
const TEMPERATURE = hostColumn('temperature_celsius');
const VOLTAGE = hostColumn('voltage_deviation_ratio');
const FAN = hostColumn('fan_speed_rpm');

/** What a board calls critical. */
const CRITICAL_CELSIUS = 94;
const CRITICAL_VOLTAGE_RATIO = 0.06;
const CRITICAL_FAN_RPM = 1500;
/** Sensors of a usual board. */
const BOARD_SENSORS = 40;

/** Reads what is read after load, heat and voltage: `host.values` holds those already. */
export function senseHardware(host: SimulatedHost, second: number, rackHeat: number): void {
  const {values, stress, traits, wear} = host;
  const seed = traits.noiseSeed;
  values[FAILING] = stress.diskFailing;
  values[REALLOCATED] = Math.floor(wear.reallocated);
  values[PENDING] = Math.ceil(wear.pending);
  values[UNCORRECTABLE] = Math.floor(wear.uncorrectable);
  values[NEW_DEFECTS] = wear.newDefects;
  values[DISK_LINK_ERRORS] = wear.linkErrors;
  values[WEAR] = wear.wearRatio;
  const inlet = traits.inletCelsius + Math.max(stress.inletCelsius, rackHeat);
  const warmth = 8 + 4 * Math.min(1, 0.1 * stress.diskSlowdown) + 6 * stress.coolingLoss;
  values[DISK_TEMPERATURE] = Math.round(inlet + warmth + 0.4 * gaussian(seed, second, 32));
  values[DISK_AGE] = Math.floor(wear.ageHours);
  values[SUPPLIES_FAILED] = stress.suppliesFailed;
  const load = (values[CPU] as number) * (values[FREQUENCY] as number);
  values[POWER_DRAW] = 110 + 290 * load + 4 * gaussian(seed, second, 33);
  values[IPMI_CRITICAL] = criticalSensors(host) / BOARD_SENSORS;
  values[MACHINE_CHECKS] = poisson(stress.machineChecks, seed, second, 34);
  values[THROTTLED] = Math.max(0, Math.min(1, (1 - (values[FREQUENCY] as number) - 0.04) / 0.45));
  values[LINK_ERRORS] = poisson(stress.networkLinkErrors, seed, second, 35);
  values[CARRIER_CHANGES] = poisson(stress.carrierChanges, seed, second, 36);
  values[LINKS_DOWN] = stress.linksDown;
}

function criticalSensors({values, stress}: SimulatedHost): number {
  return (
    Number((values[TEMPERATURE] as number) > CRITICAL_CELSIUS) +
    Number((values[VOLTAGE] as number) > CRITICAL_VOLTAGE_RATIO) +
    Number((values[FAN] as number) < CRITICAL_FAN_RPM) +
    Number(stress.suppliesFailed > 0)
  );
}
