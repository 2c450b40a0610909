/** Holds what a datacenter told against what log and store have kept. All figures should be 0. */
import {fleetAgents} from '../../core/domain/effects.ts';
import type {Transition} from '../../core/domain/records.ts';
import type {Kept} from './kept.ts';
import {batchKey, type Line, type Told} from './told.ts';

/** What a store has: rows of each batch, the host's first column in it, and the moves of actors. */
export type Stored = {
  batches: ReadonlyMap<string, {rows: number; hostValue: number | null}>;
  transitions: readonly StoredMove[];
};
export type StoredMove = Pick<Transition, 'actor' | 'seq' | 'from' | 'to'>;

export type Findings = Readonly<Record<Finding, readonly string[]>>;

const FINDINGS = [
  // Telemetry
  'ackedBatchesLost',
  'batchesCutShort',
  'ackedBatchesNotStored',
  'batchesStoredWrong',
  'lastValuesWrong',
  'batchesFromNowhere',
  // Decisions
  'ticksOutOfOrder',
  'chainsBroken',
  'transitionsStoredWrong',
  // Effects
  'effectsBegunTwice',
  'effectsFromNowhere',
  'effectsWithoutResult',
  'resultsThatDisagree',
  'abandonedButBegun',
  'doneButNeverBegun',
  // The world
  'violations',
  'vmsOnTwoHosts',
  'vmsMisplaced',
] as const;
type Finding = (typeof FINDINGS)[number];

type Note = (finding: Finding, what: string) => void;

/** Everything is judged but telemetry of edges that the datacenter does not have. */
export function audit(told: Told, kept: Kept, stored: Stored): Findings {
  const findings = Object.fromEntries(FINDINGS.map(name => [name, [] as string[]])) as Record<
    Finding,
    string[]
  >;
  const note: Note = (finding, what) => void findings[finding].push(what);
  auditTelemetry(told, kept, stored, note);
  for (const broken of kept.brokenTicks) note('ticksOutOfOrder', broken);
  auditChains(kept.transitions, note);
  auditStoredMoves(kept.transitions, stored.transitions, note);
  auditEffects(told, kept, note);
  auditPlaces(told, kept, note);
  for (const {what} of told.violations) note('violations', what);
  return findings;
}

/** Counts of what was found, of all kinds. */
export function countFindings(findings: Findings): Record<Finding, number> {
  return Object.fromEntries(FINDINGS.map(name => [name, findings[name].length])) as Record<
    Finding,
    number
  >;
}

/** What was found, a line each, at most a few of a kind; empty if all is well. */
export function showFindings(findings: Findings, each = 5): string[] {
  return FINDINGS.flatMap(name => {
    const found = findings[name];
    return found.slice(0, each).map(what => `${name} (${found.length}): ${what}`);
  });
}

function auditTelemetry(told: Told, kept: Kept, stored: Stored, note: Note): void {
  for (const batch of told.acked) {
    const key = batchKey(batch);
    if (kept.gaps.has(key)) continue;
    if (!kept.batchRows.has(key)) note('ackedBatchesLost', key);
    if (!stored.batches.has(key)) note('ackedBatchesNotStored', key);
  }
  const edges = new Set([...told.batches.values()].map(({edge}) => edge));
  for (const [key, rows] of kept.batchRows) {
    if (!edges.has(key.slice(0, key.indexOf('/')))) continue;
    const batch = told.batches.get(key);
    if (batch === undefined) note('batchesFromNowhere', key);
    else if (batch.rows !== rows) note('batchesCutShort', `${key}: ${rows} of ${batch.rows} rows`);
  }
  for (const [key, {rows, hostValue}] of stored.batches) {
    const batch = told.batches.get(key);
    if (batch === undefined) continue;
    if (batch.rows !== rows) note('batchesStoredWrong', `${key}: ${rows} of ${batch.rows} rows`);
    if (hostValue !== batch.lastValue) {
      note('lastValuesWrong', `${key}: ${hostValue}, was ${batch.lastValue}`);
    }
  }
}

/** Every actor's moves follow one another: by number, and each from where the one before ended. */
function auditChains(transitions: readonly Transition[], note: Note): void {
  const last = new Map<string, Transition>();
  for (const move of transitions) {
    const before = last.get(move.actor);
    last.set(move.actor, move);
    const shown = `${move.actor}: ${move.seq} ${move.from} → ${move.to}`;
    if (move.seq !== (before?.seq ?? 0) + 1) {
      note('chainsBroken', `${shown} after ${before?.seq ?? 'nothing'}`);
    }
    if (before !== undefined && before.to !== move.from) {
      note('chainsBroken', `${shown} after ${before.seq} → ${before.to}`);
    }
  }
}

function auditStoredMoves(
  counted: readonly Transition[],
  stored: readonly StoredMove[],
  note: Note,
): void {
  const show = ({actor, seq, from, to}: StoredMove) => `${actor} ${seq} ${from} ${to}`;
  const found = new Map<string, number>();
  for (const move of stored) found.set(show(move), (found.get(show(move)) ?? 0) + 1);
  for (const move of counted) {
    const times = found.get(show(move)) ?? 0;
    if (times !== 1) note('transitionsStoredWrong', `${show(move)}: ${times} times`);
    found.delete(show(move));
  }
  for (const move of found.keys()) note('transitionsStoredWrong', `${move}: never counted`);
}

function auditEffects(told: Told, kept: Kept, note: Note): void {
  const begun = new Map<string, Line<'effect'>>();
  for (const effect of told.effects) {
    if (begun.has(effect.id)) note('effectsBegunTwice', `${effect.id} ${effect.effect}`);
    begun.set(effect.id, effect);
    if (!kept.effects.has(effect.id)) note('effectsFromNowhere', `${effect.id} ${effect.effect}`);
  }
  const heard = hostsHeardAtTheEnd(told);
  for (const {id, kind, agent} of kept.effects.values()) {
    const results = kept.results.get(id) ?? [];
    const [first] = results;
    const shown = `${id} ${kind}: ${results.map(({status}) => status).join(', ')}`;
    // An agent that is down cannot say what became of it, and nobody else may.
    const canTell = heard.has(agent) || fleetAgents.includes(agent);
    if (first === undefined && canTell) note('effectsWithoutResult', `${id} ${kind}`);
    if (results.some(({status}) => status !== first?.status)) note('resultsThatDisagree', shown);
    if (first?.status === 'abandoned' && begun.has(id)) note('abandonedButBegun', shown);
    if (first?.status === 'done' && !begun.has(id)) note('doneButNeverBegun', shown);
  }
}

/**
 * Only hosts that can be heard are asked where VMs are: what is known of the others is old. A VM
 * that does not run is nowhere.
 */
function auditPlaces(told: Told, kept: Kept, note: Note): void {
  const heard = hostsHeardAtTheEnd(told);
  const places = new Map<string, string>();
  for (const [host, {vms}] of kept.inventory) {
    if (!heard.has(host)) continue;
    for (const {vm} of vms) {
      const other = places.get(vm);
      if (other !== undefined) note('vmsOnTwoHosts', `${vm} on ${other} and ${host}`);
      places.set(vm, host);
    }
  }
  for (const {vm, host, state} of told.placements.values()) {
    if (state === 'dead' || !heard.has(host)) continue;
    const found = places.get(vm);
    if (found !== host) note('vmsMisplaced', `${vm} is on ${host}, known to be on ${found}`);
  }
}

function hostsHeardAtTheEnd(told: Told): ReadonlySet<string> {
  const newest = new Map<string, number>();
  for (const {edge, atMs} of told.batches.values()) {
    newest.set(edge, Math.max(atMs, newest.get(edge) ?? 0));
  }
  const endMs = Math.max(...newest.values());
  return new Set([...newest].filter(([, atMs]) => atMs === endMs).map(([edge]) => edge));
}
