import test from 'ava';
import {partitionOfCell} from '../../core/domain/hash.ts';
import {DEFAULT_POLICY, type Mode} from '../../core/domain/policy.ts';
import {createConstantScorer} from '../../models/scorer-trees.ts';
import {codec} from '../../proto/codec.ts';
import {createHarness} from '../support/fleet-harness.ts';

/** Runs a cell that a command put into a mode, then starts it again with another configuration. */
async function restarted(commanded: Mode, configured: Mode | undefined): Promise<Mode> {
  const harness = await createHarness({
    seed: 3,
    scorer: createConstantScorer(0),
    world: {cells: 1},
  });
  const partition = partitionOfCell(harness.world.hosts[0]?.cell ?? '');
  const command = {requestId: 'r', atMs: harness.clock.nowMs(), author: 'test'} as const;
  await harness.log.append('inbox', partition, [
    codec.encodeInbox({...command, kind: 'set-mode', mode: commanded}),
  ]);
  await harness.seconds(3);
  const next = await createHarness({
    seed: 3,
    scorer: createConstantScorer(0),
    world: {cells: 1},
    log: harness.log,
    runtime: {policy: DEFAULT_POLICY, modeMax: configured},
  });
  await next.seconds(3);
  return next.runtimes.get(partition)?.state.control.mode as Mode;
}

test('a start with a stricter mode in the configuration does less than was commanded before', async t => {
  t.is(await restarted('auto', 'observe'), 'observe');
});

test('a start with a laxer mode in the configuration keeps what was commanded before', async t => {
  t.is(await restarted('observe', 'auto'), 'observe');
});

test('a start with the same mode changes nothing', async t => {
  t.is(await restarted('auto', 'auto'), 'auto');
});

test('a start whose configuration says no mode keeps what was commanded before', async t => {
  t.is(await restarted('auto', undefined), 'auto');
});
