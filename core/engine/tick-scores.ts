import {COMPONENTS} from '../domain/features.ts';
import {applyRisk, combineRisks} from '../domain/risk.ts';
import {resource} from './actor-directory.ts';
import {bandRow, type HostEntry, isAtRisk, sortedKeys} from './partition-state.ts';
import {riskiestComponent, type SetTable} from './set-table.ts';
import {send, type TickDraft, tell} from './tick-draft.ts';

const WIDTH = COMPONENTS.length;

/**
 * Applies risks to bands: first those that came back, then the ends of holds, which come by time.
 * Rows whose risk bits changed are recorded, so that a replay needs no model.
 */
export function takeScores(draft: TickDraft): void {
  const {state} = draft;
  for (const result of draft.input.scores) {
    for (const [index, name] of result.hosts.entries()) {
      const host = state.hosts.get(name);
      const found = host && bandRow(state, host);
      if (host === undefined || found === undefined) continue;
      takeRisks(draft, name, found, result.risks.subarray(index * WIDTH, (index + 1) * WIDTH));
      tell(draft, 'scores.taken', {cell: host.cell, rows: 1});
    }
  }
  for (const name of sortedKeys(state.hosts)) stepBand(draft, state.hosts.get(name) as HostEntry);
}

function takeRisks(
  draft: TickDraft,
  host: string,
  {table, row}: {table: SetTable; row: number},
  risks: Float32Array,
): void {
  const known = table.risks.subarray(row * WIDTH, (row + 1) * WIDTH);
  if (risks.every((risk, index) => Object.is(risk, known[index]))) return;
  known.set(risks);
  table.bands.risk[row] = combineRisks(risks, 0, WIDTH);
  draft.risks.push({host, risks: risks.slice()});
}

function stepBand(draft: TickDraft, host: HostEntry): void {
  const {state} = draft;
  const found = bandRow(state, host);
  if (found === undefined) return;
  const {table, row} = found;
  const risk = table.bands.risk[row] as number;
  const change = applyRisk(table.bands, row, risk, state.timeMs, state.policy.band);
  if (change !== undefined) draft.bandChanged = true;
  if (change === 'raised') {
    host.clearedAtMs = 0;
    send(draft, resource('host', host.name), {
      type: 'risk.raised',
      atMs: state.timeMs,
      risk,
      component: riskiestComponent(table, row),
    });
  } else if (change === 'cleared') {
    host.clearedAtMs = state.timeMs;
    send(draft, resource('host', host.name), {type: 'risk.cleared', atMs: state.timeMs, risk});
  }
}

/** A VM shares its host's risk: it hears when it comes to be on a risky host, or on a safe one. */
export function spreadRisk(draft: TickDraft): void {
  const {state} = draft;
  for (const name of sortedKeys(state.vms)) {
    const id = resource('vm', name);
    const path = state.actors.path(id);
    const context = state.actors.vmContext(name);
    const host = context && state.hosts.get(context.host);
    if (context === undefined || host === undefined) continue;
    const risky = isAtRisk(state, host);
    const found = bandRow(state, host);
    const risk = found === undefined ? 0 : (found.table.bands.risk[found.row] as number);
    if (risky && path === 'normal') {
      send(draft, id, {type: 'risk.raised', atMs: state.timeMs, risk, host: host.name});
    } else if (!risky && path.startsWith('at-risk')) {
      if (!state.actors.hostContext(host.name)?.suspected) {
        send(draft, id, {type: 'risk.cleared', atMs: state.timeMs, risk});
      }
    }
  }
}
