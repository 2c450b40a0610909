/**
 * What every sensor is. A sensor reads one subject below a root path, so it runs on fixtures, and
 * fills its columns of the row; what it cannot read stays NaN.
 */
export type Sensor = {
  /** Names the sensor in counters and messages: `cpu`, `disk`, … */
  readonly name: string;
  /** Columns of the metric set that it fills. */
  readonly columns: readonly string[];
  /**
   * Reads once. Rates are over the time since the previous call and NaN at the first.
   * Throws when the subject is there but unreadable; the sampler counts and goes on.
   */
  read(nowMs: number, row: RowWriter): void;
  /** Ends what runs beside it: tools, connections. */
  close?(): void;
};

/** Where a sensor puts its values. */
export type RowWriter = {
  set(column: string, value: number, device?: string): void;
};

/** A source of several entities (VMs): one row each. */
export type FleetSensor = {
  readonly name: string;
  readonly columns: readonly string[];
  read(nowMs: number, row: (entity: string) => RowWriter): void;
};

/**
 * What an edge concludes from a whole sample: it sees what every sensor puts into the rows, then
 * fills its own columns of the host's.
 */
export type Conclusion = {
  readonly name: string;
  readonly columns: readonly string[];
  /** A writer that passes everything on to the row. */
  hostRow(row: RowWriter): RowWriter;
  vmRow(entity: string, row: RowWriter): RowWriter;
  /** After every sensor; `row` is the host's. */
  read(nowMs: number, row: RowWriter): void;
  /** Resolves when what the samples so far set going is over: samples on virtual time wait for it. */
  settled?(): Promise<void>;
};
