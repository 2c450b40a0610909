import {anyFigures, type SkillFigures} from './skill-figures.ts';
import type {Skill} from './skill-interval.ts';

export type VerdictPolicy = {
  /** Before so many failures, those within an hour of each other taken as one, nothing is said. */
  readonly leastEpisodes: number;
  /**
   * Risks that, by their own account, tell hosts and times apart by less than this are the same for
   * everybody; said after so many failures, since a sound model may have had no host at risk so far.
   */
  readonly claimedSkill: number;
  readonly leastEpisodesAlike: number;
  /** Before so many alerts whose outcome is known, nothing is said of alerts. */
  readonly leastAlerts: number;
  /** A model that is certainly less than this above the naive method has no skill. */
  readonly usefulSkill: number;
  /** How often alerts of a model that is as good as it says may by chance look useless. */
  readonly alertChance: number;
};

export const DEFAULT_VERDICT_POLICY: VerdictPolicy = {
  leastEpisodes: 8,
  claimedSkill: 0.005,
  leastEpisodesAlike: 12,
  leastAlerts: 8,
  usefulSkill: 0.02,
  alertChance: 0.005,
};

export type Verdict = {
  readonly verdict: 'unproven' | 'helps' | 'no-skill';
  /** In words, numbers included. */
  readonly because: string;
};

/**
 * Whether prediction helps: more is known of which hosts go down, and when, than from how often they
 * did. May be asked at any time and as often as one likes.
 *
 * - `no-skill`: enough failures, and the skill over all that is kept, or over the newest failures, is
 *   certainly below what is of use; or alerts came true so rarely that the naive method would have
 *   given what came far more. The second needs no failure at all.
 * - `helps`: enough failures, and the skill is certainly above 0.
 * - `unproven`: all else.
 *
 * Operating characteristic, by simulation (test/domain/skill/simulated-cell.ts: 20 hosts, a failure a
 * day, two of three announced, 60 months of each model, asked daily). A model that knows the chances
 * of hosts, exactly, with noise, too boldly or too timidly: 0 of 240 months with a false alarm, 232
 * proven, after 13 failures in the middle. Risks of other hosts than their own: 57 of 60 months
 * caught, after 7 failures in the middle and 19 in nine of ten; the same risk for everybody, right or
 * wrong: 180 of 180, after 12 or 13; inverted: 60 of 60, after 2. Where one failure in seven or so is
 * announced (skill 0.07 to 0.10) there was a false alarm in 8 of 160 months, 5 of them of the timid
 * one, and few were proven. With a third of the failures a month is mostly too short to prove anything.
 */
export function skillVerdict(
  figures: SkillFigures,
  policy: VerdictPolicy = DEFAULT_VERDICT_POLICY,
): Verdict {
  const any = anyFigures(figures);
  const {alerts} = figures;
  const verified = alerts.happened + alerts.didNot;
  const limit = -Math.log(policy.alertChance);
  if (verified >= policy.leastAlerts && alerts.evidenceAgainst >= limit) {
    return {
      verdict: 'no-skill',
      because: `${alerts.happened} of ${verified} alerts came true: odds of ${odds(alerts.evidenceAgainst)} to 1 against their risks, even if these were halved (limit ${odds(limit)} to 1)`,
    };
  }
  if (any === undefined) return {verdict: 'unproven', because: 'no forecast is verified yet'};
  const {skill, recentSkill} = any;
  if (skill.episodes < policy.leastEpisodes) {
    return {
      verdict: 'unproven',
      because: `${skill.episodes} of the ${policy.leastEpisodes} failures that are needed; skill so far ${percent(skill.skill)} over the naive method`,
    };
  }
  if (any.claimedSkill < policy.claimedSkill && skill.episodes >= policy.leastEpisodesAlike) {
    return {
      verdict: 'no-skill',
      because: `its risks tell hosts and times hardly apart: by their own account ${percent(any.claimedSkill)} over their mean, after ${skill.episodes} failures`,
    };
  }
  if (skill.high < policy.usefulSkill) {
    return {verdict: 'no-skill', because: inWords(skill, 'all that is kept')};
  }
  if (recentSkill.episodes >= policy.leastEpisodes && recentSkill.high < policy.usefulSkill) {
    return {verdict: 'no-skill', because: inWords(recentSkill, 'the newest failures')};
  }
  const because = inWords(skill, 'all that is kept');
  return {verdict: skill.low > 0 ? 'helps' : 'unproven', because};
}

function inWords({skill, low, high, episodes}: Skill, of: string): string {
  return `skill over the naive method ${percent(skill)} (${percent(low)} to ${percent(high)}) in ${episodes} failures, of ${of}`;
}

function percent(share: number): string {
  if (Number.isNaN(share)) return 'unknown';
  return Number.isFinite(share) ? `${Math.round(100 * share) || 0} %` : 'anything';
}

function odds(evidence: number): string {
  return Math.exp(Math.min(evidence, Math.log(1e6))).toFixed(0);
}
