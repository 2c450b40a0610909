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
