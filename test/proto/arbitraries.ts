/** Random records of every kind, as fast-check arbitraries. */

import type {HostAnomaly} from '../../core/domain/anomaly/fleet-watch.ts';
import {COMPONENTS} from '../../core/domain/components.ts';
import {actionKinds, type Decision} from '../../core/domain/decision.ts';
import {type EffectResult, effectKinds, type IssuedEffect} from '../../core/domain/effects.ts';
import type {
  InboxRecord,
  JournalRecord,
  SampleRisks,
  ScoresRecord,
  Tick,
  VmWorkload,
} from '../../core/domain/records.ts';
import type {Batch, Block, Gap, InventoryHost} from '../../core/domain/telemetry.ts';
import {DIRTY_CLASSES, DIRTY_SOURCES, WORKLOAD_KINDS} from '../../core/domain/workload-profile.ts';
import fc from '../support/fast-check.ts';
import {cellSkill} from './skill-arbitraries.ts';

const name = fc.string({minLength: 1, maxLength: 12, unit: 'grapheme-ascii'});
const text = fc.string({maxLength: 20, unit: 'grapheme'}).filter(value => value.isWellFormed());
const count = fc.nat(2 ** 31);
const offset = fc.maxSafeNat();
const u32 = fc.nat(0xffff_ffff);
const size = fc.double({min: 0, max: 1e15, noNaN: true}).map(value => value + 0);
const number = fc.double({noNaN: true}).map(value => value + 0);
const timeMs = fc.integer({min: 0, max: 4e12});
const host = name.map(value => `hosts/${value}`);
const vm = name.map(value => `vms/${value}`);
const mode = fc.constantFrom('observe', 'advise', 'approve', 'auto');
const floats = (length: number) =>
  fc.array(fc.float({noDefaultInfinity: true}), {minLength: length, maxLength: length});

export const inventoryHost: fc.Arbitrary<InventoryHost> = fc.record({
  host: name,
  rack: text,
  cpuCores: size,
  memoryBytes: size,
  actuatorAddress: text,
  capabilities: fc.array(text, {maxLength: 3}),
  migrationBytesPerSecond: size,
  vms: fc.array(
    fc.record({
      vm: name,
      cpuCores: size,
      memoryBytes: size,
      criticality: size,
      dirtyBytesPerSecond: size,
      antiAffinityGroup: text,
      pinnedReason: text,
      tenant: text,
    }),
    {maxLength: 3},
  ),
  bootId: text,
  observeOnly: fc.boolean(),
  hardware: text,
});

const entities = fc.uniqueArray(fc.oneof(host, vm), {minLength: 1, maxLength: 5});

export const block: fc.Arbitrary<Block> = fc
  .tuple(fc.nat(12), fc.integer({min: 1, max: 6}), entities)
  .chain(([rows, columns, names]) =>
    fc.record({
      metricSet: name,
      metricSetHash: u32,
      rows: fc.constant(rows),
      entities: fc.constant(names),
      rowEntity: fc
        .array(fc.nat(names.length - 1), {minLength: rows, maxLength: rows})
        .map(indices => Uint16Array.from(indices)),
      observedAtMs: fc
        .tuple(timeMs, fc.array(fc.nat(100_000), {minLength: rows, maxLength: rows}))
        .map(([base, offsets]) => Float64Array.from(offsets, offsetMs => base + offsetMs)),
      values: floats(rows * columns).map(values => Float32Array.from(values)),
      devices:
        rows === 0
          ? fc.constant([])
          : fc.uniqueArray(
              fc.record({row: fc.nat(rows - 1), column: fc.nat(columns - 1), name: text}),
              {maxLength: Math.min(2, rows * columns)},
            ),
    }),
  );

export const batch: fc.Arbitrary<Batch> = fc.record(
  {
    edge: name,
    cell: name,
    incarnation: u32,
    seq: offset.map(seq => Math.max(seq, 1)),
    timeBase: fc.constantFrom('live', 'recorded', 'simulated'),
    blocks: fc.array(block, {maxLength: 3}),
    inventory: fc.record({hosts: fc.array(inventoryHost, {maxLength: 2})}),
  },
  {requiredKeys: ['edge', 'cell', 'incarnation', 'seq', 'timeBase', 'blocks']},
);

export const gap: fc.Arbitrary<Gap> = fc
  .record({edge: name, cell: name, incarnation: u32, fromSeq: count, length: count, reason: text})
  .map(({fromSeq, length, ...rest}) => ({
    ...rest,
    fromSeq: fromSeq + 1,
    toSeq: fromSeq + 1 + length,
  }));

const effect: fc.Arbitrary<IssuedEffect> = fc.record({
  id: text,
  kind: fc.constantFrom(...effectKinds),
  host: text,
  vm: text,
  targetHost: text,
  weightPercent: number,
  deadlineMs: number,
  agent: text,
  address: text,
});

const withoutTrial: fc.Arbitrary<Decision> = fc.record({
  id: text,
  atMs: number,
  entity: text,
  host: text,
  risk: number,
  component: text,
  action: fc.constantFrom(...actionKinds),
  targetHost: text,
  because: text,
  outcome: fc.constantFrom('acted', 'would-act', 'blocked', 'no-action'),
  blockedBy: text,
  alternatives: fc.array(
    fc.record({
      action: fc.constantFrom(...actionKinds),
      targetHost: text,
      gainVmMinutes: number,
      costVmMinutes: number,
      finishesInSeconds: number,
      rejectedBecause: text,
    }),
    {maxLength: 2},
  ),
  modelHash: text,
  policyVersion: u32,
  expectedInSeconds: fc.option(number, {nil: undefined}),
  learned: fc.option(fc.record({version: u32, logOdds: number}), {nil: undefined}),
});

const trial = fc.record({heldBack: fc.boolean(), propensity: number, episodeAtMs: number});

const decision: fc.Arbitrary<Decision> = fc
  .tuple(withoutTrial, fc.option(trial, {nil: undefined}))
  .map(([made, drawn]) => (drawn === undefined ? made : {...made, trial: drawn}));

const few = <Value>(item: fc.Arbitrary<Value>) => fc.array(item, {maxLength: 2});

const appliedRisk = fc.record({
  host: text,
  risks: floats(5).map(risks => Float32Array.from(risks)),
  learned: fc.float({min: Math.fround(0.01), max: 3, noNaN: true}),
});

const sampleRisks: fc.Arbitrary<SampleRisks> = fc
  .record({
    components: fc.array(text, {minLength: 1, maxLength: 3}),
    hosts: fc.array(text, {minLength: 1, maxLength: 3}),
    rows: fc.nat(5),
  })
  .chain(({components, hosts, rows}) =>
    fc.record({
      components: fc.constant(components),
      hosts: fc.constant(hosts),
      host: fc
        .array(fc.nat(hosts.length - 1), {minLength: rows, maxLength: rows})
        .map(indices => Uint32Array.from(indices)),
      atMs: fc
        .array(number, {minLength: rows, maxLength: rows})
        .map(times => Float64Array.from(times)),
      risks: floats(rows * components.length).map(risks => Float32Array.from(risks)),
    }),
  );

const known = fc.oneof(number, fc.constant(Number.NaN));

const workload: fc.Arbitrary<VmWorkload> = fc.record({
  vm: text,
  kind: fc.constantFrom(...WORKLOAD_KINDS),
  observedMs: number,
  cpuRatio: known,
  memoryRatio: known,
  readBytesPerSecond: known,
  writeBytesPerSecond: known,
  receiveBytesPerSecond: known,
  transmitBytesPerSecond: known,
  variation: known,
  fullShare: known,
  isDaily: fc.boolean(),
  dailyShare: known,
  dirtyClass: fc.constantFrom(...DIRTY_CLASSES),
  dirtyBytesPerSecond: known,
  dirtySource: fc.constantFrom(...DIRTY_SOURCES),
});

export const tick: fc.Arbitrary<Tick> = fc.record(
  {
    timeMs: number,
    epoch: offset,
    number: offset,
    cut: fc.record({telemetryOffset: offset, inboxOffset: offset, scoreRequest: offset}),
    transitions: few(
      fc.record({
        actor: text,
        machine: text,
        machineVersion: u32,
        seq: offset,
        from: text,
        to: text,
        event: text,
        context: text,
      }),
    ),
    risks: fc.oneof(few(appliedRisk), fc.array(appliedRisk, {minLength: 64, maxLength: 70})),
    sampleRisks: fc.array(sampleRisks, {minLength: 1, maxLength: 2}),
    components: fc.array(text, {minLength: 1, maxLength: 3}),
    everySamples: fc.integer({min: 1, max: 1000}),
    timers: few(fc.record({actor: text, dueMs: number})),
    effects: few(effect),
    decisions: few(decision),
    inventory: few(inventoryHost),
    workloads: fc.array(workload, {minLength: 1, maxLength: 2}),
    control: fc.record({mode, paused: fc.boolean(), policyVersion: u32}),
    modelHash: text,
    models: fc.record(
      {
        champion: text,
        canary: fc.record({modelHash: name, percent: fc.integer({min: 1, max: 99})}),
        refused: fc.record({modelHash: name, because: text}),
      },
      {requiredKeys: ['champion']},
    ),
    restraints: fc.array(
      fc.record({
        cell: text,
        modelHash: text,
        restrained: fc.boolean(),
        sinceMs: number,
        because: text,
        lifted: fc.boolean(),
      }),
      {minLength: 1, maxLength: 2},
    ),
  },
  {
    requiredKeys: [
      'timeMs',
      'epoch',
      'number',
      'cut',
      'transitions',
      'risks',
      'timers',
      'effects',
      'decisions',
      'inventory',
      'modelHash',
    ],
  },
);

const bytes = fc.uint8Array({maxLength: 40});

export const journalRecord: fc.Arbitrary<JournalRecord> = fc.oneof(
  tick.map(value => ({kind: 'tick' as const, tick: value})),
  fc.record({
    kind: fc.constant('epoch'),
    epoch: fc.record({epoch: offset, owner: text, address: text}),
  }),
  fc.record({
    kind: fc.constant('tick-part'),
    epoch: offset,
    number: offset,
    part: fc.nat(9),
    parts: fc.constant(10),
    bytes,
  }),
  fc.record({
    kind: fc.constant('checkpoint'),
    pointer: fc.record({
      epoch: offset,
      tickNumber: offset,
      firstOffset: offset,
      chunks: u32,
      crc32: u32,
    }),
  }),
);

const result: fc.Arbitrary<EffectResult> = fc.record({
  id: text,
  status: fc.constantFrom('done', 'failed', 'cancelled', 'abandoned'),
  code: text,
  message: text,
  figures: fc.dictionary(name, number, {maxKeys: 4, noNullPrototype: true}),
});

const inboxHead = {requestId: name, atMs: number, author: text};

export const inboxRecord: fc.Arbitrary<InboxRecord> = fc.oneof(
  fc.record({...inboxHead, kind: fc.constant('effect-result'), result}),
  fc.record({
    ...inboxHead,
    kind: fc.constant('register-metric-set'),
    name,
    entityKind: fc.constantFrom('host', 'vm'),
    columns: fc.array(name, {maxLength: 4}),
  }),
  fc.record({...inboxHead, kind: fc.constantFrom('pause', 'resume'), comment: text}),
  fc.record({...inboxHead, kind: fc.constant('set-mode'), mode}),
  fc.record({
    ...inboxHead,
    kind: fc.constant('switch-model'),
    modelHash: text,
    percent: fc.nat(100),
    comment: text,
  }),
  fc.record({...inboxHead, kind: fc.constant('lift-restraint'), cell: text, comment: text}),
  fc.record({
    ...inboxHead,
    kind: fc.constant('declare-host'),
    host: text,
    state: fc.constantFrom('lost', 'returned'),
  }),
  fc.record({
    ...inboxHead,
    kind: fc.constant('declare-host'),
    host: text,
    state: fc.constantFrom('lost', 'returned'),
    part: fc.constantFrom(...COMPONENTS),
  }),
);

const hostAnomaly: fc.Arbitrary<HostAnomaly> = fc.record({
  host: text,
  atMs: number,
  score: number,
  threshold: number,
  isOdd: fc.boolean(),
  metrics: few(fc.record({metric: text, value: number, usual: number})),
  learnedRows: fc.nat(),
  neededRows: fc.nat(),
  rackOddRatio: number,
  oddVmsRatio: number,
});

export const scoresRecord: fc.Arbitrary<ScoresRecord> = fc
  .tuple(
    fc.array(text, {minLength: 1, maxLength: 3}),
    fc.array(text, {maxLength: 3}),
    fc.boolean(),
    fc.array(hostAnomaly, {maxLength: 2}),
    fc.array(cellSkill, {maxLength: 2}),
  )
  .chain(([hosts, components, withCounterfactual, anomalies, skills]) =>
    fc.record({
      ...(anomalies.length > 0 && {anomalies: fc.constant(anomalies)}),
      ...(skills.length > 0 && {skills: fc.constant(skills)}),
      timeMs: number,
      epoch: offset,
      tickNumber: offset,
      modelHash: text,
      kind: fc.constantFrom('risk' as const, 'outlook' as const),
      featureHash: fc.integer({min: 0, max: 2 ** 32 - 1}),
      hosts: fc.constant(hosts),
      risks: floats(hosts.length * components.length).map(risks => Float32Array.from(risks)),
      components: fc.constant(components),
      reasons: few(
        fc.record({
          row: fc.nat(hosts.length - 1),
          component: text,
          reasons: few(
            fc.record({feature: text, value: number, usual: number, contribution: number}),
          ),
          ...(withCounterfactual && {
            counterfactual: fc.record({
              changes: few(fc.record({metric: text, value: number})),
              risk: number,
            }),
          }),
          decisions: few(text),
        }),
      ),
    }),
  );
