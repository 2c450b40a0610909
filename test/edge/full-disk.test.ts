import test from 'ava';
import {systemClock} from '../../core/adapters/clock-system.ts';
import {createMemoryFiles} from '../../core/adapters/files-memory.ts';
import {openSegmentLog} from '../../core/adapters/log-segments.ts';
import {createGrpcLinks} from '../../edge/link-grpc.ts';
import type {Sensor} from '../../edge/sensor.ts';
import {eventually} from '../support/process.ts';
import {makeAgent} from './edge-support.ts';
import {recordsOf, shownOnce, startCore} from './real-core.ts';
import {batches} from './spool-support.ts';

const sensor: Sensor = {
  name: 'host',
  columns: ['cpu_utilisation_ratio'],
  read: (_nowMs, row) => row.set('cpu_utilisation_ratio', 0.5),
};

test('while the disk of the core is full nothing is acked, and then everything, once and in order', async t => {
  const disk = createMemoryFiles();
  const options = {directory: '/log', files: disk, clock: systemClock};
  const log = await openSegmentLog(options);
  const core = await startCore(t, {log});
  const links = createGrpcLinks(core.address, 'test');
  const {agent} = makeAgent(t, {sensors: [sensor], dial: links.dial});
  const sample = async (from: number, to: number): Promise<void> => {
    for (let n = from; n <= to; n++) await agent.sampleOnce(1000 * n);
  };
  await sample(1, 5);
  await agent.drained();
  // Not even one more record fits.
  disk.limitTo(0);
  await sample(6, 20);
  const {dials} = agent.counters.uplink;
  await eventually('two more tries', () => agent.counters.uplink.dials > dials + 1);
  t.deepEqual(shownOnce(await recordsOf(log, 'c1')), batches(1, 1, 5), 'nothing of them is there');
  disk.limitTo(Number.POSITIVE_INFINITY);
  await agent.drained();
  t.deepEqual(shownOnce(await recordsOf(log, 'c1')), batches(1, 1, 20));
  await agent.stop();
  links.close();
  await core.close();
  await log.close();
  const again = await openSegmentLog(options);
  t.deepEqual(shownOnce(await recordsOf(again, 'c1')), batches(1, 1, 20), 'durably');
  await again.close();
});
