import {ForestayError} from '../domain/errors.ts';
import type {Batch, InventoryHost} from '../domain/telemetry.ts';

/**
 * The most characters of each text that a batch brings and that a core keeps: in state, journal and
 * checkpoints, as often as it comes. Edge and cell are held by the hello, entities by the codec.
 *
 * Only what arrives is held to these; a log that has longer ones is read as ever, for a tick that
 * has taken them must be the same when it is replayed.
 */
export const LENGTHS_MAX = {
  /** With `hosts/` and `vms/` before them, what an entity of a block may have. */
  host: 250,
  vm: 252,
  rack: 256,
  /** A DNS name and a port. */
  actuator_address: 260,
  capability: 64,
  boot_id: 128,
  hardware: 128,
  anti_affinity_group: 256,
  pinned_reason: 256,
  tenant: 256,
  device: 256,
} as const;

const CAPABILITIES_MAX = 64;
const SHOWN_LENGTH = 40;

type Field = keyof typeof LENGTHS_MAX;

/** A name in a message: whole if it is short. */
export function quoted(text: string): string {
  return JSON.stringify(text.length <= SHOWN_LENGTH ? text : `${text.slice(0, SHOWN_LENGTH)}…`);
}

/** Errors: `BATCH_MALFORMED` if a text is too long, or a host has too many capabilities. */
export function requireLengths({inventory, blocks}: Batch): void {
  for (const host of inventory?.hosts ?? []) requireHost(host);
  for (const {devices} of blocks) for (const {name} of devices) requireLength('device', name);
}

function requireHost(facts: InventoryHost): void {
  const {host, capabilities} = facts;
  requireLength('host', host);
  requireLength('rack', facts.rack);
  requireLength('actuator_address', facts.actuatorAddress);
  requireLength('boot_id', facts.bootId);
  requireLength('hardware', facts.hardware);
  if (capabilities.length > CAPABILITIES_MAX) {
    throw malformed(
      'capabilities',
      `inventory: host ${quoted(host)} has ${capabilities.length} capabilities, at most ` +
        `${CAPABILITIES_MAX} are legal`,
    );
  }
  for (const capability of capabilities) requireLength('capability', capability);
  for (const vm of facts.vms) {
    requireLength('vm', vm.vm);
    requireLength('anti_affinity_group', vm.antiAffinityGroup);
    requireLength('pinned_reason', vm.pinnedReason);
    requireLength('tenant', vm.tenant);
  }
}

function requireLength(field: Field, text: string): void {
  const max = LENGTHS_MAX[field];
  if (text.length <= max) return;
  throw malformed(
    field,
    `${field} ${quoted(text)} has ${text.length} characters, at most ${max} are legal; shorten it`,
  );
}

function malformed(field: string, message: string): ForestayError {
  return new ForestayError('BATCH_MALFORMED', message, {details: {field}});
}
