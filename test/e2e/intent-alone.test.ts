import {existsSync, mkdirSync, readFileSync, renameSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import test from 'ava';
import {writeHandmade} from '../edge/intent-fixture.ts';
import {eventually, temporaryFolder} from '../support/process.ts';
import {findHost, livingHost, ready, startCore, startEdge} from '../support/process-fleet.ts';

type Explained = {risk: number; reasons: {component: string; feature: string; value: number}[]};

test('an agent whose core was killed still raises its flags, and says why when the core is back', async t => {
  const [data, folder, root] = [temporaryFolder(t), temporaryFolder(t), livingHost(t)];
  const shutdown = join(root, 'run/systemd/shutdown');
  mkdirSync(shutdown, {recursive: true});
  const core = await startCore(t, data);
  await ready(core);
  const edge = await startEdge(t, {core: core.grpc, root, host: 'h01', spool: temporaryFolder(t)}, [
    '--intent-model',
    await writeHandmade(t),
    '--local-flags',
    folder,
  ]);
  await eventually('a host that the core knows', () => findHost(core, 'hosts/h01'));
  await eventually('a first prediction', async () => {
    const {intent_predictions: made = 0} = await edge.counters();
    return made > 0;
  });
  core.signal('SIGKILL');
  await core.exit();
  t.false(existsSync(join(folder, 'drain')), 'nothing has told of a reboot yet');

  const next = join(root, 'scheduled');
  writeFileSync(next, `USEC=${Date.now() + 1_200_000}000\nMODE=reboot\n`);
  renameSync(next, join(shutdown, 'scheduled'));
  for (const flag of ['drain', 'checkpoint-me']) {
    const notice = await eventually(flag, () => {
      const path = join(folder, flag);
      return existsSync(path) && JSON.parse(readFileSync(path, 'utf8'));
    });
    t.like(notice, {cause: 'intentional', horizonMinutes: 30});
    t.true(notice.probability > 0.75 && notice.expiresAtMs > Date.now(), JSON.stringify(notice));
  }
  const {connected_ratio: connected, spool_batches: kept = 0} = await edge.counters();
  t.is(connected, 0, 'nobody has listened');
  t.true(kept > 0, 'what the core has missed is kept');

  const again = await startCore(t, data, ['--listen', core.grpc]);
  const explained = await eventually('a reason that an agent gave', async () => {
    const found = await again.command('explain', 'hosts/h01', '-o', 'json');
    const told = found.code === 0 ? (JSON.parse(found.stdout) as Explained) : undefined;
    return told?.reasons.some(({component}) => component === 'reboot') && told;
  });
  t.true(explained.risk > 0.75, `${explained.risk}`);
  t.deepEqual(
    explained.reasons.map(({feature}) => feature),
    ['shutdown_scheduled_ratio.level'],
  );
  await edge.stop();
  t.false(existsSync(join(folder, 'drain')), 'an agent that stops leaves no order behind');
  await again.stop();
});
