/** Which inputs of a model are not what they were when it was trained. */
import {countedRows, type LiveRows, liveFeature} from './live-rows.ts';
import type {FeatureSnapshot, RowsSnapshot, ValueRange} from './snapshot.ts';
import {chanceIndex, STABILITY_ACT, STABILITY_WARN, stabilityIndex} from './stability.ts';

/** A feature that has drifted. */
export type FeatureDrift = {
  readonly name: string;
  readonly unit: string;
  readonly severity: 'warn' | 'act';
  /** Population stability index, and the one that chance alone reaches with so few hosts. */
  readonly index: number;
  readonly chance: number;
  /** Where four fifths of the values lay, and lie; null without values. */
  readonly usual: ValueRange | null;
  readonly now: ValueRange | null;
  /** Share of rows without a value. */
  readonly missingUsual: number;
  readonly missingNow: number;
};

/** That anything at all is found where nothing changed: about once in so many windows. */
const FALSE_ALARM_SHARE = 1e-4;

/**
 * Features that have drifted, the furthest first. An index counts from {@link STABILITY_WARN} on,
 * and only if it is beyond chance: few hosts, whose rows are alike, say little.
 *
 * @param hosts Whose rows were counted; all of one fleet.
 */
export function findInputDrift(
  snapshot: RowsSnapshot,
  live: LiveRows,
  hosts: number,
): FeatureDrift[] {
  const rows = countedRows(live);
  if (rows === 0 || hosts === 0) return [];
  const here = {rows, hosts, fleets: 1};
  const allowed = FALSE_ALARM_SHARE / snapshot.features.length;
  const found: FeatureDrift[] = [];
  for (const [at, feature] of snapshot.features.entries()) {
    const now = liveFeature(live, feature, at);
    const index = stabilityIndex(feature.shares, now.shares);
    const bins = feature.shares.filter((share, bin) => share > 0 || now.shares[bin] !== 0).length;
    const chance = chanceIndex(
      independentRows(feature, snapshot),
      independentRows(feature, here),
      bins,
      allowed,
    );
    if (index < STABILITY_WARN || index < chance) continue;
    found.push({
      name: feature.name,
      unit: feature.unit,
      severity: index < STABILITY_ACT ? 'warn' : 'act',
      index,
      chance,
      usual: feature.range,
      now: now.range,
      missingUsual: feature.shares.at(-1) as number,
      missingNow: now.shares.at(-1) as number,
    });
  }
  return found.sort((a, b) => b.index - a.index || (a.name < b.name ? -1 : 1));
}

/**
 * Rows that would say as much if none were alike.
 *
 * @see J. N. K. Rao, A. J. Scott, "The Analysis of Categorical Data from Complex Sample Surveys",
 *   J. Am. Stat. Assoc. 76, 1981: χ² over the design effect.
 */
function independentRows(
  {hostLikeness, fleetLikeness}: FeatureSnapshot,
  {rows, hosts, fleets}: {rows: number; hosts: number; fleets: number},
): number {
  return (
    1 /
    (fleetLikeness / fleets + (hostLikeness - fleetLikeness) / hosts + (1 - hostLikeness) / rows)
  );
}
