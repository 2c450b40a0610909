/**
 * Share of the odd VMs of each group: of a host, a rack, or whatever `groupOf` numbers. Many odd VMs
 * at once point at what they share, one odd VM at itself.
 *
 * @param odd One a VM: 1 odd, 0 usual, NaN not known, which does not count.
 * @param groupOf The number of each VM's group, below `groups`; negative: none.
 * @returns One share a group; NaN for a group of which nothing is known.
 */
export function measureOddShares(
  odd: ArrayLike<number>,
  groupOf: ArrayLike<number>,
  groups: number,
): Float64Array {
  const shares = new Float64Array(groups);
  const known = new Uint32Array(groups);
  for (let vm = 0; vm < odd.length; vm++) {
    const flag = odd[vm] as number;
    const group = groupOf[vm] as number;
    if (flag !== flag || group < 0) continue;
    shares[group] = (shares[group] as number) + flag;
    known[group] = (known[group] as number) + 1;
  }
  return shares.map((sum, group) => sum / (known[group] as number));
}
