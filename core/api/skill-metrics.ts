import {Counter, Gauge, type Registry} from 'prom-client';
import type {CellSkill} from '../domain/skill/cell-skill.ts';
import {ANY} from '../domain/skill/skill-events.ts';
import {createCellLabels} from './cell-labels.ts';
import type {On} from './metrics.ts';
import type {StatusDeps} from './status.ts';

type Value = {labels?: Readonly<Record<string, string>>; value: number};

type AddGauge = (
  name: string,
  help: string,
  labels: readonly string[],
  valuesOf: (skill: CellSkill) => readonly Value[],
) => void;

/** Whether prediction helps, by cell and model, as the cores that own the cells last told. */
export function addSkillMetrics(registry: Registry, on: On, {model}: StatusDeps): void {
  const labelOf = createCellLabels();
  const gauge: AddGauge = (name, help, labels, valuesOf) => {
    new Gauge({
      name,
      help,
      labelNames: ['cell', 'model', ...labels],
      registers: [registry],
      collect() {
        this.reset();
        for (const skill of [...model.skills.values()].flat()) {
          const which = {cell: labelOf(skill.cell), model: skill.modelHash};
          for (const {labels: more, value} of valuesOf(skill)) {
            if (Number.isFinite(value)) this.set({...which, ...more}, value);
          }
        }
      },
    });
  };
  const one = (value: number): Value[] => [{value}];
  gauge(
    'forestay_skill_ratio',
    'Skill over how often hosts failed before, of whether a host goes down; `bound` says which.',
    ['bound'],
    ({outputs}) => {
      const any = outputs.find(({output}) => output === ANY);
      if (any === undefined) return [];
      const {skill: estimate, low, high} = any;
      return boundsOf({estimate, low, high});
    },
  );
  gauge(
    'forestay_skill_calibration_error_ratio',
    'Expected calibration error of whether a host goes down.',
    [],
    ({outputs}) => one(outputs.find(({output}) => output === ANY)?.ece ?? Number.NaN),
  );
  gauge('forestay_skill_alert_precision_ratio', 'Alerts that came true in time.', [], skill =>
    one(skill.alerts.precision),
  );
  gauge('forestay_skill_recall_ratio', 'Failures that were announced in time.', [], skill =>
    one(skill.alerts.recall),
  );
  gauge('forestay_skill_lead_seconds', 'Median time from alert to failure.', [], skill =>
    one(skill.alerts.leadMs.p50 / 1000),
  );
  gauge(
    'forestay_skill_acts',
    'Acts of the last 60 days ahead of failures, by what they were good for.',
    ['effect'],
    ({acts: {avoided, needless, tooLate, unknown}}) =>
      Object.entries({avoided, needless, 'too-late': tooLate, unknown}).map(([effect, value]) => ({
        labels: {effect},
        value,
      })),
  );
  gauge(
    'forestay_skill_avoided_minutes',
    'Downtime that acts avoided, less what they cost; a counterfactual, not an observation.',
    [],
    skill => one(skill.acts.avoidedMinutes),
  );
  addTrialMetrics(gauge);
  gauge(
    'forestay_skill_restrained',
    '1 if acting ahead of failures is given up, as prediction does not help.',
    [],
    skill => one(Number(skill.restraint.restrained)),
  );
  countChanges(registry, on);
}

function addTrialMetrics(gauge: AddGauge): void {
  gauge(
    'forestay_skill_trial_vms',
    'VMs and episodes in the trial of acting whose outcome is known, by what was drawn.',
    ['drawn'],
    ({trial}) =>
      trial === undefined
        ? []
        : [
            {labels: {drawn: 'acted'}, value: trial.actedVms},
            {labels: {drawn: 'held-back'}, value: trial.heldBackVms},
          ],
  );
  gauge(
    'forestay_skill_trial_spared_minutes',
    'Downtime that acting spares a VM and episode, by the trial; `bound` says which.',
    ['bound'],
    ({trial}) => {
      const {sparedMinutes: estimate, low, high} = trial ?? NO_TRIAL;
      return boundsOf({estimate, low, high});
    },
  );
}

const NO_TRIAL = {sparedMinutes: Number.NaN, low: Number.NaN, high: Number.NaN};

function boundsOf(bounds: Readonly<Record<string, number>>): Value[] {
  return Object.entries(bounds).map(([bound, value]) => ({labels: {bound}, value}));
}

function countChanges(registry: Registry, on: On): void {
  const changes = new Counter({
    name: 'forestay_restraint_changes_total',
    help: 'Times that acting ahead of failures was given up in a cell, or taken up again.',
    labelNames: ['change'],
    registers: [registry],
  });
  on('restraint.changed', ({restrained}) => {
    changes.inc({change: restrained ? 'restrained' : 'freed'});
  });
}
