/**
 * Where acting ahead of failures is given up because it does not help (restraint.ts), by cell and
 * model.
 *
 * Changes are in the journal, and a replay takes them from there: what a verdict is made of may
 * change from version to version, and what was not done then must stay so.
 */
import {
  liftRestraint,
  NO_RESTRAINT,
  type Restraint,
  stepRestraint,
} from '../domain/skill/restraint.ts';
import {skillFigures} from '../domain/skill/skill-figures.ts';
import type {SkillState} from '../domain/skill/skill-state.ts';
import {DEFAULT_VERDICT_POLICY, skillVerdict} from '../domain/skill/skill-verdict.ts';
import {modelOf} from './model-switch.ts';
import type {PartitionState} from './partition-state.ts';
import {type TickDraft, tell} from './tick-draft.ts';

/** Of a cell; the oldest go first. */
const RESTRAINTS_MAX = 8;

/** Asks of each model of each cell whether it helps; only a tick that is not replayed asks. */
export function judgeCells(draft: TickDraft): void {
  for (const [cell, skill] of draft.state.skills) {
    if (!canBeJudged(skill)) continue;
    for (const {hash} of skill.models) {
      const before = restraintOf(draft.state, cell, hash);
      const verdict = skillVerdict(skillFigures(skill, hash));
      change(draft, cell, before, stepRestraint(before, verdict, hash, draft.state.timeMs));
    }
  }
}

/** An operator takes it on himself that a cell's models act; of a recorded tick the journal says so. */
export function liftRestraints(draft: TickDraft, cell: string, because: string): void {
  if (draft.input.recorded !== undefined) return;
  for (const before of draft.state.restraints.get(cell) ?? []) {
    change(draft, cell, before, liftRestraint(before, because, draft.state.timeMs));
  }
}

/** What a tick of the journal changed. */
export function adoptRestraints({state, restraints, input}: TickDraft): void {
  for (const {cell, ...restraint} of input.recorded?.restraints ?? []) {
    put(state, cell, restraint);
    restraints.push({cell, ...restraint});
  }
}

/** Whether nothing is done ahead of failures of this host: its model does not help in its cell. */
export function isRestrained(state: PartitionState, cell: string, host: string): boolean {
  const known = state.restraints.get(cell);
  if (known === undefined) return false;
  const {hash} = modelOf(state, host);
  return known.some(({modelHash, restrained}) => restrained && modelHash === hash);
}

/** As it stands; that of a model of which nothing was ever told begins free. */
export function restraintOf(
  {restraints}: PartitionState,
  cell: string,
  modelHash: string,
): Restraint {
  const known = restraints.get(cell)?.find(each => each.modelHash === modelHash);
  return known ?? {...NO_RESTRAINT, modelHash};
}

/** Fewer failures and alerts than this prove nothing: then there is no need to add them up. */
function canBeJudged({failures, alerts}: SkillState): boolean {
  const {leastEpisodes, leastAlerts} = DEFAULT_VERDICT_POLICY;
  const raised = alerts.open.length + alerts.settled.length;
  return failures.length >= leastEpisodes || raised >= leastAlerts;
}

function change(draft: TickDraft, cell: string, before: Restraint, next: Restraint): void {
  if (next === before) return;
  put(draft.state, cell, next);
  draft.restraints.push({cell, ...next});
  tell(draft, 'restraint.changed', {cell, restrained: next.restrained, because: next.because});
}

function put({restraints}: PartitionState, cell: string, next: Restraint): void {
  const others = (restraints.get(cell) ?? []).filter(({modelHash}) => modelHash !== next.modelHash);
  restraints.set(cell, [...others, next].slice(-RESTRAINTS_MAX));
}
