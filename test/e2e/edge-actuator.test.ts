import test from 'ava';
import {eventually, temporaryFolder} from '../support/process.ts';
import {
  findHost,
  livingHost,
  readSqlite,
  ready,
  startCore,
  startEdge,
} from '../support/process-fleet.ts';

for (const {title, hypervisor} of [
  {title: 'an edge that can be called is fenced and never frozen', hypervisor: 'grpc'},
  {title: 'a core without a hypervisor calls nobody', hypervisor: 'none'},
]) {
  test.serial(title, async t => {
    const data = temporaryFolder(t);
    const core = await startCore(t, data, ['--hypervisor', hypervisor]);
    await ready(core);
    t.is((await core.command('mode', 'auto')).code, 0);
    const source = {root: livingHost(t), host: 'h01', spool: temporaryFolder(t)};
    const edge = await startEdge(t, {core: core.grpc, ...source}, [
      ...['--actuator-listen', '127.0.0.1:0'],
    ]);
    const [, actuator] = await edge.said(/actuator of h01 listens at (\S+);/);
    const host = await eventually('a scored host', async () => {
      const found = await findHost(core, 'hosts/h01');
      return found?.scoreTime !== undefined && found;
    });
    t.like(host, {state: 'normal', actuatorAddress: actuator, frozen: false});
    await edge.stop();
    await core.stop();
    t.deepEqual(readSqlite(data, 'SELECT id FROM effects'), []);
  });
}
