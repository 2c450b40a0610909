import type {Sensor} from '../sensor.ts';
import {createAttempts, createDiscovery, listNames, readNumber} from './procfs.ts';
import {createRates} from './rate.ts';
import {Reduction} from './reduction.ts';

/** Memory errors that the controllers corrected, and those that they could not, per second. */
export function edacSensor(root: string): Sensor {
  const folder = `${root}/sys/devices/system/edac/mc`;
  const controllers = createDiscovery(() => listNames(folder, /^mc\d+$/));
  const rates = createRates();
  return {
    name: 'edac',
    columns: ['memory_corrected_errors_per_second', 'memory_uncorrected_errors_per_second'],
    read(nowMs, row) {
      const errors = new Reduction();
      const attempts = createAttempts();
      const add = (column: string, controller: string, file: string): void => {
        const total = readNumber(`${folder}/${controller}/${file}`);
        if (Number.isNaN(total)) controllers.forget();
        errors.sum(column, rates.of(`${controller} ${file}`)(total, nowMs), controller);
      };
      for (const controller of controllers.get(nowMs)) {
        attempts.attempt(() => add('memory_corrected_errors_per_second', controller, 'ce_count'));
        attempts.attempt(() => add('memory_uncorrected_errors_per_second', controller, 'ue_count'));
      }
      rates.sweep();
      errors.writeTo(row);
      attempts.rethrow();
    },
  };
}
