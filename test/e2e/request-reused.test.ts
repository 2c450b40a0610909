import test from 'ava';
import {temporaryFolder} from '../support/process.ts';
import {ready, startCore} from '../support/process-fleet.ts';

type Status = {partitions: readonly {paused: boolean}[]};

test('a request id of before a crash is not taken for another command', async t => {
  const data = temporaryFolder(t);
  const first = await startCore(t, data);
  await ready(first);
  t.is((await first.command('pause', '--request-id', 'r1')).code, 0);
  first.signal('SIGKILL');
  await first.exit();

  const second = await startCore(t, data);
  await ready(second);
  const again = await second.command('pause', '--request-id', 'r1');
  t.is(again.code, 0, again.stderr);
  const other = await second.command('resume', '--request-id', 'r1');
  t.not(other.code, 0, other.stdout);
  t.regex(other.stderr, /REQUEST_ID_REUSED.*request_id r1 came with another body/);
  const {partitions} = await second.ask<Status>('status');
  t.true(partitions.every(({paused}) => paused));
  t.is((await second.command('resume', '--request-id', 'r2')).code, 0);
  await second.stop();
});
