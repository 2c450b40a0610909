import type {KeeperSettings, Sight} from './keeper-state.ts';

/**
 * Why a model should be trained, the gravest reason first; undefined: there is none. Losses that rise
 * are reason enough, and so is a champion that is of no use. Inputs that moved are not: a model may
 * be right about them all the same, or there may be nothing yet to learn them from; with new failures
 * they are.
 */
export function reasonToTrain(
  {drift, skill, examples}: Sight,
  settings: KeeperSettings,
): {readonly key: string; readonly why: string} | undefined {
  const {skillLeastFailures, trainingLeastFailures, retrainAfterFailures} = settings;
  const told = drift.reasons.join(' ');
  if (drift.lossesRose) return {key: 'losses', why: told};
  if (skill.failures >= skillLeastFailures && skill.skill <= 0) {
    const why =
      `The champion is of no use: its skill over always saying the same is ` +
      `${skill.skill.toFixed(3)}, over ${skill.failures} failures.`;
    return {key: 'skill', why: [why, told].join(' ').trim()};
  }
  const {newFailures, sinceFailures} = examples;
  const teaching = Math.min(newFailures, sinceFailures);
  if (drift.inputsMoved && teaching >= trainingLeastFailures) {
    return {key: 'inputs', why: `${told} ${teaching} new failures can teach what that means.`};
  }
  if (newFailures >= retrainAfterFailures) {
    const why = `${newFailures} new failures came since the last training, ${retrainAfterFailures} are reason enough for one.`;
    return {key: 'examples', why};
  }
  return undefined;
}
