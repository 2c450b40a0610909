/** The drift scenario as a timeline, a small table and an object. */
import {styleText} from 'node:util';
import {shortHash} from '../core/domain/hash.ts';
import type {AuditRecord} from '../models/registry/audit.ts';
import {START_MS} from './datacenter-agents.ts';
import type {PhaseFigures} from './demo-drift-phases.ts';
import type {DriftLine, DriftOutcome} from './demo-drift-run.ts';
import {toJson} from './demo-report.ts';
import type {DemoResult} from './demo-run.ts';

/** What `--json` adds. Virtual seconds are since the arrival; null: it did not happen. */
export type DriftResult = {
  readonly detectedAfterSeconds: number | null;
  readonly promotedAfterSeconds: number | null;
  /** Of all hosts: before the arrival, until the promotion, and after it. */
  readonly skillBefore: number | null;
  readonly skillDuring: number | null;
  readonly skillAfter: number | null;
  /** What the model that was replaced would have had after it, on the very same rows. */
  readonly skillAfterWithoutChange: number | null;
  /** It never scored hosts that are acted upon. */
  readonly badModelRefused: boolean;
};

export function driftResult({
  milestones,
  phases,
}: Pick<DriftOutcome, 'milestones' | 'phases'>): DriftResult {
  const {arrivedAtMs, detectedAtMs, promotedAtMs, refusedAtMs, badModelServedAtMs} = milestones;
  const after = (atMs: number | undefined) =>
    atMs === undefined ? null : (atMs - arrivedAtMs) / 1000;
  const [before, during, later] = phases;
  return {
    detectedAfterSeconds: after(detectedAtMs),
    promotedAfterSeconds: after(promotedAtMs),
    skillBefore: before?.fleet.skill ?? null,
    skillDuring: during?.fleet.skill ?? null,
    skillAfter: later?.fleet.skill ?? null,
    skillAfterWithoutChange: later?.withoutChange.fleet.skill ?? null,
    badModelRefused: refusedAtMs !== undefined && badModelServedAtMs === undefined,
  };
}

export function driftJson(outcome: DriftOutcome): DemoResult & {drift: DriftResult} {
  return {...toJson(outcome), drift: driftResult(outcome)};
}

/** Whether the scenario came to its good end: whatever else it was, it is told as it was. */
export function isGoodEnd(outcome: Pick<DriftOutcome, 'milestones' | 'phases'>): boolean {
  const {promotedAfterSeconds, skillDuring, skillAfter, badModelRefused} = driftResult(outcome);
  const isKept = promotedAfterSeconds !== null && outcome.milestones.rolledBackAtMs === undefined;
  return isKept && isMore(skillAfter, skillDuring) && badModelRefused;
}

/** Nothing is more than what is not known, nor the other way round. */
function isMore(value: number | null, other: number | null): boolean {
  return value !== null && other !== null && value > other;
}

/** `1:05`: hours and minutes. */
export function formatHours(ms: number): string {
  const minutes = Math.round(ms / 60_000);
  return `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, '0')}`;
}

const WIDTH = 9;
const STEP_WIDTH = 27;
const WHY_MAX = 160;

/** `4:35  keeper    promote         a1b2c3d4  why`. */
export function formatDriftLine(line: DriftLine, colour: boolean): string {
  const time = formatHours(line.atMs - START_MS).padStart(5);
  if (line.kind === 'scene') return `${time}  ${paint(line.text, 'bold', colour)}`;
  if (line.kind === 'said') return paint(`${time}  keeper     ${cut(line.text)}`, 'dim', colour);
  const {who, what, why} = line.record;
  const step = `${named(line.record)} ${modelOf(line.record)}`;
  const text = `${time}  ${who.padEnd(WIDTH)}  ${step.padEnd(STEP_WIDTH)}  ${cut(why)}`;
  return paint(text.trimEnd(), TONES[what], colour);
}

/** The audit log has the whole. */
function cut(text: string): string {
  return text.length <= WHY_MAX ? text : `${text.slice(0, WHY_MAX).trimEnd()} …`;
}

const TONES: Partial<Record<AuditRecord['what'], Parameters<typeof styleText>[0]>> = {
  drift: 'yellow',
  'training-failed': 'red',
  refused: 'red',
  rollback: 'red',
  promote: 'green',
};

function paint(
  text: string,
  format: Parameters<typeof styleText>[0] | undefined,
  colour: boolean,
): string {
  return colour && format !== undefined ? styleText(format, text, {validateStream: false}) : text;
}

function named({what, aliases, evaluation}: AuditRecord): string {
  if (what === 'canary') return `canary ${aliases?.canaryPercent ?? 0} %`;
  if (evaluation !== undefined) return evaluation.passed ? 'judged better' : 'judged not better';
  return what;
}

function modelOf({from, to}: AuditRecord): string {
  return shortHash(to ?? from ?? '');
}

type Row = readonly [label: string, cell: (phase: PhaseFigures) => string];

const perHour = (value: number, {seconds}: PhaseFigures) => ((3600 * value) / seconds).toFixed(1);
const skill = (value: number | null) => (value === null ? '–' : value.toFixed(2));

const ROWS: readonly Row[] = [
  ['virtual time', ({seconds}) => formatHours(seconds * 1000)],
  ['skill, all hosts', ({fleet}) => skill(fleet.skill)],
  ['… of the model of the start', ({withoutChange}) => skill(withoutChange.fleet.skill)],
  ['skill, hosts that arrived', ({arrived}) => skill(arrived.skill)],
  ['… of the model of the start', ({withoutChange}) => skill(withoutChange.arrived.skill)],
  ['forecasts judged', ({fleet}) => String(fleet.forecasts)],
  ['host failures', ({hostFailures}) => String(hostFailures)],
  ['… with unprotected VMs on them', ({missedFailures}) => String(missedFailures)],
  ['VMs moved', ({migrations}) => String(migrations)],
  ['… for nothing', ({needlessMoves}) => String(needlessMoves)],
  ['VM downtime, s an hour', phase => perHour(phase.vmDowntimeSeconds, phase)],
];

const LABEL = 32;
const COLUMN = 10;

/** Before, during and after, figure by figure, and what it cost. */
export function formatDrift(outcome: DriftOutcome): string {
  const {phases, milestones, wallSeconds, keeperSeconds, untilMs, journalSha256} = outcome;
  const line = (label: string, cells: readonly string[]) =>
    `  ${label.padEnd(LABEL)}${cells.map(cell => cell.padStart(COLUMN)).join('')}`;
  const {arrivedAtMs} = milestones;
  const since = (what: string, atMs: number | undefined) =>
    atMs === undefined
      ? `never ${what}`
      : `${what} ${formatHours(atMs - arrivedAtMs)} after the arrival`;
  return [
    line(
      '',
      phases.map(({name}) => name),
    ),
    ...ROWS.map(([label, cell]) => line(label, phases.map(cell))),
    '',
    `  skill: 1 − log-loss ÷ that of always saying how often each part failed in that very time, by what really happened; of the model of the start: on the very same rows`,
    `  drift ${since('seen', milestones.detectedAtMs)}, a model ${since('trained', milestones.trainingAtMs)}, ${since('promoted', milestones.promotedAtMs)}${milestones.rolledBackAtMs === undefined ? '' : `, rolled back ${formatHours(milestones.rolledBackAtMs - arrivedAtMs)} after it`}`,
    `  the bad model ${refusal(milestones)}`,
    `  ${formatHours(untilMs - START_MS)} virtual hours in ${wallSeconds.toFixed(0)} s, ${keeperSeconds.toFixed(0)} s of them for the keeper and its training; journal sha256 ${journalSha256}`,
  ].join('\n');
}

function refusal({
  badModelAtMs,
  badModelServedAtMs,
  refusedAtMs,
}: DriftOutcome['milestones']): string {
  if (badModelAtMs === undefined) return 'was not added: nothing was promoted before';
  if (refusedAtMs === undefined) return 'was NOT refused';
  if (badModelServedAtMs !== undefined) return 'was NOT refused before it scored hosts';
  return `was refused after ${formatHours(refusedAtMs - badModelAtMs)}`;
}

/** A line a seed, while they run. */
export function formatDriftSeed({seed, wallSeconds}: DriftOutcome, result: DriftResult): string {
  const after = (seconds: number | null) =>
    (seconds === null ? 'never' : formatHours(seconds * 1000)).padStart(5);
  const {skillBefore, skillDuring, skillAfter, skillAfterWithoutChange, badModelRefused} = result;
  const skills = [skillBefore, skillDuring, skillAfter].map(value => skill(value).padStart(5));
  return `seed ${String(seed).padStart(3)}  seen ${after(result.detectedAfterSeconds)}  promoted ${after(result.promotedAfterSeconds)}  skill ${skills.join(' → ')} (else ${skill(skillAfterWithoutChange).padStart(5)})  bad model ${badModelRefused ? 'refused' : 'NOT refused'}  ${wallSeconds.toFixed(0)} s`;
}

/** How often each step came about, and the medians. */
export function formatDriftSeeds(results: readonly DriftResult[]): string {
  const share = (holds: (result: DriftResult) => boolean) =>
    `${results.filter(holds).length} of ${results.length}`;
  const recovered = share(({skillDuring, skillAfter}) => isMore(skillAfter, skillDuring));
  const gained = share(({skillAfter, skillAfterWithoutChange}) =>
    isMore(skillAfter, skillAfterWithoutChange),
  );
  const hours = (pick: (result: DriftResult) => number | null) => {
    const value = median(results.map(pick));
    return value === null ? 'never' : formatHours(value * 1000);
  };
  return [
    `  drift seen in ${share(({detectedAfterSeconds: at}) => at !== null)}, after ${hours(({detectedAfterSeconds: at}) => at)} at the median`,
    `  a new model promoted in ${share(({promotedAfterSeconds: at}) => at !== null)}, after ${hours(({promotedAfterSeconds: at}) => at)}`,
    `  skill ${(['skillBefore', 'skillDuring', 'skillAfter'] as const).map(name => skill(median(results.map(result => result[name])))).join(' → ')} at the median, better than before the promotion in ${recovered}`,
    `  the model of the start would have had ${skill(median(results.map(({skillAfterWithoutChange}) => skillAfterWithoutChange)))} after it, on the very same rows: less in ${gained}`,
    `  the bad model refused in ${share(({badModelRefused}) => badModelRefused)}`,
  ].join('\n');
}

function median(values: readonly (number | null)[]): number | null {
  const sorted = values.filter(value => value !== null).sort((a, b) => a - b);
  const {length} = sorted;
  if (length === 0) return null;
  return ((sorted[(length - 1) >> 1] as number) + (sorted[length >> 1] as number)) / 2;
}
