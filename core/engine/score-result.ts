import type {AppliedRisk, Tick} from '../domain/records.ts';
import type {ModelSignature} from '../ports.ts';

/** Risks of one scoring request, in dispatch order. */
export type ScoreResult = {
  request: number;
  hosts: readonly string[];
  /** What gave them; absent: a journal, which says so itself. */
  model?: ModelSignature;
  /** rows × outputs. */
  risks: Float32Array;
  /** rows × features, as they were sent; absent unless somebody asked for them. */
  features?: Float32Array;
  /** Of a journal: by how much each row was moved ({@link AppliedRisk}); absent: nothing was yet. */
  learned?: Float32Array;
  /** Whose sample each row was; absent: row i is host i as it is now. */
  samples?: SampleRows;
};

/** For each row the index of its host, and the time of its sample. */
export type SampleRows = {host: Uint32Array; atMs: Float64Array};

/** The risks that a tick of the journal applied: what a replay takes instead of a model's answers. */
export function recordedScores({
  cut,
  risks: ofHosts,
  sampleRisks = [],
}: Pick<Tick, 'cut' | 'risks' | 'sampleRisks'>): ScoreResult[] {
  const request = cut.scoreRequest;
  const results: ScoreResult[] = sampleRisks.map(({hosts, host, atMs, risks}) => ({
    request,
    hosts,
    risks,
    samples: {host, atMs},
  }));
  if (ofHosts.length === 0) return results;
  const width = (ofHosts[0] as AppliedRisk).risks.length;
  const risks = new Float32Array(ofHosts.length * width);
  for (const [index, row] of ofHosts.entries()) risks.set(row.risks, index * width);
  const learned = Float32Array.from(ofHosts, ({learned: by = 0}) => by);
  return [{request, hosts: ofHosts.map(({host}) => host), risks, learned}, ...results];
}

/** The last row of each host; -1: it has none. */
export function lastRows(host: Uint32Array, hosts: number): Int32Array {
  const rows = new Int32Array(hosts).fill(-1);
  for (let row = 0; row < host.length; row++) rows[host[row] as number] = row;
  return rows;
}

/** A result of hosts as they are: of samples, each host's newest. */
export function newestOfHosts({hosts, risks, samples}: ScoreResult): {
  hosts: readonly string[];
  risks: Float32Array;
} {
  if (samples === undefined) return {hosts, risks};
  const width = risks.length / samples.host.length;
  const newest = new Float32Array(hosts.length * width);
  for (const [index, row] of lastRows(samples.host, hosts.length).entries()) {
    newest.set(risks.subarray(row * width, (row + 1) * width), index * width);
  }
  return {hosts, risks: newest};
}
