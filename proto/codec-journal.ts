import {create, type MessageInitShape, toBinary} from '@bufbuild/protobuf';
import {actionKinds, type Decision, type LearnedHere} from '../core/domain/decision.ts';
import {effectKinds, type IssuedEffect} from '../core/domain/effects.ts';
import type {ModelUse} from '../core/domain/model-use.ts';
import {MODES} from '../core/domain/policy.ts';
import type {
  CellRestraint,
  Cut,
  JournalRecord,
  Tick,
  Transition,
  VmWorkload,
} from '../core/domain/records.ts';
import {DIRTY_CLASSES, DIRTY_SOURCES, WORKLOAD_KINDS} from '../core/domain/workload-profile.ts';
import {malformed, oneOf, parse, wholeNumber} from './codec-guards.ts';
import {inventoryHostOf, toInventoryHost} from './codec-inventory.ts';
import {risksOf, sampleRisksOf, toRisks} from './codec-risks.ts';
import type * as records from './gen/forestay/records/v1/records_pb.ts';
import {JournalRecordSchema, TickSchema} from './gen/forestay/records/v1/records_pb.ts';
import {WireWriter} from './wire-writer.ts';

type JournalInit = MessageInitShape<typeof JournalRecordSchema>;

const CODE = 'RECORD_MALFORMED';
const outcomes = ['acted', 'would-act', 'blocked', 'no-action'] as const;

/**
 * The journal record of a tick. Equal ticks give equal bytes: fields are written in the order of
 * their numbers and nothing is a map.
 */
export function encodeTick(tick: Tick): Uint8Array {
  const {transitions, timers} = tick;
  const {risks, ...rest} = toTick(tick);
  const {timeMs, epoch, number, cut, modelHash, control, ...last} = rest;
  const head = {timeMs, epoch, number, cut, modelHash, ...(control === undefined ? {} : {control})};
  return writer.bytesOf(() =>
    writer.message(TICK, () => {
      writer.fields(tickFields(head));
      for (const move of transitions) writer.message(TRANSITIONS, () => writeTransition(move));
      if (risks !== undefined) writer.fields(tickFields({risks}));
      for (const timer of timers) writer.message(TIMERS, () => writeTimer(timer));
      writer.fields(tickFields(last));
    }),
  );
}

const writer = new WireWriter();
/** Field numbers of records.proto. */
const [TICK, TRANSITIONS, TIMERS] = [2, 10, 12];

const tickFields = (init: MessageInitShape<typeof TickSchema>): Uint8Array =>
  toBinary(TickSchema, create(TickSchema, init));

function writeTimer({actor, dueMs}: Tick['timers'][number]): void {
  writer.text(1, actor);
  writer.double(2, dueMs);
}

function writeTransition(move: Transition): void {
  writer.text(1, move.actor);
  writer.text(2, move.machine);
  writer.whole(3, move.machineVersion);
  writer.whole(4, move.seq);
  writer.text(5, move.from);
  writer.text(6, move.to);
  writer.text(7, move.event);
  writer.text(8, move.context);
}

export function encodeJournal(record: JournalRecord): Uint8Array {
  switch (record.kind) {
    case 'tick':
      return encodeTick(record.tick);
    case 'epoch': {
      const {epoch, owner, address} = record.epoch;
      return encode({record: {case: 'epoch', value: {epoch: BigInt(epoch), owner, address}}});
    }
    case 'tick-part': {
      const {epoch, number, part, parts, bytes} = record;
      const value = {epoch: BigInt(epoch), number: BigInt(number), part, parts, bytes};
      return encode({record: {case: 'tickPart', value}});
    }
    case 'checkpoint': {
      const {epoch, tickNumber, firstOffset, chunks, crc32} = record.pointer;
      const value = {
        epoch: BigInt(epoch),
        tickNumber: BigInt(tickNumber),
        firstOffset: BigInt(firstOffset),
        chunks,
        crc32,
      };
      return encode({record: {case: 'checkpoint', value}});
    }
  }
}

export function decodeJournal(bytes: Uint8Array): JournalRecord {
  const {record} = parse(JournalRecordSchema, bytes, CODE);
  switch (record.case) {
    case 'tick':
      return {kind: 'tick', tick: tickOf(record.value)};
    case 'epoch': {
      const {epoch, owner, address} = record.value;
      return {kind: 'epoch', epoch: {epoch: counter(epoch, 'epoch'), owner, address}};
    }
    case 'tickPart':
      return tickPartOf(record.value);
    case 'checkpoint': {
      const {epoch, tickNumber, firstOffset, chunks, crc32} = record.value;
      const pointer = {
        epoch: counter(epoch, 'epoch'),
        tickNumber: counter(tickNumber, 'tick_number'),
        firstOffset: counter(firstOffset, 'first_offset'),
        chunks,
        crc32,
      };
      return {kind: 'checkpoint', pointer};
    }
    default:
      throw malformed(CODE, `journal record of ${bytes.length} bytes is of no known kind`);
  }
}

function encode(init: JournalInit): Uint8Array {
  return toBinary(JournalRecordSchema, create(JournalRecordSchema, init));
}

function counter(value: bigint, field: string): number {
  return wholeNumber(value, field, CODE);
}

/** All of it but transitions and timers, of which there may be thousands. */
function toTick(tick: Tick) {
  const {control} = tick;
  return {
    timeMs: tick.timeMs,
    epoch: BigInt(tick.epoch),
    number: BigInt(tick.number),
    cut: toCut(tick.cut),
    modelHash: tick.modelHash,
    ...(control === undefined ? {} : {control}),
    ...toRisks(tick.risks, tick.sampleRisks),
    components: [...(tick.components ?? [])],
    everySamples: tick.everySamples ?? 0,
    effects: [...tick.effects],
    decisions: tick.decisions.map(decision => ({
      ...decision,
      alternatives: [...decision.alternatives],
    })),
    inventory: tick.inventory.map(toInventoryHost),
    workloads: [...(tick.workloads ?? [])],
    ...(tick.models === undefined ? {} : {models: toModelUse(tick.models)}),
    restraints: [...(tick.restraints ?? [])],
    quiet: (tick.quiet ?? []).map(({timeMs, cut}) => ({timeMs, cut: toCut(cut)})),
  };
}

function toCut(cut: Cut) {
  return {
    telemetryOffset: BigInt(cut.telemetryOffset),
    inboxOffset: BigInt(cut.inboxOffset),
    scoreRequest: BigInt(cut.scoreRequest),
  };
}

function tickOf(tick: records.Tick): Tick {
  const {control, quiet, sampleRisks, components, everySamples, workloads, models} = tick;
  const {restraints} = tick;
  return {
    timeMs: tick.timeMs,
    epoch: counter(tick.epoch, 'epoch'),
    number: counter(tick.number, 'number'),
    cut: cutOf(tick.cut, tick.number),
    transitions: tick.transitions.map(transitionOf),
    risks: risksOf(tick),
    ...(sampleRisks.length === 0 ? {} : {sampleRisks: sampleRisks.map(sampleRisksOf)}),
    ...(components.length === 0 ? {} : {components}),
    ...(everySamples === 0 ? {} : {everySamples}),
    timers: tick.timers.map(({actor, dueMs}) => ({actor, dueMs})),
    effects: tick.effects.map(effectOf),
    decisions: tick.decisions.map(decisionOf),
    inventory: tick.inventory.map(host => inventoryHostOf(host, CODE)),
    ...(workloads.length === 0 ? {} : {workloads: workloads.map(workloadOf)}),
    ...(control === undefined ? {} : {control: controlOf(control)}),
    modelHash: tick.modelHash,
    ...(models === undefined ? {} : {models: modelUseOf(models)}),
    ...(restraints.length === 0 ? {} : {restraints: restraints.map(restraintOf)}),
    ...(quiet.length === 0
      ? {}
      : {quiet: quiet.map(({timeMs, cut}) => ({timeMs, cut: cutOf(cut, tick.number)}))}),
  };
}

function cutOf(cut: records.Cut | undefined, tick: bigint): Cut {
  if (cut === undefined) throw malformed(CODE, `tick ${tick} has no cut`);
  return {
    telemetryOffset: counter(cut.telemetryOffset, 'telemetry_offset'),
    inboxOffset: counter(cut.inboxOffset, 'inbox_offset'),
    scoreRequest: counter(cut.scoreRequest, 'score_request'),
  };
}

function tickPartOf(message: records.TickPart): JournalRecord {
  const {part, parts, bytes} = message;
  if (part >= parts) throw malformed(CODE, `tick part ${part} of ${parts}: parts count from 0`);
  return {
    kind: 'tick-part',
    epoch: counter(message.epoch, 'epoch'),
    number: counter(message.number, 'number'),
    part,
    parts,
    bytes,
  };
}

function controlOf({mode, paused, policyVersion}: records.Control) {
  return {mode: oneOf(mode, MODES, 'mode', CODE), paused, policyVersion};
}

function learnedOf(message: records.LearnedHere | undefined): LearnedHere | undefined {
  return message && {version: message.version, logOdds: message.logOdds};
}

function trialOf(message: records.DecisionTrial | undefined): Pick<Decision, 'trial'> {
  if (message === undefined) return {};
  const {heldBack, propensity, episodeAtMs} = message;
  return {trial: {heldBack, propensity, episodeAtMs}};
}

function toModelUse({champion, canary, refused}: ModelUse) {
  return {
    champion,
    canary: canary?.modelHash ?? '',
    canaryPercent: canary?.percent ?? 0,
    refused: refused?.modelHash ?? '',
    refusedBecause: refused?.because ?? '',
  };
}

function modelUseOf(message: records.ModelUse): ModelUse {
  const {champion, canary, canaryPercent: percent, refused, refusedBecause: because} = message;
  return {
    champion,
    ...(canary === '' ? {} : {canary: {modelHash: canary, percent}}),
    ...(refused === '' ? {} : {refused: {modelHash: refused, because}}),
  };
}

function restraintOf(message: records.CellRestraint): CellRestraint {
  const {cell, modelHash, restrained, sinceMs, because, lifted} = message;
  return {cell, modelHash, restrained, sinceMs, because, lifted};
}

function transitionOf(move: records.Transition): Transition {
  const {actor, machine, machineVersion, from, to, event, context} = move;
  return {
    actor,
    machine,
    machineVersion,
    seq: counter(move.seq, 'seq'),
    from,
    to,
    event,
    context,
  };
}

function workloadOf(message: records.VmWorkload): VmWorkload {
  const {$typeName: _typeName, $unknown: _unknown, ...workload} = message;
  return {
    ...workload,
    kind: oneOf(message.kind, WORKLOAD_KINDS, 'kind of workload', CODE),
    dirtyClass: oneOf(message.dirtyClass, DIRTY_CLASSES, 'dirty class', CODE),
    dirtySource: oneOf(message.dirtySource, DIRTY_SOURCES, 'dirty source', CODE),
  };
}

function effectOf(effect: records.IssuedEffect): IssuedEffect {
  const {id, host, vm, targetHost, weightPercent, deadlineMs, agent, address} = effect;
  const kind = oneOf(effect.kind, effectKinds, 'effect kind', CODE);
  return {id, kind, host, vm, targetHost, weightPercent, deadlineMs, agent, address};
}

function decisionOf(decision: records.Decision): Decision {
  return {
    id: decision.id,
    atMs: decision.atMs,
    entity: decision.entity,
    host: decision.host,
    risk: decision.risk,
    component: decision.component,
    action: oneOf(decision.action, actionKinds, 'action', CODE),
    targetHost: decision.targetHost,
    because: decision.because,
    outcome: oneOf(decision.outcome, outcomes, 'outcome', CODE),
    blockedBy: decision.blockedBy,
    alternatives: decision.alternatives.map(alternative => ({
      action: oneOf(alternative.action, actionKinds, 'action', CODE),
      targetHost: alternative.targetHost,
      gainVmMinutes: alternative.gainVmMinutes,
      costVmMinutes: alternative.costVmMinutes,
      finishesInSeconds: alternative.finishesInSeconds,
      rejectedBecause: alternative.rejectedBecause,
    })),
    modelHash: decision.modelHash,
    policyVersion: decision.policyVersion,
    expectedInSeconds: decision.expectedInSeconds,
    learned: learnedOf(decision.learned),
    ...trialOf(decision.trial),
  };
}
