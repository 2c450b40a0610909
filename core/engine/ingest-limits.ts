/** The bounds of ingest. Every queue in it is held by one of these. */
export type IngestLimits = {
  /** A larger batch is refused. */
  batchBytesMax: number;
  /** Accepted and not yet durable, of one stream; above it the stream is not read. */
  streamBytesMax: number;
  /** The same for all streams together. */
  totalBytesMax: number;
  /** What one append to the log carries. */
  appendBytesMax: number;
  /** Appends wait for each other this long, … */
  gatherMs: number;
  /** … or until so much waits. */
  gatherBytesMax: number;
  /**
   * Appends in flight of one partition. With more than one a later append may succeed where an
   * earlier one did not, and nobody can tell a hole at the end of an edge's life from its end.
   */
  appendsInFlightMax: number;
  /** Over all streams; beyond it an ack waits for its turn, and tells more. */
  acksPerSecondMax: number;
  /** Names of hosts and VMs of one cell within an hour. */
  entitiesPerCellMax: number;
  /** Samples of a live cell that are further ahead of the clock than this are counted. */
  futureMs: number;
  /** Edges of a partition whose owner is further behind than this are told to wait … */
  lagMsMax: number;
  /** … for this long. */
  throttleMs: number;
  /** How long closing waits for appends that are under way. */
  drainMs: number;
};

export const DEFAULT_INGEST_LIMITS: IngestLimits = {
  batchBytesMax: 1024 * 1024,
  streamBytesMax: 4 * 1024 * 1024,
  totalBytesMax: 64 * 1024 * 1024,
  appendBytesMax: 4 * 1024 * 1024,
  gatherMs: 0,
  gatherBytesMax: 1024 * 1024,
  appendsInFlightMax: 1,
  acksPerSecondMax: Number.POSITIVE_INFINITY,
  entitiesPerCellMax: 200_000,
  futureMs: 5_000,
  lagMsMax: 5_000,
  throttleMs: 1_000,
  drainMs: 10_000,
};
