/**
 * From scores to bands. A band changes only after the risk has been on the other side of its
 * threshold for the hold time: a flapping risk costs nothing and moves nothing.
 */

export type BandPolicy = {
  /** Risk at which a host enters the at-risk band … */
  enter: number;
  /** … if it stays there this long. */
  enterHoldMs: number;
  /** Below it the host leaves again … */
  leave: number;
  /** … if it stays there this long. */
  leaveHoldMs: number;
};

/** Bands of all rows. */
export type Bands = {
  capacity: number;
  /** 0 normal, 1 at risk. */
  band: Uint8Array;
  /** Since when the risk has been across the threshold; 0: it is not. */
  crossedAtMs: Float64Array;
  /** Combined risk as last applied; NaN: never scored. */
  risk: Float32Array;
};

export function createBands(capacity = 16): Bands {
  return {
    capacity,
    band: new Uint8Array(capacity),
    crossedAtMs: new Float64Array(capacity),
    risk: new Float32Array(capacity).fill(Number.NaN),
  };
}

export function growBands(bands: Bands, rows: number): void {
  if (rows <= bands.capacity) return;
  const wider = createBands(Math.max(rows, bands.capacity * 2));
  wider.band.set(bands.band);
  wider.crossedAtMs.set(bands.crossedAtMs);
  wider.risk.set(bands.risk);
  Object.assign(bands, wider);
}

/**
 * A risk beside those of the components: that somebody reboots the host on purpose. What the agent
 * says of crashes is no risk of its own: the component models read it.
 */
export const REBOOT = 'reboot';

/**
 * The risk that a host goes down: that at least one component fails or that it is rebooted, taken as
 * independent: 1 − Π(1 − pᵢ). NaN (not scored, not measured) is left out; all NaN gives NaN. It is
 * the risk of every VM on the host as well: a VM goes down with its host.
 */
export function combineRisks(risks: Float32Array, offset: number, components: number): number {
  let survive = 1;
  let known = 0;
  for (let index = offset; index < offset + components; index++) {
    const risk = risks[index] as number;
    if (risk !== risk) continue;
    survive *= 1 - Math.min(Math.max(risk, 0), 1);
    known++;
  }
  return known === 0 ? Number.NaN : 1 - survive;
}

/** Index of the highest component risk, or -1 if none is known. */
export function worstComponent(risks: Float32Array, offset: number, components: number): number {
  let worst = -1;
  for (let index = 0; index < components; index++) {
    const risk = risks[offset + index] as number;
    if (risk === risk && (worst < 0 || risk > (risks[offset + worst] as number))) worst = index;
  }
  return worst;
}

/** Whether a row's risk is on the other side of its band's threshold; unknown is not. */
export function crossesBand({band, risk}: Bands, row: number, policy: BandPolicy): boolean {
  const known = risk[row] as number;
  return band[row] === 1 ? known < policy.leave : known >= policy.enter;
}

export type BandChange = 'raised' | 'cleared' | undefined;

/**
 * Applies a risk to a row at `atMs`. Call it again with the same risk when time has passed: a hold
 * ends by time, not by a new score.
 */
export function applyRisk(
  bands: Bands,
  row: number,
  risk: number,
  atMs: number,
  policy: BandPolicy,
): BandChange {
  if (risk !== risk) return undefined;
  bands.risk[row] = risk;
  const atRisk = bands.band[row] === 1;
  if (!crossesBand(bands, row, policy)) {
    bands.crossedAtMs[row] = 0;
    return undefined;
  }
  if (bands.crossedAtMs[row] === 0) bands.crossedAtMs[row] = atMs;
  const heldMs = atMs - (bands.crossedAtMs[row] as number);
  if (heldMs < (atRisk ? policy.leaveHoldMs : policy.enterHoldMs)) return undefined;
  bands.crossedAtMs[row] = 0;
  bands.band[row] = atRisk ? 0 : 1;
  return atRisk ? 'cleared' : 'raised';
}
