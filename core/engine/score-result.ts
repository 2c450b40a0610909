/** Risks of one scoring request, in dispatch order; hosts × components. */
export type ScoreResult = {request: number; hosts: readonly string[]; risks: Float32Array};
