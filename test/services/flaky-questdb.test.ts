import {once} from 'node:events';
import {createServer} from 'node:http';
import {text} from 'node:stream/consumers';
import test from 'ava';
import {startFlakyQuestDb} from '../support/flaky-questdb.ts';

test('writes are spoilt as asked, queries pass, and late rows are written all the same', async t => {
  const seen: string[] = [];
  const real = createServer(async (request, response) => {
    seen.push(`${request.method} ${request.url} ${await text(request)}`);
    response.writeHead(200, {'content-type': 'application/json'}).end('{}');
  });
  real.listen(0, '127.0.0.1');
  await once(real, 'listening');
  const front = await startFlakyQuestDb(`127.0.0.1:${(real.address() as {port: number}).port}`);
  t.teardown(async () => {
    await front.close();
    real.closeAllConnections();
    real.close();
  });
  const write = (body: string) =>
    fetch(`http://${front.address}/write`, {
      method: 'POST',
      body,
      signal: AbortSignal.timeout(200),
    });
  t.is((await write('a x=1\na x=2\n')).status, 200);
  front.behave('error');
  t.is((await write('b x=1\n')).status, 500);
  front.behave('hang');
  await t.throwsAsync(write('c x=1\n'));
  const query = await fetch(`http://${front.address}/exec?query=q`);
  t.deepEqual(await query.json(), {});
  front.behave('late');
  await t.throwsAsync(write('d x=1\n'));
  t.deepEqual(seen, ['POST /write a x=1\na x=2\n', 'GET /exec?query=q ', 'POST /write d x=1\n']);
  t.deepEqual(front.writes, {well: 1, error: 1, hang: 1, late: 1});
  t.is(front.rows, 3);
});
