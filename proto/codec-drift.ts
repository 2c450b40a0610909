/** What a core says of drift, on the wire and back. */
import type {MessageInitShape} from '@bufbuild/protobuf';
import {timestampFromMs, timestampMs} from '@bufbuild/protobuf/wkt';
import type {FeatureDrift} from '../core/domain/drift/input-drift.ts';
import type {ClassDrift, DriftReport, KeeperSight} from '../core/domain/drift/report.ts';
import type {ValueRange} from '../core/domain/drift/snapshot.ts';
import type {DriftVerdict, LossDrift} from '../core/domain/drift/verdict.ts';
import {oneOf} from './codec-guards.ts';
import type * as v1 from './gen/forestay/v1/drift_pb.ts';

const CODE = 'RECORD_MALFORMED';
const ACTIONS = ['none', 'warn', 'wait', 'retrain'] as const;
const SEVERITIES = ['warn', 'act'] as const;
const DETECTORS = ['adwin', 'page-hinkley'] as const;

/** @param keeper Undefined: nobody tends the models of this core. */
export function toDrift(
  keeper: KeeperSight | undefined,
): MessageInitShape<typeof v1.GetDriftResponseSchema> {
  if (keeper === undefined) return {mode: 'off'};
  const {mode, phase, sinceMs, because, coolDownUntilMs, drift} = keeper;
  return {
    ...{mode, phase, because},
    ...(sinceMs > 0 ? {phaseTime: timestampFromMs(sinceMs)} : {}),
    ...(coolDownUntilMs === null ? {} : {coolDownTime: timestampFromMs(coolDownUntilMs)}),
    ...(drift === undefined ? {} : {report: toReport(drift)}),
  };
}

function toReport({atMs, ...report}: DriftReport): MessageInitShape<typeof v1.DriftReportSchema> {
  const {knowsInputs, outcomes, classesDropped, rowsForeign} = report;
  return {
    time: timestampFromMs(atMs),
    knowsInputs,
    classes: report.classes.map(({hardware, hosts, rows, inputs, ...found}) => ({
      ...{hardware, hosts, rows, inputs: inputs.map(toInput)},
      ...toFindings(found),
    })),
    ...toFindings(report),
    ...{outcomes, classesDropped, rowsForeign},
  };
}

function toFindings({losses, verdict: {action, reasons}}: Pick<DriftReport, 'losses' | 'verdict'>) {
  return {losses: [...losses], verdict: {action, reasons: [...reasons]}};
}

function toInput({
  usual,
  now,
  ...input
}: FeatureDrift): MessageInitShape<typeof v1.FeatureDriftSchema> {
  return {
    ...input,
    ...(usual === null ? {} : {usual: {low: usual[0], high: usual[1]}}),
    ...(now === null ? {} : {now: {low: now[0], high: now[1]}}),
  };
}

/** @throws {ForestayError} `RECORD_MALFORMED`. */
export function fromReport(report: v1.DriftReport): DriftReport {
  const {time, knowsInputs, outcomes, classesDropped, rowsForeign} = report;
  const classes = report.classes.map(fromClass);
  const losses = report.losses.map(fromLoss);
  return {
    atMs: time === undefined ? 0 : timestampMs(time),
    knowsInputs,
    lossesRose: [{losses}, ...classes].some(each => each.losses.length > 0),
    inputsMoved: classes.some(({inputs}) => inputs.length > 0),
    classes,
    losses,
    verdict: fromVerdict(report.verdict),
    ...{outcomes, classesDropped, rowsForeign},
  };
}

function fromClass({hardware, hosts, rows, ...found}: v1.HardwareDrift): ClassDrift {
  return {
    ...{hardware, hosts, rows},
    inputs: found.inputs.map(fromInput),
    losses: found.losses.map(fromLoss),
    verdict: fromVerdict(found.verdict),
  };
}

function fromInput(input: v1.FeatureDrift): FeatureDrift {
  const {name, unit, index, chance, missingUsual, missingNow} = input;
  return {
    ...{name, unit, index, chance, missingUsual, missingNow},
    severity: oneOf(input.severity, SEVERITIES, 'severity', CODE),
    usual: fromRange(input.usual),
    now: fromRange(input.now),
  };
}

function fromRange(range: v1.ValueRange | undefined): ValueRange | null {
  return range === undefined ? null : [range.low, range.high];
}

function fromLoss({detector, before, after, outcomes}: v1.LossDrift): LossDrift {
  return {...{before, after, outcomes}, detector: oneOf(detector, DETECTORS, 'detector', CODE)};
}

/** When a cool-down ends is the keeper's to say. */
function fromVerdict(verdict: v1.DriftVerdict | undefined): DriftVerdict {
  const {action = 'none', reasons = []} = verdict ?? {};
  return {action: oneOf(action, ACTIONS, 'action', CODE), untilMs: undefined, reasons};
}
