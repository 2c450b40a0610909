/** What the planner can choose for an entity. The ladder of docs: cheapest sufficient rung first. */
export const actionKinds = [
  'none',
  'cordon',
  'uncordon',
  'arm-ghost',
  'retire-ghost',
  'migrate',
  'restart',
  'activate-ghost',
  'fail-back',
  'fence',
] as const;

export type ActionKind = (typeof actionKinds)[number];

/** What became of a decision; blocked: by the safety kernel. */
export const outcomes = ['acted', 'would-act', 'blocked', 'no-action'] as const;

/** Costs and gains are VM-minutes of interruption, weighted by criticality. */
export type Alternative = {
  action: ActionKind;
  targetHost: string;
  gainVmMinutes: number;
  costVmMinutes: number;
  /** Expected seconds until it is done. */
  finishesInSeconds: number;
  /** Why it was not taken; empty for the chosen one. */
  rejectedBecause: string;
};

/** A contribution to a risk, in log-odds. */
export type Reason = {feature: string; value: number; usual: number; contribution: number};

/** What a cell has learned of its own hosts (cell-layer.ts), as it stood at a time. */
export type LearnedHere = {
  /** How often it had learned. */
  version: number;
  /** By how much it moved the risk. */
  logOdds: number;
};

/** What was drawn for a VM in the trial of acting (skill/hold-back.ts). */
export type DecisionTrial = {
  heldBack: boolean;
  /** How likely it was to be acted upon. */
  propensity: number;
  /** When its host came into the band: it is drawn once until the host leaves it. */
  episodeAtMs: number;
};

/**
 * One decision: what was known, what was possible, what was chosen and why.
 * Recorded when it differs from the entity's last one, or after five minutes.
 */
export type Decision = {
  /** `partition/epoch/tick/dN`. */
  id: string;
  atMs: number;
  /** `hosts/h01` or `vms/v17`. */
  entity: string;
  host: string;
  risk: number;
  /** Component with the highest risk, or empty. */
  component: string;
  action: ActionKind;
  targetHost: string;
  /** In words, numbers included. */
  because: string;
  /** `would do` in observe and advise, `done` in auto, `blocked` by the safety kernel. */
  outcome: (typeof outcomes)[number];
  /** Which guard of the safety kernel spoke; empty if none. */
  blockedBy: string;
  alternatives: readonly Alternative[];
  modelHash: string;
  policyVersion: number;
  /** What the cell's own past did to the risk; absent: it has taught nothing yet, or may not. */
  learned?: LearnedHere | undefined;
  /** Absent: the entity had no part in the trial of acting. */
  trial?: DecisionTrial | undefined;
  /** By when half of the risk has come; absent: any time within the horizon is as likely. */
  expectedInSeconds?: number | undefined;
};

/** What makes a decision another one than the entity's last. */
export function decisionKey({
  action,
  targetHost,
  outcome,
  blockedBy,
}: Pick<Decision, 'action' | 'targetHost' | 'outcome' | 'blockedBy'>): string {
  return `${action}|${targetHost}|${outcome}|${blockedBy}`;
}
