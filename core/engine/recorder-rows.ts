/** Records to rows, in the order of the tables' columns. Pure. */
import type {HostAnomaly} from '../domain/anomaly/fleet-watch.ts';
import type {Decision} from '../domain/decision.ts';
import type {IssuedEffect} from '../domain/effects.ts';
import {unitOf} from '../domain/features.ts';
import type {InboxRecord, RowReasons, ScoresRecord, Tick, Transition} from '../domain/records.ts';
import type {CellSkill} from '../domain/skill/cell-skill.ts';
import type {Batch, Block} from '../domain/telemetry.ts';
import type {StoreRow, TableSchema} from '../ports.ts';
import {
  ACT_OUTCOMES,
  ANOMALIES,
  COMMANDS,
  DECISION_REASONS,
  DECISIONS,
  EFFECT_RESULTS,
  EFFECTS,
  REASONS,
  RISKS,
  SKILL,
  TRANSITIONS,
  TRIALS,
} from './tables.ts';

/** Takes rows of a table. */
export type AddRow = (table: TableSchema, row: StoreRow) => void;

/**
 * The samples of a block. `firstRow` counts on over the blocks of a batch, so that (incarnation,
 * seq, row) names one sample.
 */
export function addSamples(
  add: AddRow,
  table: TableSchema,
  batch: Batch,
  block: Block,
  firstRow: number,
): void {
  const {rows, values, rowEntity, observedAtMs, entities} = block;
  const columns = table.columns.length - 7;
  for (let index = 0; index < rows; index++) {
    const row = [
      observedAtMs[index] as number,
      entities[rowEntity[index] as number] as string,
      batch.cell,
      batch.edge,
      batch.incarnation,
      batch.seq,
      firstRow + index,
    ];
    for (let column = 0; column < columns; column++)
      row.push(values[column * rows + index] as number);
    add(table, row);
  }
}

export function addScores(add: AddRow, record: ScoresRecord, withRisks: boolean): void {
  const {timeMs, hosts, components, risks, modelHash} = record;
  if (withRisks) {
    hosts.forEach((host, row) => {
      components.forEach((component, column) => {
        const risk = risks[row * components.length + column] as number;
        add(RISKS, [timeMs, host, component, risk, modelHash]);
      });
    });
  }
  for (const {row, component, reasons} of record.reasons) {
    for (const {feature, value, usual, contribution} of reasons) {
      const host = hosts[row] as string;
      add(REASONS, [timeMs, host, component, feature, value, usual, contribution]);
    }
  }
  for (const reasons of record.reasons) addDecisionReasons(add, record, reasons);
  for (const anomaly of record.anomalies ?? []) addAnomaly(add, anomaly);
  for (const skill of record.skills ?? []) addSkill(add, skill);
}

function addAnomaly(add: AddRow, anomaly: HostAnomaly): void {
  const {atMs, host, score, threshold, isOdd, metrics, rackOddRatio, oddVmsRatio} = anomaly;
  if (Number.isNaN(score)) return;
  const shown = isOdd ? JSON.stringify(metrics) : '';
  add(ANOMALIES, [atMs, host, score, threshold, Number(isOdd), shown, rackOddRatio, oddVmsRatio]);
}

function addSkill(add: AddRow, skill: CellSkill): void {
  const {cell, modelHash, atMs, verdict, because, restraint, alerts} = skill;
  const alarmed = [alerts.precision, alerts.recall, alerts.leadMs.p50 / 1000];
  const judged = [verdict, because, Number(restraint.restrained)];
  for (const {output, forecasts, unverifiable, baseRate, ...figures} of skill.outputs) {
    const {skill: ratio, low, high, episodes, ece} = figures;
    const said = [forecasts, unverifiable, baseRate, ratio, low, high, episodes, ece];
    add(SKILL, [atMs, cell, modelHash, output, ...said, ...alarmed, ...judged]);
  }
  for (const {id, action, vm, source, target, ...act} of skill.newestActs) {
    const {finishedAtMs, effect, avoidedMinutes, words} = act;
    const where = [id, cell, modelHash, action, vm, source, target];
    add(ACT_OUTCOMES, [finishedAtMs, ...where, effect, avoidedMinutes, words]);
  }
  if (skill.trial === undefined) return;
  const {share, actedVms, heldBackVms, sparedMinutes, low, high, because: why} = skill.trial;
  const spared = [sparedMinutes, low, high, why];
  add(TRIALS, [atMs, cell, modelHash, share, actedVms, heldBackVms, ...spared]);
}

function addDecisionReasons(
  add: AddRow,
  {timeMs, hosts, modelHash}: ScoresRecord,
  {row, component, reasons, counterfactual, decisions}: RowReasons,
): void {
  const host = hosts[row] as string;
  const otherwise = counterfactual === undefined ? '' : JSON.stringify(counterfactual);
  for (const decision of decisions) {
    for (const {feature, value, usual, contribution} of reasons) {
      const unit = unitOf(feature.slice(0, feature.lastIndexOf('.')));
      const said = [feature, unit, value, usual, contribution, otherwise, modelHash];
      add(DECISION_REASONS, [timeMs, decision, host, component, ...said]);
    }
  }
}

export function addTick(add: AddRow, tick: Tick): void {
  for (const transition of tick.transitions) add(TRANSITIONS, transitionRow(tick, transition));
  for (const decision of tick.decisions) add(DECISIONS, decisionRow(decision));
  for (const effect of tick.effects) add(EFFECTS, effectRow(tick, effect));
}

function transitionRow({timeMs, epoch}: Tick, move: Transition): StoreRow {
  const {actor, seq, machine, machineVersion, from, to, event, context} = move;
  return [timeMs, actor, seq, epoch, machine, machineVersion, from, to, event, context];
}

function decisionRow(decision: Decision): StoreRow {
  return [
    decision.atMs,
    decision.id,
    decision.entity,
    decision.host,
    decision.risk,
    decision.component,
    decision.action,
    decision.targetHost,
    decision.outcome,
    decision.blockedBy,
    decision.because,
    JSON.stringify(decision.alternatives),
    decision.modelHash,
    decision.policyVersion,
  ];
}

function effectRow({timeMs}: Tick, effect: IssuedEffect): StoreRow {
  const {id, kind, host, vm, targetHost, weightPercent, deadlineMs, agent} = effect;
  return [timeMs, id, kind, host, vm, targetHost, weightPercent, deadlineMs, agent];
}

export function addInbox(add: AddRow, record: InboxRecord): void {
  if (record.kind === 'effect-result') {
    const {id, status, code, message, figures} = record.result;
    add(EFFECT_RESULTS, [record.atMs, id, status, code, message, JSON.stringify(figures)]);
    return;
  }
  const {requestId, atMs, author, kind, ...body} = record;
  add(COMMANDS, [atMs, requestId, author, kind, JSON.stringify(body)]);
}
