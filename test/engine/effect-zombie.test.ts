import test from 'ava';
import {codec} from '../../proto/codec.ts';
import {createRig, PARTITION, second, vm} from '../support/partition.ts';

test('an owner whose call is refused for its epoch says nothing of the effect: the next one asks', async t => {
  const rig = createRig();
  const runtime = await rig.start();
  const refused = () =>
    rig.agents.calls.filter(call => call === 'execute start-migration a').length;
  // A later owner is announced while the call is on its way.
  rig.agents.before(async () => {
    if (refused() > 0) rig.agents.epochs.set('a', 99);
  });
  for (let count = 0; count < 60 && refused() === 0; count++) {
    await second(rig, runtime, {a: {risk: 0.9, vms: [vm('v1')]}, b: {}, c: {}});
  }
  t.is(refused(), 1);
  const moves = [...runtime.state.running.values()].filter(({kind}) => kind === 'start-migration');
  t.is(moves.length, 1);
  const inbox = await rig.log.read('inbox', PARTITION, 0, 1 << 30);
  const results = inbox.flatMap(({value}) => {
    const record = codec.decodeInbox(value);
    return record.kind === 'effect-result' ? [record.result.id] : [];
  });
  t.false(results.includes(moves[0]?.id ?? 'none'), results.join());
});
