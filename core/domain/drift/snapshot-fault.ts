/** Whether what was read is a snapshot that this program can count rows against. */
import {SNAPSHOT_BINS_MAX} from './snapshot.ts';

const FEATURES_MAX = 4096;

const CLASSES_MAX = 64;

/** Why it is none, in a few words; empty: it is one. */
export function snapshotFault(content: unknown): string {
  const fault = rowsFault(content);
  if (fault !== '' || !isRecord(content) || content.classes === undefined) return fault;
  const {classes, features} = content;
  if (!Array.isArray(classes) || classes.length > CLASSES_MAX) {
    return `classes must be a list of ${CLASSES_MAX} at most`;
  }
  const width = (features as unknown[]).length;
  for (const each of classes) {
    const wrong = rowsFault(each);
    if (wrong !== '') return `of a class of hardware ${wrong}`;
    if (typeof each.hardware !== 'string' || each.features.length !== width) {
      return 'a class of hardware has no name, or other features';
    }
  }
  return '';
}

function rowsFault(content: unknown): string {
  if (!isRecord(content)) return 'it is no object';
  const {rows, hosts, fleets, features} = content;
  if (![rows, hosts, fleets].every(isCount)) return 'rows, hosts and fleets must be counts';
  if (!Array.isArray(features) || features.length === 0) return 'it has no features';
  if (features.length > FEATURES_MAX) {
    return `it has ${features.length} features, at most ${FEATURES_MAX} are read`;
  }
  const wrong = features.findIndex(feature => !isFeature(feature));
  return wrong < 0 ? '' : `feature ${wrong + 1} lacks what rows are counted by`;
}

function isFeature(feature: unknown): boolean {
  if (!isRecord(feature)) return false;
  const {name, unit, edges, shares, range, hostLikeness, fleetLikeness} = feature;
  return (
    typeof name === 'string' &&
    typeof unit === 'string' &&
    isRow(edges) &&
    edges.every((edge, at) => at === 0 || edge > (edges[at - 1] as number)) &&
    isRow(shares) &&
    shares.length === edges.length + 2 &&
    shares.length <= SNAPSHOT_BINS_MAX &&
    shares.every(isShare) &&
    (range === null || (isRow(range) && range.length === 2)) &&
    [hostLikeness, fleetLikeness].every(isShare)
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function isRow(value: unknown): value is number[] {
  return Array.isArray(value) && value.every(Number.isFinite);
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) > 0;
}

function isShare(value: unknown): boolean {
  return typeof value === 'number' && value >= 0 && value <= 1;
}
