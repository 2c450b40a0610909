import type {MessageInitShape} from '@bufbuild/protobuf';
import {
  type GetStatusResponseSchema,
  Mode as ModeMessage,
} from '../../proto/gen/forestay/v1/control_pb.ts';
import type {Mode} from '../domain/policy.ts';
import type {CellSkill} from '../domain/skill/cell-skill.ts';
import type {ReadModel} from '../engine/read-model.ts';
import type {Clock} from '../ports.ts';
import {splitState, timeField} from './fleet-messages.ts';

/** One condition of being ready. `message` says what is wrong, or how far it is. */
export type Check = {name: string; ok: boolean; message: string};

/** Totals of a cell since this process started. */
export type CellTotals = {
  cell: string;
  /** Durable in the log. */
  ingestedSamples: number;
  /** Written to the store. */
  storedSamples: number;
  scoredRows: number;
  transitions: number;
};

export type StatusDeps = {
  model: ReadModel;
  clock: Clock;
  build: {version: string; commit: string};
  checks(): readonly Check[];
  cells(): readonly CellTotals[];
};

export type ActorCount = {kind: 'host' | 'vm'; state: string; count: number};

export function isReady({checks}: Pick<StatusDeps, 'checks'>): boolean {
  return checks().every(check => check.ok);
}

/** Actors by kind and top-level state; O(fleet). */
export function countActors(model: ReadModel): ActorCount[] {
  const counts = new Map<string, ActorCount>();
  const add = (kind: ActorCount['kind'], state: string) => {
    const key = `${kind} ${state}`;
    const found = counts.get(key) ?? {kind, state, count: 0};
    found.count++;
    counts.set(key, found);
  };
  for (const row of model.hosts.values()) add('host', splitState(row).state);
  for (const row of model.vms.values()) add('vm', splitState(row).state);
  return [...counts.values()];
}

/** Models that only advise, by cell, then by model; `cell` absent: of all cells. */
export function restrainedModels({skills}: ReadModel, cell?: string): CellSkill[] {
  const known = cell === undefined ? [...skills.values()].flat() : (skills.get(cell) ?? []);
  const keyOf = (skill: CellSkill) => `${skill.cell} ${skill.modelHash}`;
  return known
    .filter(({restraint}) => restraint.restrained)
    .sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
}

export function toStatus(deps: StatusDeps): MessageInitShape<typeof GetStatusResponseSchema> {
  const {model, clock, build} = deps;
  const partitions = [...model.partitions].sort(([left], [right]) => left - right);
  return {
    version: build.version,
    ...timeField('time', clock.nowMs()),
    ready: isReady(deps),
    checks: [...deps.checks()],
    partitions: partitions.map(([partition, row]) => ({
      partition,
      epoch: BigInt(row.epoch),
      tickNumber: BigInt(Math.max(0, row.tickNumber)),
      ...timeField('tickTime', row.timeMs),
      mode: row.control ? modeMessages[row.control.mode] : ModeMessage.UNSPECIFIED,
      paused: row.control?.paused ?? false,
      policyVersion: row.control?.policyVersion ?? 0,
      modelHash: row.modelHash,
      canaryHash: row.models?.canary?.modelHash ?? '',
      canaryPercent: row.models?.canary?.percent ?? 0,
      refusedHash: row.models?.refused?.modelHash ?? '',
      refusedBecause: row.models?.refused?.because ?? '',
      owner: row.owner,
      address: row.address,
    })),
    cells: deps.cells().map(totals => ({
      cell: totals.cell,
      ingestedSamples: BigInt(totals.ingestedSamples),
      storedSamples: BigInt(totals.storedSamples),
      scoredRows: BigInt(totals.scoredRows),
      transitions: BigInt(totals.transitions),
    })),
    restraints: restrainedModels(model).map(({cell, modelHash, restraint}) => ({
      cell,
      modelHash,
      ...timeField('sinceTime', restraint.sinceMs),
      because: restraint.because,
    })),
    actors: countActors(model).map(({count, ...actor}) => ({...actor, count: BigInt(count)})),
  };
}

/** The modes as the API has them. */
export const modeMessages: Readonly<Record<Mode, ModeMessage>> = {
  observe: ModeMessage.OBSERVE,
  advise: ModeMessage.ADVISE,
  approve: ModeMessage.APPROVE,
  auto: ModeMessage.AUTO,
};
