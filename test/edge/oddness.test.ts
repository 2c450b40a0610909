import test from 'ava';
import {HOST_METRICS, VM_METRICS} from '../../core/domain/metric-sets.ts';
import {BlockBuilder} from '../../edge/batch.ts';
import {limitNotes} from '../../edge/note.ts';
import {concludeOddness} from '../../edge/oddness.ts';
import {createSampler} from '../../edge/sampler.ts';
import type {FleetSensor, Sensor} from '../../edge/sensor.ts';

const START_MS = 1_760_000_000_000;

/** A host whose latency, and a VM whose pressure, jumps when told. */
function sampledHost(samples: number, incidentAt: number) {
  let now = 0;
  const wave = (of: number): number => Math.sin(now * 0.7 + of) + Math.cos(now * 1.9 + of);
  const isIncident = () => now >= incidentAt;
  const host: Sensor = {
    name: 'host',
    columns: ['cpu_utilisation_ratio', 'disk_latency_seconds'],
    read(_nowMs, row) {
      row.set('cpu_utilisation_ratio', wave(1));
      row.set('disk_latency_seconds', wave(2) + (isIncident() ? 100 : 0), 'sdb');
    },
  };
  const vms: FleetSensor = {
    name: 'vms',
    columns: ['cpu_used_ratio', 'pressure_io_ratio'],
    read(_nowMs, row) {
      for (const [of, vm] of ['v1', 'v2'].entries()) {
        const writer = row(`vms/${vm}`);
        writer.set('cpu_used_ratio', wave(of));
        writer.set('pressure_io_ratio', wave(of + 4) + (isIncident() && vm === 'v2' ? 100 : 0));
      }
    },
  };
  const hosts = new BlockBuilder(HOST_METRICS);
  const guests = new BlockBuilder(VM_METRICS);
  const sampler = createSampler({
    sensors: [host],
    fleets: [vms],
    conclusions: [concludeOddness({intervalMs: 10_000})],
    hostRow: nowMs => hosts.row('hosts/h01', nowMs),
    vmRow: (entity, nowMs) => guests.row(entity, nowMs),
    note: limitNotes(() => {}),
  });
  for (now = 0; now < samples; now++) sampler.sample(START_MS + now * 10_000);
  const block = hosts.take();
  const readingOf = (column: string, row: number) =>
    block?.values[HOST_METRICS.columns.indexOf(column) * samples + row];
  const deviceOf = (column: string, row: number) =>
    block?.devices.find(
      device => device.row === row && device.column === HOST_METRICS.columns.indexOf(column),
    )?.name;
  return {readingOf, deviceOf, sampler, guests: guests.take()};
}

test('the share of odd metrics and VMs travels in the row of the host, the oddest named beside', t => {
  const {readingOf, deviceOf, sampler} = sampledHost(502, 500);
  t.deepEqual(sampler.counters.failures, {host: 0, vms: 0, anomaly: 0});
  t.is(readingOf('anomalous_metrics_ratio', 100), Number.NaN, 'too early to tell');
  t.is(readingOf('anomalous_metrics_ratio', 500), 0);
  t.is(deviceOf('anomalous_metrics_ratio', 500), undefined);
  t.is(readingOf('anomalous_metrics_ratio', 501), 0.5);
  t.is(deviceOf('anomalous_metrics_ratio', 501), 'disk_latency_seconds');
  t.is(readingOf('anomalous_vms_ratio', 501), 0.5);
  t.is(deviceOf('anomalous_vms_ratio', 501), 'v2');
});

test('what sensors put into the rows is passed on as it is', t => {
  const {readingOf, deviceOf, guests} = sampledHost(3, 1);
  t.is(readingOf('disk_latency_seconds', 0), Math.fround(Math.sin(2) + Math.cos(2)));
  t.is(deviceOf('disk_latency_seconds', 2), 'sdb');
  t.deepEqual(guests?.entities, ['vms/v1', 'vms/v2']);
  t.is(guests?.rows, 6);
});

test('a host without VMs has no share of odd ones', t => {
  const conclusion = concludeOddness({intervalMs: 1000});
  const values = new Map<string, number>();
  const row = conclusion.hostRow({set: (column, value) => void values.set(column, value)});
  conclusion.read(START_MS, row);
  t.is(values.get('anomalous_vms_ratio'), Number.NaN);
});
