/**
 * Makes risks of one thing within longer and longer times never fall, in place: what fails within a
 * day fails within a week as well, so the risk of a week is at least that of a day. Several models,
 * or several forests of one, cannot promise that by themselves. NaN (not scored) is passed over.
 *
 * @param risks `count` of them from `from` on are of one thing, the shortest time first.
 */
export function raiseToShorter(risks: Float32Array, from = 0, count = risks.length): void {
  let most = Number.NaN;
  for (let at = from; at < from + count; at++) {
    const risk = risks[at] as number;
    if (risk < most) risks[at] = most;
    else if (!Number.isNaN(risk)) most = risk;
  }
}

/** The risk of one part, named as models name their outputs: `disk`, or `disk-7d` within a horizon. */
export type PartRisk = {readonly component: string; readonly risk: number};

/** `disk-7d` → `disk` */
export function partOf(component: string): string {
  const dash = component.indexOf('-');
  return dash < 0 ? component : component.slice(0, dash);
}

/**
 * The longer risks in their order, those that are not known left out, none below what is said of the
 * same part within a shorter time.
 *
 * @param now Within the shortest time, a part each.
 * @param longer `PART-HORIZON`, of each part the shorter horizon first.
 */
export function raiseOutlook(now: readonly PartRisk[], longer: readonly PartRisk[]): PartRisk[] {
  const known = longer.filter(({risk}) => !Number.isNaN(risk));
  const raised = new Map<PartRisk, number>();
  for (const [part, risks] of Map.groupBy(known, ({component}) => partOf(component))) {
    const first = now.find(({component}) => component === part)?.risk ?? Number.NaN;
    const values = Float32Array.of(first, ...risks.map(({risk}) => risk));
    raiseToShorter(values);
    for (const [at, each] of risks.entries()) raised.set(each, values[at + 1] as number);
  }
  return known.map(each => ({...each, risk: raised.get(each) as number}));
}
