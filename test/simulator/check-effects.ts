/** S6, S8, S10: results, epochs and budgets, from the journal and the inbox alone. */
import type {EffectResult, IssuedEffect} from '../../core/domain/effects.ts';
import type {Policy} from '../../core/domain/policy.ts';
import type {Tick} from '../../core/domain/records.ts';
import type {Log} from '../../core/ports.ts';
import type {Datacenter} from '../../core/simulation/datacenter.ts';
import {codec} from '../../proto/codec.ts';
import {readAll} from './check-telemetry.ts';
import type {Oracle} from './oracle.ts';

/** Ticks that count, in order: of the highest epoch so far, each the next one. */
export async function believedTicks(oracle: Oracle, log: Log, partition: number): Promise<Tick[]> {
  const ticks: Tick[] = [];
  let epoch = 0;
  for (const {value} of await readAll(log, 'journal', partition)) {
    const record = codec.decodeJournal(value);
    if (record.kind === 'epoch') epoch = Math.max(epoch, record.epoch.epoch);
    if (record.kind !== 'tick' || record.tick.epoch !== epoch) continue;
    const last = ticks.at(-1)?.number ?? 0;
    if (record.tick.number <= last) continue;
    oracle.expect(
      record.tick.number === last + 1,
      'S8',
      () => `tick ${record.tick.number} of partition ${partition} follows ${last}`,
    );
    ticks.push(record.tick);
  }
  return ticks;
}

type Recorded = {offset: number; result: EffectResult};

/** Results by offset; the first one of each id counts. */
async function readResults(log: Log, partition: number): Promise<Recorded[]> {
  const records = await readAll(log, 'inbox', partition);
  return records.flatMap(({offset, value}) => {
    const record = codec.decodeInbox(value);
    return record.kind === 'effect-result' ? [{offset, result: record.result}] : [];
  });
}

export async function checkEffects(options: {
  oracle: Oracle;
  log: Log;
  datacenter: Datacenter;
  policy: Policy;
  partitions: readonly number[];
  /** Effects that had no time to end. */
  underWay: ReadonlySet<string>;
}): Promise<void> {
  const {oracle, log, datacenter, policy, partitions, underWay} = options;
  for (const partition of partitions) {
    const ticks = await believedTicks(oracle, log, partition);
    const results = await readResults(log, partition);
    const first = new Map<string, EffectResult>();
    for (const {result} of results) if (!first.has(result.id)) first.set(result.id, result);
    const issued = ticks.flatMap(({effects}) => effects);
    for (const effect of issued) {
      const result = first.get(effect.id);
      if (result !== undefined || !underWay.has(effect.id)) {
        checkResult(oracle, datacenter, effect, result);
      }
    }
    const known = new Set(issued.map(({id}) => id));
    for (const id of first.keys()) {
      oracle.expect(known.has(id), 'S6', () => `${id} has a result and was never issued`);
    }
    checkBudgets(oracle, policy, ticks, results);
  }
}

const NEVER_BEGAN: readonly string[] = ['ABANDONED', 'EFFECT_PRECONDITION', 'STALE_EPOCH'];

/** S6: one result, and it tells what happened. */
function checkResult(
  oracle: Oracle,
  {drivers}: Datacenter,
  {id, kind}: IssuedEffect,
  result: EffectResult | undefined,
): void {
  oracle.expect(result !== undefined, 'S6', () => `${kind} ${id} has no result`);
  if (result === undefined) return;
  const {status, code} = result;
  const started = oracle.started.has(id);
  const {status: really} = drivers.progress(id);
  if (NEVER_BEGAN.includes(code)) {
    oracle.expect(!started, 'S6', () => `${kind} ${id} ended as ${code} and was begun`);
  } else if (status === 'done') {
    oracle.expect(
      really === 'done',
      'S6',
      () => `${kind} ${id} is said to be done and is ${really}`,
    );
  } else if (code !== 'HOST_LOST' && code !== 'OUTCOME_LOST') {
    oracle.expect(
      really !== 'done' && really !== 'running',
      'S6',
      () => `${kind} ${id} is said to have ${status} (${code}) and is ${really}`,
    );
  }
}

const HOUR_MS = 3_600_000;
const isMove = ({kind}: IssuedEffect): boolean =>
  kind === 'start-migration' || kind === 'arm-ghost';

/** S10: what was under way when another move was begun. */
function checkBudgets(
  oracle: Oracle,
  {budgets}: Policy,
  ticks: readonly Tick[],
  results: readonly Recorded[],
): void {
  const running = new Map<string, IssuedEffect>();
  let movesMs: number[] = [];
  let at = 0;
  for (const {timeMs, cut, effects} of ticks) {
    for (; at < results.length; at++) {
      const {offset, result} = results[at] as Recorded;
      if (offset >= cut.inboxOffset) break;
      const {id, status} = result;
      const effect = running.get(id);
      if (effect?.kind === 'start-migration' && status === 'done') movesMs.push(timeMs);
      running.delete(id);
    }
    for (const effect of effects) if (isMove(effect)) running.set(effect.id, effect);
    if (!effects.some(isMove)) continue;
    movesMs = movesMs.filter(ms => timeMs - ms < HOUR_MS);
    checkRunning(oracle, budgets, [...running.values()], movesMs.length);
  }
}

/** A partition has one cell here. */
function checkRunning(
  oracle: Oracle,
  budgets: Policy['budgets'],
  running: readonly IssuedEffect[],
  movesDone: number,
): void {
  const perHost = new Map<string, number>();
  for (const {host, targetHost} of running) {
    for (const name of [host, targetHost]) perHost.set(name, (perHost.get(name) ?? 0) + 1);
  }
  const ids = running.map(({id}) => id).join(', ');
  const busiest = Math.max(...perHost.values());
  oracle.expect(
    busiest <= budgets.concurrentPerHost,
    'S10',
    () => `${busiest} moves at one host, ${budgets.concurrentPerHost} allowed: ${ids}`,
  );
  oracle.expect(
    running.length <= budgets.concurrentPerCell,
    'S10',
    () => `${running.length} moves in a cell, ${budgets.concurrentPerCell} allowed: ${ids}`,
  );
  const moves = movesDone + running.filter(({kind}) => kind === 'start-migration').length;
  oracle.expect(
    moves <= budgets.movesPerHourPerCell,
    'S10',
    () => `${moves} moves in an hour, ${budgets.movesPerHourPerCell} allowed`,
  );
}
