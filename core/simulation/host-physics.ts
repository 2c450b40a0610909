/**
 * One second of a host: from the load of its VMs and the state of its parts to what its sensors
 * show. Faults reach the telemetry only through here.
 */
import type {Moment} from './calendar.ts';
import {hostColumn} from './columns.ts';
import {severity} from './faults.ts';
import {convertSensors} from './hardware-generation.ts';
import {drift, gaussian, poisson} from './noise.ts';
import {senseContext} from './sense-context.ts';
import {senseHardware} from './sense-hardware.ts';
import {senseIntent} from './sense-intent.ts';
import {addSymptoms, noStress, type Stress} from './symptoms.ts';
import type {SimulatedHost} from './world.ts';

const CALM: Stress = noStress();
const THROTTLE_CELSIUS = 88;
const TRIP_CELSIUS = 97;
/** Thermal mass: the time constant of the way to the new equilibrium. */
const THERMAL_SECONDS = 60;
/** RAM of the machine beyond what guests may have: hypervisor and page tables. */
const HYPERVISOR_RATIO = 0.06;
const DISK_BYTES_PER_SECOND = 2.5e9;
const IO_BYTES = 32 * 1024;

const CPU = hostColumn('cpu_utilisation_ratio');
const STEAL = hostColumn('cpu_steal_ratio');
const FREQUENCY = hostColumn('cpu_frequency_ratio');
const THROTTLES = hostColumn('cpu_throttle_events_per_second');
const MEMORY = hostColumn('memory_used_ratio');
const MEMORY_SYSTEM = hostColumn('memory_system_ratio');
const SWAP = hostColumn('swap_used_ratio');
const PRESSURE_CPU = hostColumn('pressure_cpu_ratio');
const PRESSURE_MEMORY = hostColumn('pressure_memory_ratio');
const PRESSURE_IO = hostColumn('pressure_io_ratio');
const DISK_BUSY = hostColumn('disk_busy_ratio');
const DISK_READ = hostColumn('disk_read_bytes_per_second');
const DISK_WRITE = hostColumn('disk_write_bytes_per_second');
const DISK_LATENCY = hostColumn('disk_latency_seconds');
const DISK_QUEUE = hostColumn('disk_queue_depth');
const DISK_ERRORS = hostColumn('disk_errors_per_second');
const NETWORK_RECEIVE = hostColumn('network_receive_bytes_per_second');
const NETWORK_TRANSMIT = hostColumn('network_transmit_bytes_per_second');
const NETWORK_ERRORS = hostColumn('network_errors_per_second');
const NETWORK_DROPS = hostColumn('network_drops_per_second');
const TEMPERATURE = hostColumn('temperature_celsius');
const MARGIN = hostColumn('temperature_margin_celsius');
const VOLTAGE = hostColumn('voltage_deviation_ratio');
const FAN = hostColumn('fan_speed_rpm');
const CORRECTED_ERRORS = hostColumn('memory_corrected_errors_per_second');
const UNCORRECTED_ERRORS = hostColumn('memory_uncorrected_errors_per_second');

/** Adds up what the host's episodes do to it now. Drops those that are over. */
export function stressHost(host: SimulatedHost, atMs: number, second: number): void {
  const {episodes} = host;
  if (episodes.length === 0 || (episodes[0]?.onsetMs as number) > atMs) {
    host.stress = CALM;
    return;
  }
  const stress = noStress();
  for (const episode of episodes) {
    if (episode.onsetMs > atMs) break;
    const level = severity(episode, atMs);
    if (level > 0) addSymptoms(stress, episode, level, second);
  }
  host.stress = stress;
  if (episodes.some(episode => episode.endMs <= atMs)) {
    host.episodes = episodes.filter(episode => episode.endMs > atMs);
  }
}

/**
 * Reads all sensors of a running host into `host.values`: all but what its agent concludes.
 *
 * @param rackHeat Degrees by which hot neighbours warm this host's inlet.
 * @param seconds Since it was read last.
 */
export function senseHost(
  host: SimulatedHost,
  moment: Moment,
  second: number,
  rackHeat: number,
  seconds: number,
): void {
  const {values, stress, traits} = host;
  const seed = traits.noiseSeed;
  const frequency = senseHeat(host, second, rackHeat, seconds);
  const demand = host.cpuCoresUsed / host.cpuCores;
  const wanted = demand / frequency + stress.cpuRatio + 0.03 + 0.012 * gaussian(seed, second, 0);
  const utilisation = Math.min(1, Math.max(0, wanted));
  values[CPU] = utilisation;
  values[STEAL] = Math.max(0, wanted - 1) * 0.5 + 0.001 * Math.abs(gaussian(seed, second, 1));
  values[PRESSURE_CPU] = Math.min(
    1,
    Math.max(0, utilisation - 0.75) +
      stress.stallRatio +
      0.006 * Math.abs(gaussian(seed, second, 2)),
  );
  senseMemory(host, second);
  senseDisk(host, second);
  values[NETWORK_RECEIVE] = host.networkReceiveBytes + stress.networkReceiveBytes + 2e4;
  values[NETWORK_TRANSMIT] = host.networkTransmitBytes + 2e4;
  values[NETWORK_ERRORS] = poisson(0.002 + stress.networkErrors, seed, second, 3);
  values[NETWORK_DROPS] = poisson(0.05 + stress.networkDrops, seed, second, 4);
  values[VOLTAGE] = Math.abs(
    traits.voltageRatio +
      stress.voltageRatio +
      0.004 * drift(seed, second, 5, 40) +
      0.002 * gaussian(seed, second, 6),
  );
  values[CORRECTED_ERRORS] = poisson(
    traits.correctedErrorsPerSecond + stress.correctedErrors,
    seed,
    second,
    7,
  );
  values[UNCORRECTED_ERRORS] = poisson(stress.uncorrectedErrors, seed, second, 8);
  senseHardware(host, second, rackHeat);
  senseIntent(host, moment, second);
  senseContext(host, moment, second);
  if (traits.generation !== undefined) convertSensors(values, traits.generation);
  for (let column = 0; column < values.length; column++) {
    if (traits.missing[column] === 1) values[column] = Number.NaN;
  }
}

/** Heat balance; returns the clock frequency that it leaves, as a ratio. */
function senseHeat(host: SimulatedHost, second: number, rackHeat: number, seconds: number): number {
  const {values, stress, traits} = host;
  const seed = traits.noiseSeed;
  const load = Math.min(1, host.cpuCoresUsed / host.cpuCores + stress.cpuRatio);
  const throttle = Math.min(1, Math.max(0, (host.temperatureCelsius - THROTTLE_CELSIUS) / 8));
  const frequency = 1 - 0.45 * throttle;
  const inlet = traits.inletCelsius + Math.max(stress.inletCelsius, rackHeat);
  const rise = (14 + 28 * load * frequency) / (1 - Math.min(0.85, stress.coolingLoss));
  host.temperatureCelsius +=
    (inlet + rise - host.temperatureCelsius) * (1 - Math.exp(-seconds / THERMAL_SECONDS));
  const celsius = Math.min(
    TRIP_CELSIUS + 2,
    host.temperatureCelsius + 0.4 * gaussian(seed, second, 9),
  );
  const effort = Math.min(1, Math.max(0, (host.temperatureCelsius - 40) / 45));
  const fan = traits.fanRpm * (0.65 + 0.6 * effort) * (1 - stress.fanLoss);
  values[TEMPERATURE] = celsius;
  values[MARGIN] = TRIP_CELSIUS - celsius;
  values[FAN] = Math.max(0, fan + 45 * gaussian(seed, second, 10));
  values[FREQUENCY] = frequency * (1 - 0.01 * Math.abs(gaussian(seed, second, 11)));
  values[THROTTLES] = poisson(6 * throttle, seed, second, 12);
  return frequency;
}

function senseMemory(host: SimulatedHost, second: number): void {
  const {values, stress, traits} = host;
  const guests = (host.memoryBytesUsed / host.memoryBytes) * (1 - HYPERVISOR_RATIO);
  const base = guests + 0.03 + 0.004 * drift(traits.noiseSeed, second, 13, 90);
  const wanted = base + stress.memoryShare * Math.max(0, 1.08 - base);
  const used = Math.min(0.985, wanted);
  const short = Math.max(0, wanted - 0.93);
  values[MEMORY] = used;
  values[MEMORY_SYSTEM] = Math.max(0, used - guests);
  values[SWAP] = Math.min(1, 6 * short);
  values[PRESSURE_MEMORY] = Math.min(
    1,
    4 * short + 0.0015 * Math.abs(gaussian(traits.noiseSeed, second, 14)),
  );
}

function senseDisk(host: SimulatedHost, second: number): void {
  const {values, stress, traits} = host;
  const seed = traits.noiseSeed;
  const readBytes = host.diskReadBytes + stress.diskReadBytes + 1e5;
  const writeBytes = host.diskWriteBytes + 5e5;
  const bytes = readBytes + writeBytes;
  const busy = Math.min(1, bytes / DISK_BYTES_PER_SECOND + 0.03 * stress.diskSlowdown + 0.01);
  const jitter = Math.exp(0.18 * gaussian(seed, second, 15));
  const latency =
    (traits.diskLatencySeconds * (1 + stress.diskSlowdown) * jitter) / (1 - 0.7 * busy);
  values[DISK_BUSY] = busy;
  values[DISK_READ] = readBytes;
  values[DISK_WRITE] = writeBytes;
  values[DISK_LATENCY] = latency;
  values[DISK_QUEUE] = (bytes / IO_BYTES) * latency;
  values[DISK_ERRORS] = poisson(0.0005 + stress.diskErrors, seed, second, 16);
  values[PRESSURE_IO] = Math.min(
    1,
    0.02 * stress.diskSlowdown + 0.1 * busy + 0.003 * Math.abs(gaussian(seed, second, 17)),
  );
}
