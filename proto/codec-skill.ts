import type {MessageInitShape} from '@bufbuild/protobuf';
import {timestampFromMs, timestampMs} from '@bufbuild/protobuf/wkt';
import type {ActOutcome, CellSkill, OutputSkill} from '../core/domain/skill/cell-skill.ts';
import type {TrialFigures} from '../core/domain/skill/trial-book.ts';
import {oneOf} from './codec-guards.ts';
import type * as v1 from './gen/forestay/v1/skill_pb.ts';

const CODE = 'RECORD_MALFORMED';
const VERDICTS = ['unproven', 'helps', 'no-skill'] as const;
const ACTIONS = ['migrate', 'arm-ghost'] as const;

type Init = MessageInitShape<typeof v1.CellSkillSchema>;

/** Times are whole milliseconds; what is not known is left out. */
export function toCellSkill(skill: CellSkill): Init {
  const {restraint, alerts, acts, newestActs, trial} = skill;
  const {leadMs, precision, recall, ...counts} = alerts;
  return {
    cell: skill.cell,
    modelHash: skill.modelHash,
    ...(skill.atMs > 0 ? {time: timestampFromMs(skill.atMs)} : {}),
    ...(skill.fromMs > 0 ? {fromTime: timestampFromMs(skill.fromMs)} : {}),
    verdict: skill.verdict,
    because: skill.because,
    restrained: restraint.restrained,
    ...(restraint.sinceMs > 0 ? {restraintTime: timestampFromMs(restraint.sinceMs)} : {}),
    restraintBecause: restraint.because,
    lifted: restraint.lifted,
    outputs: skill.outputs.map(toOutput),
    alerts: {
      ...counts,
      ...known({
        precision,
        recall,
        leadSecondsP10: leadMs.p10 / 1000,
        leadSecondsP50: leadMs.p50 / 1000,
        leadSecondsP90: leadMs.p90 / 1000,
      }),
    },
    acts: {...acts, newest: newestActs.map(toAct)},
    ...(trial === undefined ? {} : {trial: toTrial(trial)}),
  };
}

/** Errors: `RECORD_MALFORMED` if a word is none of the known ones. */
export function cellSkillOf(message: v1.CellSkill): CellSkill {
  const {alerts, acts} = message;
  const seconds = (value = Number.NaN) => value * 1000;
  return {
    cell: message.cell,
    modelHash: message.modelHash,
    atMs: msOf(message.time, Number.NaN),
    fromMs: msOf(message.fromTime, Number.NaN),
    verdict: oneOf(message.verdict, VERDICTS, 'verdict', CODE),
    because: message.because,
    restraint: {
      restrained: message.restrained,
      sinceMs: msOf(message.restraintTime, 0),
      because: message.restraintBecause,
      lifted: message.lifted,
    },
    outputs: message.outputs.map(outputOf),
    alerts: {
      alerts: alerts?.alerts ?? 0,
      happened: alerts?.happened ?? 0,
      didNot: alerts?.didNot ?? 0,
      unverifiable: alerts?.unverifiable ?? 0,
      failures: alerts?.failures ?? 0,
      precision: alerts?.precision ?? Number.NaN,
      recall: alerts?.recall ?? Number.NaN,
      leadMs: {
        p10: seconds(alerts?.leadSecondsP10),
        p50: seconds(alerts?.leadSecondsP50),
        p90: seconds(alerts?.leadSecondsP90),
      },
    },
    acts: {
      acts: acts?.acts ?? 0,
      avoided: acts?.avoided ?? 0,
      needless: acts?.needless ?? 0,
      tooLate: acts?.tooLate ?? 0,
      unknown: acts?.unknown ?? 0,
      intoFailure: acts?.intoFailure ?? 0,
      avoidedMinutes: acts?.avoidedMinutes ?? 0,
    },
    newestActs: (acts?.newest ?? []).map(actOf),
    ...(message.trial === undefined ? {} : {trial: trialOf(message.trial)}),
  };
}

function toOutput({
  ece,
  low,
  high,
  output,
  forecasts,
  unverifiable,
  episodes,
  ...rest
}: OutputSkill) {
  const shares = {...rest, skillLow: low, skillHigh: high, calibrationError: ece};
  return {output, forecasts, unverifiable, episodes, ...known(shares)};
}

function outputOf(message: v1.OutputSkill): OutputSkill {
  const {NaN: unknown} = Number;
  return {
    output: message.output,
    forecasts: message.forecasts,
    unverifiable: message.unverifiable,
    episodes: message.episodes,
    baseRate: message.baseRate ?? unknown,
    brier: message.brier ?? unknown,
    naiveBrier: message.naiveBrier ?? unknown,
    logLoss: message.logLoss ?? unknown,
    naiveLogLoss: message.naiveLogLoss ?? unknown,
    skill: message.skill ?? unknown,
    low: message.skillLow ?? unknown,
    high: message.skillHigh ?? unknown,
    recentSkill: message.recentSkill ?? unknown,
    claimedSkill: message.claimedSkill ?? unknown,
    ece: message.calibrationError ?? unknown,
  };
}

function toTrial({actedVms, heldBackVms, share, because, ...figures}: TrialFigures) {
  const {sparedMinutes, low, high} = figures;
  return {
    acted: actedVms,
    heldBack: heldBackVms,
    share,
    because,
    ...known({sparedMinutes, sparedMinutesLow: low, sparedMinutesHigh: high}),
  };
}

function trialOf(message: v1.TrialSkill): TrialFigures {
  return {
    actedVms: message.acted,
    heldBackVms: message.heldBack,
    share: message.share,
    because: message.because,
    sparedMinutes: message.sparedMinutes ?? Number.NaN,
    low: message.sparedMinutesLow ?? Number.NaN,
    high: message.sparedMinutesHigh ?? Number.NaN,
  };
}

function toAct({finishedAtMs, ...act}: ActOutcome) {
  return {...act, finishTime: timestampFromMs(finishedAtMs)};
}

function actOf(message: v1.ActOutcome): ActOutcome {
  const {id, vm, source, target, effect, avoidedMinutes, words} = message;
  const action = oneOf(message.action, ACTIONS, 'act', CODE);
  const finishedAtMs = msOf(message.finishTime, 0);
  return {id, action, vm, source, target, finishedAtMs, effect, avoidedMinutes, words};
}

function msOf(time: v1.CellSkill['time'], absent: number): number {
  return time === undefined ? absent : timestampMs(time);
}

/** Without what is not finite. */
function known<Name extends string>(values: Record<Name, number>): {[name in Name]?: number} {
  return Object.fromEntries(
    Object.entries(values).filter(([, value]) => Number.isFinite(value)),
  ) as {[name in Name]?: number};
}
