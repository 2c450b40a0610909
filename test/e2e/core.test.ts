import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import test from 'ava';
import {COMPONENTS} from '../../core/domain/components.ts';
import {eventually, temporaryFolder} from '../support/process.ts';
import {
  type Actor,
  type CoreProcess,
  EAGER,
  findHost,
  livingHost,
  readSqlite,
  ready,
  type Status,
  startCore,
  startEdge,
} from '../support/process-fleet.ts';

test.serial('a host is measured, scored, explained and left alone by default', async t => {
  const data = temporaryFolder(t);
  const core = await startCore(t, data);
  await ready(core);
  const spool = temporaryFolder(t);
  const edge = await startEdge(t, {core: core.grpc, root: livingHost(t), host: 'h01', spool});
  const host = await eventually('a scored host', async () => {
    const found = await findHost(core, 'hosts/h01');
    return found?.scoreTime !== undefined && found;
  });
  t.like(host, {name: 'hosts/h01', state: 'normal', cordoned: false});
  t.true(host.risk > 0 && host.risk < 1);
  // The agent's own word on a reboot joins them after a while.
  const parts = (host.componentRisks as {component: string}[]).map(({component}) => component);
  t.deepEqual(
    parts.filter(component => component !== 'reboot'),
    [...COMPONENTS],
  );

  const described = await core.command('hosts', 'describe', 'h01');
  t.is(described.code, 0, described.stderr);
  t.regex(
    described.stdout,
    /^hosts\/h01\n[\s\S]*size +2 cores, 16\.0 GiB[\s\S]*risk 0\.\d+, scored/,
  );
  const explained = await core.command('explain', 'hosts/h01');
  t.regex(explained.stdout, /^hosts\/h01 is normal\n[\s\S]*memory +0\.\d+/);
  t.like(await core.ask('inspect', 'actor', 'hosts/h01'), {name: 'hosts/h01', state: 'normal'});
  t.deepEqual(await core.ask('decisions', 'list'), {decisions: []});
  t.is((await core.command('hosts', 'get', 'h02')).code, 5);

  const {partitions} = await core.ask<Status>('status');
  t.deepEqual(new Set(partitions.map(({mode}) => mode)), new Set(['MODE_OBSERVE']));
  const readyz = await (await fetch(`http://${core.http}/readyz?verbose`)).text();
  t.regex(readyz, /\[\+\]engine ok[\s\S]*\[\+\]model ok[\s\S]*\[\+\]store ok[\s\S]*ready/);
  const metrics = await (await fetch(`http://${core.http}/metrics`)).text();
  t.regex(metrics, /^forestay_samples_ingested_total\{cell="default"\} [1-9]/m);
  t.regex(metrics, /^forestay_predictions_total\{model="[0-9a-f]{64}",outcome="ok"\} [1-9]/m);
  t.regex(metrics, /^forestay_actors\{kind="host",state="normal"\} 1$/m);
  t.notRegex(metrics, /^forestay_actions_total\{/m);
  t.like(await (await fetch(`http://${core.http}/version`)).json(), {
    model: {name: 'component-failure'},
  });
  await edge.stop();
  await core.stop();
});

test.serial('an eager band raises a host; nobody acts on one that is only observed', async t => {
  const data = temporaryFolder(t);
  writeFileSync(join(data, 'forestay.yaml'), EAGER);
  const core = await startCore(t, data);
  const spool = temporaryFolder(t);
  const edge = await startEdge(t, {core: core.grpc, root: livingHost(t), host: 'h01', spool});
  await ready(core);
  t.is((await core.command('mode', 'auto')).code, 0);
  const actor = await eventually('a host at risk', async () => {
    const found = await findHost(core, 'hosts/h01');
    return found?.state === 'at-risk' && core.ask<Actor>('inspect', 'actor', 'hosts/h01');
  });
  t.regex(actor.state, /^at-risk/);
  t.like(actor.history.at(-1), {event: 'risk.raised', from: 'normal'});
  t.deepEqual(actor.effects, []);
  t.regex((await core.command('explain', 'hosts/h01')).stdout, /hosts\/h01 is at-risk/);
  t.like(await findHost(core, 'hosts/h01'), {cordoned: false});
  await edge.stop();
  await core.stop();
  t.deepEqual(readSqlite(data, 'SELECT id FROM effects'), []);
  t.is(readSqlite(data, 'SELECT ts FROM transitions').length, 1);
});

test.serial(
  'pause stops all acts of a core, resume lets it act again, restarts keep it',
  async t => {
    const data = temporaryFolder(t);
    const first = await startCore(t, data);
    await ready(first);
    t.is((await first.command('pause', '--comment', 'change window')).code, 0);
    const pausedEverywhere = (core: CoreProcess, wanted: boolean) =>
      eventually(`paused: ${wanted}`, async () =>
        (await core.ask<Status>('status')).partitions.every(({paused}) => paused === wanted),
      );
    await pausedEverywhere(first, true);
    await first.stop();
    const second = await startCore(t, data);
    await ready(second);
    await pausedEverywhere(second, true);
    t.is((await second.command('resume')).code, 0);
    await pausedEverywhere(second, false);
    await second.stop();
  },
);
