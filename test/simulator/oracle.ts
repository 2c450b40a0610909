/**
 * What an observer outside of the product knows: what edges made, what cores acknowledged, what is
 * durable in the log, what drivers did. It judges as things happen; the checks of the end
 * (check-*.ts) use what it has collected. Numbers are those of SPEC.md, "System invariants".
 */
import type {IssuedEffect} from '../../core/domain/effects.ts';
import type {Tick} from '../../core/domain/records.ts';
import type {Batch, Gap} from '../../core/domain/telemetry.ts';
import type {PartitionState} from '../../core/engine/partition-state.ts';
import type {Codec, Fence, LogRecord, Topic} from '../../core/ports.ts';
import type {Datacenter} from '../../core/simulation/datacenter.ts';
import {mayRun} from '../../core/simulation/world.ts';
import {codec} from '../../proto/codec.ts';

export const INVARIANTS = [
  'S1',
  'S2',
  'S3',
  'S4',
  'S5',
  'S6',
  'S7',
  'S8',
  'S9',
  'S10',
  'S11',
  'S12',
  'S13',
  'S14',
  'S15',
  'S16',
] as const;
export type Invariant = (typeof INVARIANTS)[number];
export type Violation = {invariant: Invariant; message: string; atMs: number};

export type Emitted = {batch: Batch; bytes: Uint8Array};

/** Which ticks of a partition's journal count, as an index of what is durable. */
type Journal = {epoch: number; ticks: Set<string>; seen: number; number: number};

const VIOLATIONS_MAX = 20;
/** By then an inventory has told that a VM runs, also where the first one came in the middle of an act. */
const KNOWN_MS = 180_000;

export class Oracle {
  readonly violations: Violation[] = [];
  readonly emitted = new Map<string, Emitted>();
  readonly gaps: Gap[] = [];
  /** Highest sequence that a core said to have, by edge and incarnation. */
  readonly acked = new Map<string, number>();
  /** When each VM was last seen not to run at all. */
  readonly deadAtMs = new Map<string, number>();
  /** How often each effect was begun, and what is durable of effects. */
  readonly started = new Map<string, number>();
  readonly effects = new Map<string, IssuedEffect>();
  readonly #journals = new Map<number, Journal>();
  readonly #fences = new Map<string, number>();
  readonly #datacenter: Datacenter;
  readonly #nowMs: () => number;
  /** How many times something was held against an invariant. */
  checks = 0;

  constructor(datacenter: Datacenter, nowMs: () => number) {
    this.#datacenter = datacenter;
    this.#nowMs = nowMs;
  }

  expect(holds: boolean, invariant: Invariant, message: () => string): void {
    this.checks++;
    if (holds || this.violations.length >= VIOLATIONS_MAX) return;
    this.violations.push({invariant, message: message(), atMs: this.#nowMs()});
  }

  /**
   * The codec of an edge: every batch that it makes passes here.
   *
   * @param isSound Nothing ever hurts its files: what is missing there was dropped for room.
   */
  edgeCodec(isSound: boolean): Pick<Codec, 'encodeTelemetry'> {
    return {
      encodeTelemetry: record => {
        const bytes = codec.encodeTelemetry(record);
        if (record.kind === 'gap') {
          const {edge, incarnation, fromSeq, toSeq, reason} = record.gap;
          this.gaps.push(record.gap);
          this.expect(
            !isSound || reason !== 'damaged',
            'S14',
            () => `${edge} gives up ${incarnation}/${fromSeq} to ${toSeq} for damaged`,
          );
        }
        if (record.kind === 'batch') {
          this.emitted.set(keyOf(record.batch), {batch: record.batch, bytes});
        }
        return bytes;
      },
    };
  }

  ack(edge: string, incarnation: number, seq: number): void {
    const key = `${edge}/${incarnation}`;
    if (seq > (this.acked.get(key) ?? 0)) this.acked.set(key, seq);
  }

  /** What a journal holds when its broker starts anew: what was not synced may be gone. */
  reopened(partition: number, records: readonly LogRecord[]): void {
    this.#journals.delete(partition);
    for (const {offset, value} of records) this.appended('journal', partition, offset, [value]);
  }

  /** Something became durable in the log. */
  appended(topic: Topic, partition: number, offset: number, values: readonly Uint8Array[]): void {
    if (topic !== 'journal') return;
    const journal = this.#journal(partition);
    values.forEach((value, index) => {
      if (offset + index < journal.seen) return;
      journal.seen = offset + index + 1;
      const record = codec.decodeJournal(value);
      if (record.kind === 'epoch') journal.epoch = Math.max(journal.epoch, record.epoch.epoch);
      if (record.kind === 'tick') this.#tickAppended(journal, record.tick);
    });
  }

  #tickAppended(journal: Journal, tick: Tick): void {
    if (tick.epoch !== journal.epoch || tick.number <= journal.number) return;
    journal.number = tick.number;
    journal.ticks.add(`${tick.epoch}/${tick.number}`);
    for (const effect of tick.effects) this.effects.set(effect.id, effect);
  }

  #journal(partition: number): Journal {
    const known = this.#journals.get(partition);
    if (known !== undefined) return known;
    const journal = {epoch: 0, ticks: new Set<string>(), seen: 0, number: 0};
    this.#journals.set(partition, journal);
    return journal;
  }

  /** S8: a core takes a tick for made. */
  ticked(core: string, tick: Tick, state: PartitionState): void {
    const {ticks} = this.#journal(state.partition);
    this.expect(
      ticks.has(`${tick.epoch}/${tick.number}`),
      'S8',
      () =>
        `${core} believes its tick ${tick.epoch}/${tick.number} of partition ${state.partition}`,
    );
  }

  /** S9: an agent has answered an announcement. */
  announced(agent: string, {partition, epoch}: Fence): void {
    const key = `${agent}/${partition}`;
    this.#fences.set(key, Math.max(epoch, this.#fences.get(key) ?? 0));
  }

  /** S9: an owner begins; who is not frozen has heard of it. */
  ownerStarted(core: string, state: PartitionState): void {
    for (const {name, frozen, facts} of state.hosts.values()) {
      if (frozen || (facts?.actuatorAddress ?? '') === '') continue;
      const heard = this.#fences.get(`${name}/${state.partition}`) ?? 0;
      this.expect(
        heard >= state.epoch,
        'S9',
        () => `${core} starts epoch ${state.epoch}; ${name} has only heard ${heard}`,
      );
    }
  }

  /** S4, S5, S7, S9: a driver is about to do something to the world. */
  starting(agent: string, effect: IssuedEffect): void {
    const {id, kind} = effect;
    const count = (this.started.get(id) ?? 0) + 1;
    this.started.set(id, count);
    this.expect(count === 1, 'S7', () => `${kind} ${id} was begun ${count} times`);
    this.expect(this.effects.has(id), 'S7', () => `${kind} ${id} was begun before it was durable`);
    const [partition, epoch] = id.split('/').map(Number);
    const fence = this.#fences.get(`${agent}/${partition}`) ?? 0;
    this.expect(
      (epoch as number) >= fence,
      'S9',
      () => `${kind} ${id} was begun by ${agent}, which had confirmed epoch ${fence}`,
    );
    this.#startingVm(effect);
  }

  #startingVm({id, kind, vm: name, targetHost}: IssuedEffect): void {
    if (kind !== 'restart-vm' && kind !== 'activate-ghost') return;
    const vm = this.#datacenter.vms.find(one => one.name === name);
    if (vm === undefined) return;
    const elsewhere = vm.host.name !== targetHost && mayRun(vm);
    // A host that failed without a fence starts its VMs again: the lock on their disks decides.
    const isKnown = this.#nowMs() - (this.deadAtMs.get(name) ?? -Infinity) > KNOWN_MS;
    this.expect(
      !elsewhere || (kind === 'restart-vm' && !isKnown),
      kind === 'restart-vm' ? 'S4' : 'S5',
      () =>
        `${kind} ${id}: ${name} is to run on ${targetHost} and may still run on ${vm.host.name}, ` +
        `which is ${vm.host.state}`,
    );
  }
}

/** Names a batch. */
export const keyOf = ({edge, incarnation, seq}: Batch): string => `${edge}/${incarnation}/${seq}`;
