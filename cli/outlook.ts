/** What people who plan repairs see of the risks within a day and a week. */
import {partOf} from '../core/domain/horizons.ts';
import type {ComponentRisk} from '../proto/gen/forestay/v1/fleet_pb.ts';
import {formatPercent} from './figures.ts';

/** A risk below it is no news. */
const SHOWN_FROM = 0.01;

/** The highest of them; of equal ones the first, which is of the shorter time. Undefined: none. */
export function worstOf(risks: readonly ComponentRisk[]): ComponentRisk | undefined {
  return risks.reduce<ComponentRisk | undefined>(
    (worst, each) => (worst === undefined || each.risk > worst.risk ? each : worst),
    undefined,
  );
}

/** `cpu 3.4 % in 24h, 13 % in 7d`: a line a part, the riskiest first, what hardly fails left out. */
export function outlookFacts(
  outlook: readonly ComponentRisk[],
): (readonly [label: string, value: string])[] {
  if (outlook.length === 0) return [];
  const parts = Map.groupBy(outlook, ({component}) => partOf(component));
  const told = [...parts]
    .map(([part, risks]) => ({part, risks, worst: Math.max(...risks.map(({risk}) => risk))}))
    .filter(({worst}) => worst >= SHOWN_FROM)
    .sort((a, b) => b.worst - a.worst)
    .map(({part, risks}) => {
      const within = risks.map(
        ({component, risk}) => `${formatPercent(risk)} in ${component.slice(part.length + 1)}`,
      );
      return `${part} ${within.join(', ')}`;
    });
  if (told.length === 0) told.push(`no part above ${formatPercent(SHOWN_FROM)}`);
  return told.map((text, at) => [at === 0 ? 'outlook' : '', text]);
}
