import test, {type ExecutionContext} from 'ava';
import {createGrpcLinks} from '../../edge/link-grpc.ts';
import {codec} from '../../proto/codec.ts';
import {temporaryFolder} from '../support/process.ts';
import {type CoreProcess, ready, startCore} from '../support/process-fleet.ts';

/** Sends one batch as a life of one edge; gives the ack, or what ended the stream. */
async function sendAs(t: ExecutionContext, core: CoreProcess, incarnation: number) {
  const links = createGrpcLinks(core.grpc);
  t.teardown(() => links.close());
  return await new Promise<string>(resolve => {
    const hello = {edge: 'h01', cell: 'default', incarnation};
    const link = links.dial(hello, {
      acked: (life, seq) => resolve(`acked ${life}/${seq}`),
      refused: ({message}) => resolve(message),
      throttled() {},
      writable() {},
      closed: error => resolve(String(error)),
    });
    const batch = {...hello, seq: 1, timeBase: 'live' as const, blocks: []};
    link.send(codec.encodeTelemetry({kind: 'batch', batch}));
  });
}

test('a core that starts anew knows from its log which life of an edge is the newest', async t => {
  const data = temporaryFolder(t);
  const first = await startCore(t, data);
  await ready(first);
  t.is(await sendAs(t, first, 0xffff_ffff), 'acked 4294967295/1');
  await first.stop();

  const second = await startCore(t, data);
  await ready(second);
  t.regex(await sendAs(t, second, 1_700_000_000), /log has batches of its life 4294967295/);
  t.is(await sendAs(t, second, 0xffff_ffff), 'acked 4294967295/1');
  await second.stop();
});
