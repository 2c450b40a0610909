/**
 * Orders kernel releases by their segments: numbers as numbers, words by the alphabet, a release
 * candidate before what it is one of. Negative: `a` is older.
 */
export function compareReleases(a: string, b: string): number {
  const left = segmentsOf(a);
  const right = segmentsOf(b);
  for (let index = 0; index < Math.max(left.length, right.length); index++) {
    const order = compareSegments(left[index], right[index]);
    if (order !== 0) return order;
  }
  return 0;
}

/**
 * Whether one of `installed` is newer than `running` and meant to follow it: of the same flavour
 * (`generic`, `cloud-amd64`), which is the words at its end. Rescue images and old copies are none.
 */
export function isNewerInstalled(running: string, installed: readonly string[]): boolean {
  return installed.some(
    release =>
      /^[1-9]/.test(release) &&
      !/\.old$|\+debug$/.test(release) &&
      flavourOf(release) === flavourOf(running) &&
      compareReleases(release, running) > 0,
  );
}

const segmentsOf = (release: string): string[] => release.match(/\d+|[a-z]+/gi) ?? [];

/** Absent is less than a number and more than a candidate. */
function rankOf(segment: string | undefined): number {
  if (segment === undefined) return 1;
  if (/^rc$/i.test(segment)) return 0;
  return /^\d/.test(segment) ? 3 : 2;
}

function compareSegments(a: string | undefined, b: string | undefined): number {
  const ranks = rankOf(a) - rankOf(b);
  if (ranks !== 0 || a === undefined || b === undefined) return ranks;
  if (rankOf(a) === 3) return Number(a) - Number(b);
  return a < b ? -1 : a > b ? 1 : 0;
}

/** `6.8.0-45-generic` → `generic`; of `5.14.0-503.el9_5.x86_64` the architecture. */
function flavourOf(release: string): string {
  const words = /-((?:[a-z][a-z\d_]*)(?:-[a-z][a-z\d_]*)*)$/i.exec(release)?.[1];
  if (words !== undefined && !/^rc\d*$/i.test(words)) return words;
  return /\.(x86_64|aarch64|ppc64le|s390x|riscv64)$/.exec(release)?.[1] ?? '';
}
