import type {Sensor} from '../sensor.ts';
import {createAttempts, createDiscovery, listNames, readNumber, readText} from './procfs.ts';
import {Reduction} from './reduction.ts';

/** One input of a monitoring chip; limits are NaN where the chip does not tell. */
type Input = {
  path: string;
  device: string;
  kind: 'temp' | 'in' | 'fan';
  critical: number;
  minimum: number;
  maximum: number;
};

/**
 * Temperatures, voltages and fans, the worst of each and where it is: the hottest input, the
 * smallest distance to a critical temperature, the largest deviation of a voltage from the middle
 * of its limits (as a share of that middle), the slowest fan. A fan that has never turned is a
 * header without a fan.
 *
 * @see https://docs.kernel.org/hwmon/sysfs-interface.html for units: m°C, mV, rpm.
 */
export function hwmonSensor(root: string): Sensor {
  const inputs = createDiscovery(() => findInputs(`${root}/sys/class/hwmon`));
  const turned = new Set<string>();
  return {
    name: 'hwmon',
    columns: [
      'temperature_celsius',
      'temperature_margin_celsius',
      'voltage_deviation_ratio',
      'fan_speed_rpm',
    ],
    read(nowMs, row) {
      const worst = new Reduction();
      const attempts = createAttempts();
      for (const input of inputs.get(nowMs))
        attempts.attempt(() => {
          const reading = readNumber(input.path);
          if (Number.isNaN(reading)) inputs.forget();
          else if (input.kind === 'temp') addTemperature(worst, input, reading);
          else if (input.kind === 'in') addVoltage(worst, input, reading);
          else if (reading > 0 || turned.has(input.path)) {
            turned.add(input.path);
            worst.least('fan_speed_rpm', reading, input.device);
          }
        });
      worst.writeTo(row);
      attempts.rethrow();
    },
  };
}

function addTemperature(worst: Reduction, {critical, device}: Input, reading: number): void {
  worst.most('temperature_celsius', reading / 1000, device);
  worst.least('temperature_margin_celsius', (critical - reading) / 1000, device);
}

function addVoltage(worst: Reduction, {minimum, maximum, device}: Input, reading: number): void {
  const middle = (minimum + maximum) / 2;
  const deviation = maximum > minimum ? Math.abs((reading - middle) / middle) : Number.NaN;
  worst.most('voltage_deviation_ratio', deviation, device);
}

function findInputs(folder: string): Input[] {
  const inputs: Input[] = [];
  for (const chip of listNames(folder)) {
    const chipFolder = `${folder}/${chip}`;
    const chipName = readText(`${chipFolder}/name`)?.trim() ?? chip;
    for (const file of listNames(chipFolder, /^(temp|in|fan)\d+_input$/)) {
      const input = file.slice(0, -'_input'.length);
      const attribute = (name: string): string => `${chipFolder}/${input}_${name}`;
      const limit = (name: string): number => readNumber(attribute(name));
      if (limit('fault') === 1) continue;
      const label = readText(attribute('label'))?.trim() ?? input;
      inputs.push({
        path: `${chipFolder}/${file}`,
        device: `${chipName}/${label}`,
        kind: input.replace(/\d+$/, '') as Input['kind'],
        critical: limit('crit'),
        minimum: limit('min'),
        maximum: limit('max'),
      });
    }
  }
  return inputs;
}
