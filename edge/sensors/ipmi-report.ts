import {garbled} from './procfs.ts';

export type IpmiSensor = {
  name: string;
  /** As ipmitool shortens it: `ok`, `nc`, `cr`, `nr`, `ns` (not readable). */
  status: string;
  /** `10.2` is the second power supply. */
  entity: string;
  reading: string;
};

export type IpmiReport = {
  suppliesFailedRatio: number;
  failedSupply: string | undefined;
  criticalRatio: number;
  criticalSensor: string | undefined;
  powerWatts: number;
};

/** Entity of power supplies (IPMI 2.0, table 43-13). */
const powerSupply = /^10\./;
const supplyFails = /fail|lost|out-of-range|config(uration)? error/i;
const supplyIsThere = /presence detected/i;
const criticalStatus = /^l?u?(cr|nr)$/;
const powerName = /^(pwr|power) (consumption|meter)|system (power|level)|^total.?power/i;

/** Lines of `ipmitool sdr elist all`. Errors: `SENSOR_FAILED` if not one is such a line. */
export function parseSensors(text: string): IpmiSensor[] {
  const sensors = text.split('\n').flatMap(line => {
    const [name, id, status, entity, reading, ...more] = line.split('|').map(part => part.trim());
    const isSensor = /^[0-9a-f]+h$/i.test(id ?? '') && /^\d+\.\d+$/.test(entity ?? '');
    if (!name || !status || !entity || !isSensor || more.length > 0) return [];
    return [{name, status, entity, reading: reading ?? ''}];
  });
  if (sensors.length === 0) throw garbled('ipmitool sdr elist all', text);
  return sensors;
}

/** Watts of `ipmitool dcmi power reading`; NaN if it does not tell. */
export function parsePower(text: string): number {
  return Number(/Instantaneous power reading\s*:\s*(\d+)\s*Watts/.exec(text)?.[1] ?? Number.NaN);
}

/** `dcmiWatts` is what DCMI says; without it a sensor that is named for it counts. */
export function summarise(sensors: readonly IpmiSensor[], dcmiWatts: number): IpmiReport {
  const supplies = sensors.filter(
    ({entity, reading}) =>
      powerSupply.test(entity) && (supplyIsThere.test(reading) || supplyFails.test(reading)),
  );
  const failed = supplies.filter(({reading}) => supplyFails.test(reading));
  const readable = sensors.filter(({status}) => status !== 'ns' && status !== '');
  const critical = readable.filter(({status}) => criticalStatus.test(status));
  const meter = sensors.find(
    ({name, reading}) => powerName.test(name) && /^\d+(\.\d+)? Watts$/.test(reading),
  );
  return {
    suppliesFailedRatio: supplies.length > 0 ? failed.length / supplies.length : Number.NaN,
    failedSupply: failed[0] && `${failed[0].name} ${failed[0].entity}`,
    criticalRatio: readable.length > 0 ? critical.length / readable.length : Number.NaN,
    criticalSensor: critical[0]?.name,
    powerWatts: dcmiWatts > 0 ? dcmiWatts : Number.parseFloat(meter?.reading ?? 'NaN'),
  };
}
