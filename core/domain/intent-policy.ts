/**
 * What an agent does by itself, with no core: it raises flags that workloads of its own host may
 * read. A flag goes up when what it saves, if the host does go down, times how likely that is,
 * reaches what it costs in any case: p · gain ≥ cost. So the least probability is cost ÷ gain. With
 * 4 minutes saved for 3 minutes spent that is 0.75, the threshold of the first design.
 */
import {CAUSES, type Cause, HORIZONS_MINUTES, riskColumn} from './reboot-risks.ts';

/** `checkpoint-me`: save what you would not like to lose. `drain`: take no new work. */
export const FLAGS = ['checkpoint-me', 'drain'] as const;
export type FlagName = (typeof FLAGS)[number];

/** Minutes of work of this host; only their ratio matters. */
export type FlagCost = {readonly gain: number; readonly cost: number};
export type FlagPolicy = Readonly<Record<FlagName, FlagCost>>;

export const DEFAULT_FLAG_POLICY: FlagPolicy = {
  'checkpoint-me': {gain: 4, cost: 3},
  drain: {gain: 4, cost: 3},
};

/** What the file of a flag says. */
export type FlagNotice = {
  readonly why: string;
  /** The likelier of the two. */
  readonly cause: Cause;
  /** Of going down within the horizon, whatever the cause. */
  readonly probability: number;
  /** The shortest within which that is enough. */
  readonly horizonMinutes: number;
  readonly atMs: number;
  /** Afterwards the flag means nothing any more, even if its file is still there. */
  readonly expiresAtMs: number;
};

/** Of one flag: what it says while it is up, and since when the risk has been low. */
export type FlagState = {readonly notice?: FlagNotice; readonly calmSinceMs?: number};

/** It comes down when the risk has been below so much of what raised it, for so long. */
const CALM_RATIO = 0.5;
const CALM_MS = 60_000;
/** Said again no more often than that, and never later: an agent that died lets it expire. */
const RENEW_MS = 60_000;
const EXPIRES_MS = 5 * 60_000;

/**
 * The flag after a look at the risks. The notice stays the same object as long as nothing is to be
 * written; without one there must be no file.
 *
 * @param risks One row of RISK_OUTPUTS; undefined: not known, so that the flag is neither renewed
 *   nor taken down before it expires.
 */
export function nextFlag(
  state: FlagState,
  policy: FlagCost,
  risks: ArrayLike<number> | undefined,
  nowMs: number,
): FlagState {
  const {notice} = state;
  const hasExpired = notice !== undefined && nowMs >= notice.expiresAtMs;
  if (risks === undefined) return hasExpired ? {} : state;
  const threshold = policy.cost / policy.gain;
  const enough = HORIZONS_MINUTES.find(minutes => downWithin(risks, minutes) >= threshold);
  if (enough !== undefined) {
    const isFresh = notice !== undefined && nowMs - notice.atMs < RENEW_MS;
    return {notice: isFresh ? notice : noticeOf(risks, enough, policy, nowMs)};
  }
  if (notice === undefined) return {};
  const isCalm = downWithin(risks, 30) < CALM_RATIO * threshold;
  const calmSinceMs = isCalm ? (state.calmSinceMs ?? nowMs) : undefined;
  if (calmSinceMs !== undefined && nowMs - calmSinceMs >= CALM_MS) return {};
  const isFresh = nowMs - notice.atMs < RENEW_MS;
  const renewed = isFresh ? notice : noticeOf(risks, 30, policy, nowMs);
  return calmSinceMs === undefined ? {notice: renewed} : {notice: renewed, calmSinceMs};
}

type Minutes = (typeof HORIZONS_MINUTES)[number];

function downWithin(risks: ArrayLike<number>, minutes: Minutes): number {
  return CAUSES.reduce((sum, cause) => sum + (risks[riskColumn(cause, minutes)] as number), 0);
}

function noticeOf(
  risks: ArrayLike<number>,
  horizonMinutes: Minutes,
  {gain, cost}: FlagCost,
  nowMs: number,
): FlagNotice {
  const [intentional, crash] = CAUSES.map(cause => risks[riskColumn(cause, horizonMinutes)]) as [
    number,
    number,
  ];
  const probability = Math.min(1, intentional + crash);
  return {
    why:
      `${percent(probability)} to go down within ${horizonMinutes} min ` +
      `(${percent(intentional)} on purpose, ${percent(crash)} by a crash): ` +
      `saves ${(probability * gain).toFixed(2)} min of work for ${cost.toFixed(2)}`,
    cause: intentional >= crash ? 'intentional' : 'crash',
    probability,
    horizonMinutes,
    atMs: nowMs,
    expiresAtMs: nowMs + EXPIRES_MS,
  };
}

function percent(share: number): string {
  return `${(100 * share).toFixed(0)} %`;
}
