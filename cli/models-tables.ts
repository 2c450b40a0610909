import {shortHash} from '../core/domain/hash.ts';
import {tellSnapshot} from '../models/card.ts';
import {type Aliases, stateOf} from '../models/registry/aliases.ts';
import type {AuditRecord} from '../models/registry/audit.ts';
import type {Entry, EntryMetric} from '../models/registry/entry.ts';
import type {Evaluation} from '../models/registry/promotion.ts';
import {fixed, percent} from '../models/report/figures.ts';
import {type Column, formatAge, formatBytes, formatTable} from './table.ts';

/** An entry as it is listed. */
export type ListedModel = {readonly entry: Entry; readonly alias: string; readonly bytes: number};

export function listedModel(entry: Entry, aliases: Aliases, bytes: number): ListedModel {
  const state = stateOf(aliases, entry.hash);
  return {entry, alias: state === 'canary' ? `canary ${aliases.canaryPercent} %` : state, bytes};
}

export function modelTable(models: readonly ListedModel[], nowMs: number): string {
  const columns: Column<ListedModel>[] = [
    {title: 'FAMILY', cell: ({entry}) => entry.family},
    {title: 'ALIAS', cell: ({alias}) => (alias === 'retired' ? '-' : alias)},
    {title: 'MODEL', cell: ({entry}) => shortHash(entry.hash)},
    {title: 'VERSION', cell: ({entry}) => entry.version},
    {title: 'AGE', cell: ({entry}) => formatAge(entry.addedAtMs, nowMs)},
    {title: 'QUALITY', cell: ({entry}) => headline(entry.metrics)},
    {title: 'SIZE', cell: ({bytes}) => formatBytes(bytes)},
  ];
  return formatTable(columns, models);
}

/** `AP 0.41, base 1.9 % (mean of 5 outputs)`: of all rows that it had not seen. */
function headline(metrics: readonly EntryMetric[]): string {
  const whole = metrics.filter(
    ({fold, segment, averagePrecision}) =>
      fold === 'unseen' && segment === 'all' && averagePrecision !== null,
  );
  if (whole.length === 0) return '-';
  const mean = (of: (metric: EntryMetric) => number) =>
    whole.reduce((sum, metric) => sum + of(metric), 0) / whole.length;
  const precision = mean(({averagePrecision}) => averagePrecision as number);
  const base = mean(({positives, rows}) => positives / rows);
  const outputs = whole.length === 1 ? whole[0]?.output : `mean of ${whole.length} outputs`;
  return `AP ${precision.toFixed(3)}, base ${percent(base)} (${outputs})`;
}

export function modelLines({entry, alias, bytes}: ListedModel): string {
  const lines: [string, string][] = [
    ['family', entry.family],
    ['alias', alias],
    ['hash', entry.hash],
    ['version', entry.version],
    ['size', formatBytes(bytes)],
    ['reads', `contract ${entry.featureHash}`],
    ['learned from', entry.data],
    [
      'rows',
      entry.dataHash === null ? `simulated, seed ${entry.seed}` : `SHA-256 ${entry.dataHash}`,
    ],
    ['spread', tellSnapshot(entry.drift)],
    ['parent', entry.parent ?? 'none'],
    ['added', `${new Date(entry.addedAtMs).toISOString()} by ${entry.addedBy}`],
    ['program', entry.codeVersion],
  ];
  const head = lines.map(([name, value]) => `${name.padEnd(13)} ${value}`).join('\n');
  return `${head}\n\n${metricTable(entry.metrics)}`;
}

function metricTable(metrics: readonly EntryMetric[]): string {
  return formatTable<EntryMetric>(
    [
      {title: 'OUTPUT', cell: ({output}) => output},
      {
        title: 'ROWS',
        cell: ({fold, segment}) => (segment === 'all' ? fold : `${fold}, ${segment}`),
      },
      {title: 'BASE', cell: ({positives, rows}) => percent(positives / rows)},
      {title: 'AP', cell: ({averagePrecision}) => fixed(averagePrecision, 3)},
      {title: 'ROC-AUC', cell: ({rocAuc}) => fixed(rocAuc, 3)},
      {
        title: 'LOG-LOSS (OF BASE)',
        cell: ({logLoss, baseLogLoss}) => `${logLoss.toFixed(4)} (${baseLogLoss.toFixed(4)})`,
      },
      {title: 'ECE', cell: ({calibrationError}) => calibrationError.toFixed(4)},
    ],
    metrics,
  );
}

export function historyTable(records: readonly AuditRecord[], nowMs: number): string {
  return formatTable<AuditRecord>(
    [
      {title: 'AGE', cell: ({atMs}) => formatAge(atMs, nowMs)},
      {title: 'WHO', cell: ({who}) => who},
      {title: 'WHAT', cell: whatOf},
      {title: 'FAMILY', cell: ({family}) => family || '-'},
      {title: 'FROM', cell: ({from}) => (from === null ? '-' : shortHash(from))},
      {title: 'TO', cell: ({to}) => (to === null ? '-' : shortHash(to))},
      {title: 'WHY', cell: ({why}) => why || '-'},
    ],
    records,
  );
}

function whatOf({what, evaluation, aliases}: AuditRecord): string {
  if (evaluation !== undefined) return evaluation.passed ? 'evaluated: better' : 'evaluated: no';
  return what === 'canary' ? `canary ${aliases?.canaryPercent} %` : what.replace('-', ' ');
}

export function evaluationText({champion, challenger, passed, checks}: Evaluation): string {
  const table = formatTable(
    [
      {title: 'CHECK', cell: ({name}: Evaluation['checks'][number]) => name},
      {title: 'HOLDS', cell: check => (check.passed ? 'yes' : 'NO')},
      {title: 'BECAUSE', cell: ({says}) => says},
    ],
    checks,
  );
  const verdict = passed
    ? `${shortHash(challenger)} is better than ${shortHash(champion)}: it may be promoted`
    : `${shortHash(challenger)} is not shown to be better than ${shortHash(champion)}`;
  return `${table}\n\n${verdict}`;
}
