/**
 * What really happened in a simulated datacenter, told by the side that caused it: one JSON line
 * each, written before anybody acts on it. A test holds it against what the core has kept.
 */
import {closeSync, openSync, writeSync} from 'node:fs';
import type {EffectReport, IssuedEffect} from '../core/domain/effects.ts';
import {HOST_METRICS} from '../core/domain/metric-sets.ts';
import type {Batch, TelemetryRecord} from '../core/domain/telemetry.ts';
import type {Datacenter} from '../core/simulation/datacenter.ts';
import type {Driver} from '../edge/actuator/driver.ts';
import type {Dial, TelemetryCodec} from '../edge/ports.ts';

export type OracleLine = {
  wallMs: number;
} & (
  | {
      /** A batch was made; it is in the spool unless the process died in that instant. */
      kind: 'batch';
      edge: string;
      cell: string;
      incarnation: number;
      seq: number;
      atMs: number;
      rows: number;
      /** Column 0 of host.v2 in the batch's last row of the host; null if it was missing. */
      lastValue: number | null;
    }
  /** A core said that it has everything of this edge up to here. */
  | {kind: 'ack'; edge: string; incarnation: number; seq: number}
  /** A driver was told to begin an effect: at most once for each id. */
  | {
      kind: 'effect';
      id: string;
      effect: string;
      agent: string;
      host: string;
      vm: string;
      targetHost: string;
      atMs: number;
      status: EffectReport['status'];
      code: string;
    }
  | {kind: 'placement'; vm: string; host: string; state: string; atMs: number}
  /** Something was asked for that must never be: two of a VM, a ghost before its fence. */
  | {kind: 'violation'; what: string; atMs: number}
);

export type Oracle = {
  /** Encodes as the codec does, and notes what was sent. */
  watchCodec(codec: TelemetryCodec): TelemetryCodec;
  /** Dials as the dial does, and notes what was acked. */
  watchDial(dial: Dial): Dial;
  /** Drives as the driver does, and notes what was begun. */
  watchDriver(driver: Driver, datacenter: Datacenter): Driver;
  /** Notes where VMs are, as far as it has changed. */
  look(datacenter: Datacenter): void;
  close(): void;
};

/** Appends to `path`. */
export function openOracle(path: string): Oracle {
  const file = openSync(path, 'a');
  const note = createNotes(text => writeSync(file, text));
  const places = new Map<string, string>();
  let violations = 0;
  return {
    watchCodec: codec => ({
      encodeTelemetry(record) {
        noteBatch(note, record);
        return codec.encodeTelemetry(record);
      },
    }),
    watchDial: dial => (hello, events) =>
      dial(hello, {
        ...events,
        acked(incarnation, seq) {
          note({kind: 'ack', edge: hello.edge, incarnation, seq});
          events.acked(incarnation, seq);
        },
      }),
    watchDriver: (driver, datacenter) => watchDriver(note, driver, datacenter),
    look({vms, nowMs: atMs, ledger}) {
      for (const {name: vm, host, state} of vms) {
        const place = `${host.name} ${state}`;
        if (places.get(vm) === place) continue;
        places.set(vm, place);
        note({kind: 'placement', vm, host: host.name, state, atMs});
      }
      const all = ledger.details(atMs).violations;
      for (const what of all.slice(violations)) note({kind: 'violation', what, atMs});
      violations = all.length;
    },
    close: () => closeSync(file),
  };
}

type Unstamped<Line> = Line extends unknown ? Omit<Line, 'wallMs'> : never;
type NoteLine = (line: Unstamped<OracleLine>) => void;

function createNotes(write: (text: string) => void): NoteLine {
  return line => write(`${JSON.stringify({...line, wallMs: Date.now()})}\n`);
}

function noteBatch(note: NoteLine, record: TelemetryRecord): void {
  if (record.kind !== 'batch') return;
  const {edge, cell, incarnation, seq, blocks} = record.batch;
  let rows = 0;
  let atMs = 0;
  for (const block of blocks) {
    rows += block.rows;
    atMs = Math.max(atMs, block.observedAtMs.at(-1) ?? 0);
  }
  const lastValue = lastHostValue(record.batch);
  note({kind: 'batch', edge, cell, incarnation, seq, atMs, rows, lastValue});
}

function lastHostValue({blocks}: Batch): number | null {
  const block = blocks.find(({metricSet}) => metricSet === HOST_METRICS.name);
  const value = block?.values[block.rows - 1];
  return value === undefined || Number.isNaN(value) ? null : value;
}

function watchDriver(note: NoteLine, driver: Driver, datacenter: Datacenter): Driver {
  const start = async (effect: IssuedEffect, nowMs: number): Promise<EffectReport> => {
    const atMs = datacenter.nowMs;
    const report = await driver.start(effect, nowMs);
    const {id, kind, agent, host, vm, targetHost} = effect;
    const {status, code} = report;
    note({kind: 'effect', id, effect: kind, agent, host, vm, targetHost, atMs, status, code});
    return report;
  };
  return {
    start,
    capabilities: () => driver.capabilities(),
    progress: (id, nowMs) => driver.progress(id, nowMs),
    cancel: (id, nowMs) => driver.cancel(id, nowMs),
    stopVms: (agent, nowMs) => driver.stopVms?.(agent, nowMs),
  };
}
