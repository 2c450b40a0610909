import {COMPONENTS} from '../../core/domain/components.ts';
import {COMPONENT_CONTRACT, type FeatureContract} from '../../core/domain/features.ts';

/** What is predicted: that this part fails within this time, and nothing takes the host down before. */
export type FailureOutput = {
  readonly name: string;
  readonly component: string;
  readonly horizonSeconds: number;
};

/** Models that are trained alike. */
export type FailureFamily = {
  readonly name: string;
  /** What the outputs are, for people. */
  readonly gives: string;
  /** Horizons of one component stand side by side, the shorter first. */
  readonly outputs: readonly FailureOutput[];
  readonly contract: FeatureContract & {family: 'averages'};
};

const PARTS = COMPONENTS.join(', ');
const HORIZONS = [
  {suffix: '24h', horizonSeconds: 24 * 3600},
  {suffix: '7d', horizonSeconds: 7 * 24 * 3600},
];

/** Within half an hour: scored whenever a host changed. */
export const COMPONENT_FAILURE: FailureFamily = {
  name: 'component-failure',
  gives: `the risk that each of ${PARTS} fails within 30 minutes`,
  outputs: COMPONENTS.map(component => ({name: component, component, horizonSeconds: 1800})),
  contract: COMPONENT_CONTRACT,
};

/** Within a day and a week: scored now and then. */
export const COMPONENT_OUTLOOK: FailureFamily = {
  name: 'component-outlook',
  gives: `the risk that each of ${PARTS} fails within 24 hours, and within 7 days`,
  outputs: COMPONENTS.flatMap(component =>
    HORIZONS.map(({suffix, horizonSeconds}) => ({
      name: `${component}-${suffix}`,
      component,
      horizonSeconds,
    })),
  ),
  contract: COMPONENT_CONTRACT,
};

export function outputNames({outputs}: Pick<FailureFamily, 'outputs'>): string[] {
  return outputs.map(({name}) => name);
}
