import {garbled} from './procfs.ts';

/** What one drive says of itself; NaN where it does not. */
export type DriveReport = {
  isFailing: boolean | undefined;
  reallocated: number;
  pending: number;
  uncorrectable: number;
  linkErrors: number;
  /** 0 new, 1 used up; may go beyond. */
  wearRatio: number;
  temperatureCelsius: number;
  ageHours: number;
};

/** A drive as `smartctl --scan -j` names it. */
export type DriveAddress = {name: string; type: string};

type Json = Readonly<Record<string, unknown>>;

/**
 * Bits of the exit code that mean that nothing was learned: wrong use, and no answer of the drive.
 * The others are what the drive says.
 */
const failedBits = 0b11;
/** Wear is the normalised value of these: wear levelling, life left, media wear-out. */
const wearAttributes = [231, 233, 177];

/** The drives of a scan; none where there are none. Errors: `SENSOR_FAILED`. */
export function parseScan(text: string): DriveAddress[] {
  const {devices} = parseJson(text, 'smartctl --scan');
  if (devices === undefined) return [];
  return asList(devices).map(device => {
    const {name, type} = asObject(device);
    if (typeof name !== 'string' || typeof type !== 'string')
      throw garbled('smartctl --scan', JSON.stringify(device));
    return {name, type};
  });
}

/**
 * The report of a drive, ATA, NVMe or SCSI; undefined for one that sleeps (it is not woken).
 * Errors: `SENSOR_FAILED` when it is not JSON or the drive did not answer.
 */
export function parseDrive(text: string, exitCode: number, drive: string): DriveReport | undefined {
  const json = parseJson(text, `smartctl ${drive}`);
  const messages = asList(asObject(json.smartctl).messages).map(it => `${asObject(it).string}`);
  if (messages.some(message => /\bin (STANDBY|SLEEP)/i.test(message))) return undefined;
  if (exitCode < 0 || (exitCode & failedBits) !== 0)
    throw garbled(`smartctl ${drive}, exit code ${exitCode}`, messages.join('; '));

  const {passed} = asObject(json.smart_status);
  const nvme = asObject(json.nvme_smart_health_information_log);
  const warning = numberOf(nvme.critical_warning);
  const common = {
    temperatureCelsius: numberOf(asObject(json.temperature).current) || Number.NaN,
    ageHours: numberOf(asObject(json.power_on_time).hours),
    isFailing: warning > 0 || (typeof passed === 'boolean' ? !passed : undefined),
  };
  if (json.nvme_smart_health_information_log !== undefined) return {...common, ...ofNvme(nvme)};
  if (json.ata_smart_attributes !== undefined) return {...common, ...ofAta(json)};
  return {...common, ...ofScsi(json)};
}

type Defects = Omit<DriveReport, 'isFailing' | 'temperatureCelsius' | 'ageHours'>;

/** An NVMe drive replaces bad blocks in silence; what it tells are errors that reached the host. */
function ofNvme(log: Json): Defects {
  return {
    reallocated: Number.NaN,
    pending: Number.NaN,
    uncorrectable: numberOf(log.media_errors),
    linkErrors: Number.NaN,
    wearRatio: numberOf(log.percentage_used) / 100,
  };
}

function ofAta(json: Json): Defects {
  const table = asList(asObject(json.ata_smart_attributes).table).map(asObject);
  const attribute = (id: number) => table.find(row => row.id === id);
  const raw = (id: number) => numberOf(asObject(attribute(id)?.raw).value);
  const wear = wearAttributes.map(id => 1 - numberOf(attribute(id)?.value) / 100);
  const endurance = numberOf(asObject(json.endurance_used).current_percent) / 100;
  return {
    reallocated: raw(5),
    pending: raw(197),
    uncorrectable: largest([raw(187), raw(198)]),
    linkErrors: raw(199),
    // Some start at 200 or 253: no wear yet.
    wearRatio: Number.isNaN(endurance) ? Math.max(0, largest(wear)) : endurance,
  };
}

function ofScsi(json: Json): Defects {
  const log = asObject(json.scsi_error_counter_log);
  const uncorrected = ['read', 'write', 'verify']
    .map(kind => numberOf(asObject(log[kind]).total_uncorrected_errors))
    .filter(count => !Number.isNaN(count));
  const sum = uncorrected.reduce((total, count) => total + count, 0);
  return {
    reallocated: numberOf(json.scsi_grown_defect_list),
    pending: Number.NaN,
    uncorrectable: uncorrected.length > 0 ? sum : Number.NaN,
    linkErrors: Number.NaN,
    wearRatio: numberOf(json.scsi_percentage_used_endurance_indicator) / 100,
  };
}

function largest(values: readonly number[]): number {
  const known = values.filter(value => !Number.isNaN(value));
  return known.length > 0 ? Math.max(...known) : Number.NaN;
}

function parseJson(text: string, where: string): Json {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Json;
  } catch {
    // Said below, with what was found.
  }
  throw garbled(where, text);
}

const asObject = (value: unknown): Json =>
  typeof value === 'object' && value !== null ? (value as Json) : {};
const asList = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);
const numberOf = (value: unknown): number =>
  typeof value === 'number' && Number.isFinite(value) ? value : Number.NaN;
