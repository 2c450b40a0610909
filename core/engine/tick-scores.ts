import {applyRisk, combineRisks, crossesBand} from '../domain/risk.ts';
import {resource} from './actor-row.ts';
import {moveByCell} from './cell-learning.ts';
import {noteBand} from './cell-skill.ts';
import {modelOf} from './model-switch.ts';
import {bandRow, type HostEntry} from './partition-state.ts';
import type {SampleRows, ScoreResult} from './score-result.ts';
import {riskiestComponent, type SetTable} from './set-table.ts';
import {send, type TickDraft, tell} from './tick-draft.ts';

/**
 * Applies risks to bands: first those that came back, then the ends of holds, which come by time.
 * Rows whose risk bits changed are recorded, so that a replay needs no model. Risks of samples are
 * all recorded, and hold by the times of their samples alone.
 */
export function takeScores(draft: TickDraft): void {
  for (const result of draft.input.scores) {
    if (result.samples === undefined) takeHostRisks(draft, result);
    else takeSampleRisks(draft, result, result.samples);
  }
  if (draft.state.everySamples > 0) return;
  for (const host of crossing(draft)) stepBand(draft, host);
}

/** Risks of a model that a host is not scored by any more are dropped: others are on their way. */
function takeHostRisks(draft: TickDraft, {hosts, risks, model, learned}: ScoreResult): void {
  const {state} = draft;
  for (const [index, name] of hosts.entries()) {
    const host = state.hosts.get(name);
    const found = host && bandRow(state, host);
    if (host === undefined || found === undefined) continue;
    if (model !== undefined && model.hash !== modelOf(state, name).hash) continue;
    const width = found.table.outputs.length;
    // In place: what is published of this result is what was applied.
    const own = risks.subarray(index * width, (index + 1) * width);
    const shift = learned?.[index] ?? moveByCell(state, host, found.table, own);
    takeRisks(draft, name, found, own, shift);
    tell(draft, 'scores.taken', {cell: host.cell, rows: 1});
  }
}

function takeRisks(
  draft: TickDraft,
  host: string,
  {table, row}: {table: SetTable; row: number},
  risks: Float32Array,
  shift: number,
): void {
  const width = risks.length;
  const known = table.risks.subarray(row * width, (row + 1) * width);
  if (risks.every((risk, index) => Object.is(risk, known[index]))) return;
  known.set(risks);
  table.bands.risk[row] = combineRisks(risks, 0, width);
  table.learned[row] = shift;
  draft.risks.push({host, risks: risks.slice(), ...(shift === 0 ? {} : {learned: shift})});
}

/** In the order of the samples; hosts that have gone since are passed over. */
function takeSampleRisks(draft: TickDraft, {hosts, risks}: ScoreResult, samples: SampleRows): void {
  const {state} = draft;
  const found = hosts.map(name => {
    const host = state.hosts.get(name);
    const at = host && bandRow(state, host);
    return host === undefined || at === undefined ? undefined : {host, ...at};
  });
  const components = found.find(each => each !== undefined)?.table.outputs ?? [];
  const width = components.length;
  const {band} = state.policy;
  const rowsOfCells = new Map<string, number>();
  for (let index = 0; index < samples.host.length; index++) {
    const each = found[samples.host[index] as number];
    if (each === undefined) continue;
    const {host, table, row} = each;
    for (let output = 0; output < width; output++) {
      table.risks[row * width + output] = risks[index * width + output] as number;
    }
    const risk = combineRisks(risks, index * width, width);
    const atMs = samples.atMs[index] as number;
    tellBand(draft, host, table, row, applyRisk(table.bands, row, risk, atMs, band), atMs);
  }
  for (const index of samples.host) {
    const cell = found[index]?.host.cell;
    if (cell !== undefined) rowsOfCells.set(cell, (rowsOfCells.get(cell) ?? 0) + 1);
  }
  for (const [cell, rows] of rowsOfCells) tell(draft, 'scores.taken', {cell, rows});
  draft.sampleRisks.push({components, hosts, ...samples, risks});
}

/** Hosts whose risk is across its threshold, or was, by name: for all others time changes nothing. */
function crossing({state}: TickDraft): HostEntry[] {
  const hosts: HostEntry[] = [];
  for (const {scored, set, names, bands} of state.tables.values()) {
    if (!scored) continue;
    for (let row = 0; row < names.length; row++) {
      if (bands.crossedAtMs[row] === 0 && !crossesBand(bands, row, state.policy.band)) continue;
      const host = state.hosts.get((names[row] as string).slice('hosts/'.length));
      if (host?.row === row && host.table === set.name) hosts.push(host);
    }
  }
  return hosts.sort((a, b) => (a.name < b.name ? -1 : 1));
}

function stepBand(draft: TickDraft, host: HostEntry): void {
  const {state} = draft;
  const found = bandRow(state, host);
  if (found === undefined) return;
  const {table, row} = found;
  if (restsOnOneSample(table, row) && crossesBand(table.bands, row, state.policy.band)) return;
  const risk = table.bands.risk[row] as number;
  const change = applyRisk(table.bands, row, risk, state.timeMs, state.policy.band);
  tellBand(draft, host, table, row, change, state.timeMs);
}

/** A risk that rose with the last sample that there is: silence does not make a hold of it. */
function restsOnOneSample({bands, windows}: SetTable, row: number): boolean {
  const crossedAtMs = bands.crossedAtMs[row] as number;
  if (bands.band[row] === 1 || crossedAtMs === 0) return false;
  return (windows.lastMs[row] as number) <= crossedAtMs;
}

function tellBand(
  draft: TickDraft,
  host: HostEntry,
  table: SetTable,
  row: number,
  change: ReturnType<typeof applyRisk>,
  atMs: number,
): void {
  if (change === undefined) return;
  draft.bandChanged = true;
  const risk = table.bands.risk[row] as number;
  const actor = resource('host', host.name);
  const component = riskiestComponent(table, row);
  noteBand(draft.state, host, change, {risk, component});
  if (change === 'raised') {
    host.clearedAtMs = 0;
    host.raisedAtMs = atMs;
    send(draft, actor, {type: 'risk.raised', atMs, risk, component});
  } else {
    host.clearedAtMs = atMs;
    send(draft, actor, {type: 'risk.cleared', atMs, risk});
  }
}
