import test from 'ava';
import {createMemoryLog} from '../../core/adapters/log-memory.ts';
import {partitionOfCell} from '../../core/domain/hash.ts';
import {createConstantScorer} from '../../models/scorer-trees.ts';
import {createHarness} from '../support/fleet-harness.ts';

test('a partition whose telemetry ends before what its journal has taken does not start, and says why', async t => {
  const scorer = createConstantScorer(0.001);
  const world = {cells: 1, faults: 'none'} as const;
  const harness = await createHarness({seed: 3, scorer, world});
  await harness.seconds(5);
  const {log} = harness;
  const partition = partitionOfCell(harness.world.hosts[0]?.cell ?? '');
  const empty = createMemoryLog();
  // Somebody removed the files of the telemetry topic, and only these.
  const without = {
    ...log,
    read: ((topic, ...rest) =>
      (topic === 'telemetry' ? empty : log).read(topic, ...rest)) as typeof log.read,
    endOffset: ((topic, of) =>
      (topic === 'telemetry' ? empty : log).endOffset(topic, of)) as typeof log.endOffset,
    startOffset: ((topic, of) =>
      (topic === 'telemetry' ? empty : log).startOffset(topic, of)) as typeof log.startOffset,
  };
  const again = createHarness({seed: 3, scorer, world, log: without});
  const error = await t.throwsAsync(again, {code: 'LOG_CORRUPT'});
  t.regex(
    error?.message ?? '',
    new RegExp(`partition ${partition} cannot start: its telemetry ends at offset 0`),
  );
  t.regex(error?.message ?? '', /files of all topics of this partition away/);
});
