/** What the proof of prediction amounts to, in numbers, of one model and one output of a cell. */
import type {JudgedAct} from './act-book.ts';
import type {JudgedAlert} from './alert-book.ts';
import {
  type Block,
  type CalibrationBin,
  calibrationOf,
  createLossBlocks,
  entropyOf,
  logLoss,
  type Stat,
  statOf,
} from './loss-blocks.ts';
import {ANY, ANY_OUTPUT, OUTPUTS, type Output} from './skill-events.ts';
import {type Skill, skillOf} from './skill-interval.ts';
import type {SkillState} from './skill-state.ts';

/** How often an interval may miss the truth at any time, on either side. */
const ALPHA = 0.05;
/** What is called recent: so many blocks with a failure. */
const RECENT_EPISODES = 16;

export type OutputFigures = {
  readonly output: Output;
  /** Forecasts of one host, overlapping: half an hour ahead, every five minutes. */
  readonly forecasts: number;
  readonly unverifiable: number;
  /** Share of forecasts that came true; NaN without forecasts, as all that follow. */
  readonly baseRate: number;
  readonly brier: number;
  readonly naiveBrier: number;
  readonly logLoss: number;
  readonly naiveLogLoss: number;
  readonly skill: Skill;
  readonly brierSkill: Skill;
  /** Of the newest blocks alone. */
  readonly recentSkill: Skill;
  /** What the model itself expects its skill over its mean risk to be: 0 if it tells nothing apart. */
  readonly claimedSkill: number;
  readonly ece: number;
  readonly calibration: readonly CalibrationBin[];
};

export type AlertFigures = {
  readonly alerts: number;
  readonly happened: number;
  readonly didNot: number;
  readonly unverifiable: number;
  /** Horizons that passed without failure while an alert stood; at least one for each in vain. */
  readonly falsePeriods: number;
  /** Came true in time ÷ (came true + false periods); NaN without any. */
  readonly precision: number;
  /** Failures that were announced in time ÷ all; NaN without any. */
  readonly recall: number;
  readonly failures: number;
  /** Hosts and times of those that were not. */
  readonly missed: readonly {host: string; atMs: number}[];
  /** Of alerts that came true; NaN without any. */
  readonly leadMs: {readonly p10: number; readonly p50: number; readonly p90: number};
  /** What the alerts say against their own risks and for the naive method: ln of odds. */
  readonly evidenceAgainst: number;
};

export type ActFigures = {
  readonly acts: number;
  readonly avoided: number;
  readonly needless: number;
  readonly tooLate: number;
  readonly unknown: number;
  /** Acts that brought a VM to a host that went down. */
  readonly intoFailure: number;
  /** Downtime that was avoided less what acts cost; a counterfactual, not an observation. */
  readonly avoidedMinutes: number;
};

export type SkillFigures = {
  readonly modelHash: string;
  /** First forecast that is counted; NaN: none. */
  readonly fromMs: number;
  readonly timeMs: number;
  /** In the order of {@link OUTPUTS}; those that the model says nothing of are left out. */
  readonly outputs: readonly OutputFigures[];
  readonly alerts: AlertFigures;
  readonly acts: ActFigures;
};

/** Figures of the model of the newest forecast, or of another one that is kept. O(blocks + alerts + acts). */
export function skillFigures(state: SkillState, modelHash = state.modelHash): SkillFigures {
  const model = state.models.find(each => each.hash === modelHash);
  const losses = model?.losses ?? createLossBlocks();
  const outputs = OUTPUTS.map((_, output) => outputFigures(losses, output));
  const ofModel = (each: {modelHash: string}) => each.modelHash === modelHash;
  const {alerts, acts} = state;
  return {
    modelHash,
    fromMs: losses.blocks[0]?.fromMs ?? Number.NaN,
    timeMs: state.timeMs,
    outputs: outputs.filter(({forecasts, unverifiable}) => forecasts + unverifiable > 0),
    alerts: alertFigures(
      [...alerts.settled, ...alerts.open].filter(ofModel),
      state.failures.filter(ofModel),
      state.settings.leastLeadMs,
    ),
    acts: actFigures([...acts.settled, ...acts.open].filter(ofModel)),
  };
}

/** Figures of whether hosts go down at all; undefined before the first verified forecast. */
export function anyFigures({outputs}: SkillFigures): OutputFigures | undefined {
  return outputs.find(({output}) => output === ANY);
}

function outputFigures(losses: ReturnType<typeof createLossBlocks>, output: number): OutputFigures {
  const {blocks} = losses;
  const sum = (stat: Stat) =>
    blocks.reduce((total, block) => total + statOf(block, output, stat), 0);
  const forecasts = sum('rows');
  const {ece, bins} = calibrationOf(losses, output);
  return {
    output: OUTPUTS[output] ?? ANY,
    forecasts,
    unverifiable: sum('unverifiable'),
    baseRate: sum('positives') / forecasts,
    brier: sum('brier') / forecasts,
    naiveBrier: sum('naiveBrier') / forecasts,
    logLoss: sum('log') / forecasts,
    naiveLogLoss: sum('naiveLog') / forecasts,
    skill: skillOf(blocks, output, 'log', ALPHA),
    brierSkill: skillOf(blocks, output, 'brier', ALPHA),
    recentSkill: skillOf(recentOf(blocks), output, 'log', ALPHA),
    claimedSkill: 1 - sum('entropy') / forecasts / entropyOf(sum('risk') / forecasts),
    ece,
    calibration: bins,
  };
}

function recentOf(blocks: readonly Block[]): readonly Block[] {
  let episodes = 0;
  let from = blocks.length;
  while (from > 0 && episodes < RECENT_EPISODES) {
    from--;
    if (statOf(blocks[from] as Block, ANY_OUTPUT, 'positives') > 0) episodes++;
  }
  return blocks.slice(from);
}

function alertFigures(
  alerts: readonly JudgedAlert[],
  failures: SkillState['failures'],
  leastLeadMs: number,
): AlertFigures {
  const happened = alerts.filter(({outcome}) => outcome === 'happened');
  const inTime = happened.filter(({leadMs}) => leadMs >= leastLeadMs);
  const falsePeriods = alerts.reduce((sum, alert) => sum + alert.falsePeriods, 0);
  const leads = happened.map(({leadMs}) => leadMs).sort((a, b) => a - b);
  const missed = failures.filter(
    ({host, atMs}) =>
      !inTime.some(each => each.host === host && each.raisedAtMs + each.leadMs === atMs),
  );
  return {
    alerts: alerts.length,
    happened: happened.length,
    didNot: alerts.filter(({outcome}) => outcome === 'did-not').length,
    unverifiable: alerts.filter(({outcome}) => outcome === 'unverifiable').length,
    falsePeriods,
    precision: inTime.length / (happened.length + falsePeriods),
    recall: (failures.length - missed.length) / failures.length,
    failures: failures.length,
    missed: missed.map(({host, atMs}) => ({host, atMs})),
    leadMs: {p10: quantile(leads, 0.1), p50: quantile(leads, 0.5), p90: quantile(leads, 0.9)},
    evidenceAgainst: alerts.reduce((sum, alert) => sum + evidenceOf(alert), 0),
  };
}

/**
 * ln of (what the naive method gave to what came ÷ what the alert gave). The alert is held to half of
 * its risk, so that a model that exaggerates twofold is not called useless; and to the first horizon
 * alone, so that one host whose alert stands for days counts once.
 */
function evidenceOf({outcome, falsePeriods, risk, naive}: JudgedAlert): number {
  if (outcome !== 'happened' && outcome !== 'did-not') return 0;
  const label = outcome === 'happened' && falsePeriods === 0 ? 1 : 0;
  return logLoss(Math.max(risk / 2, naive), label) - logLoss(naive, label);
}

function actFigures(acts: readonly JudgedAct[]): ActFigures {
  const count = (effect: JudgedAct['effect']) => acts.filter(act => act.effect === effect).length;
  return {
    acts: acts.length,
    avoided: count('avoided'),
    needless: count('needless'),
    tooLate: count('too-late'),
    unknown: count('unknown'),
    intoFailure: acts.filter(({targetDownAtMs}) => !Number.isNaN(targetDownAtMs)).length,
    avoidedMinutes: acts.reduce((sum, act) => sum + act.avoidedMinutes, 0),
  };
}

/** The value below which so large a share is, of ascending ones: the nearest rank. */
function quantile(ascending: readonly number[], share: number): number {
  return ascending[Math.max(0, Math.ceil(share * ascending.length) - 1)] ?? Number.NaN;
}
