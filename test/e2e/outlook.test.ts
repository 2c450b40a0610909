import test from 'ava';
import {eventually, temporaryFolder} from '../support/process.ts';
import {livingHost, ready, startCore, startEdge} from '../support/process-fleet.ts';

type Outlook = {component: string; risk: number}[];

test('a core as it is shipped tells of a real agent what fails within a day and a week', async t => {
  const core = await startCore(t, temporaryFolder(t));
  await ready(core);
  const source = {root: livingHost(t), host: 'h01', spool: temporaryFolder(t)};
  const edge = await startEdge(t, {core: core.grpc, ...source}, ['--intent-model', 'off']);
  const outlook = await eventually('an outlook', async () => {
    const {hosts} = await core.ask<{hosts: {outlook: Outlook}[]}>(
      ...['hosts', 'list', '--sort', 'outlook', '--limit', '1'],
    );
    return (hosts[0]?.outlook.length ?? 0) > 0 && hosts[0]?.outlook;
  });
  const parts = ['cpu', 'memory', 'disk', 'network', 'power'];
  t.deepEqual(
    outlook.map(({component}) => component).sort(),
    parts.flatMap(part => [`${part}-24h`, `${part}-7d`]).sort(),
  );
  const risk = (name: string) => outlook.find(({component}) => component === name)?.risk ?? 0;
  for (const part of parts) {
    t.true(risk(`${part}-24h`) > 0 && risk(`${part}-24h`) <= risk(`${part}-7d`), part);
  }
  t.regex((await core.command('hosts', 'describe', 'h01')).stdout, /^ {2}outlook +\w+ .* %/m);
  await edge.stop();
  await core.stop();
});
