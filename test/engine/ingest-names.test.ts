import test from 'ava';
import {hostFacts, vm} from '../support/partition.ts';
import {batchBytes, blockOf, gapBytes, sequencesOf, settled, setUp} from './ingest-fixtures.ts';

const named = (...entities: string[]) => ({
  blocks: [blockOf(undefined, {entities, rows: 1, rowEntity: Uint16Array.of(0)})],
});

test('a name with a control character is refused, wherever it stands', async t => {
  const inventories = [hostFacts('h\u001b[2J'), hostFacts('h1', {vms: [vm('v\n')]})].map(host => ({
    inventory: {hosts: [host]},
    blocks: [],
  }));
  for (const overrides of [named('hosts/h\u0007'), named('hosts/\u0085'), ...inventories]) {
    const {open, log} = setUp();
    const {session, replies} = open();
    session.record(batchBytes(1, overrides));
    await settled();
    t.like(replies[0], {kind: 'refusal', seq: 1, code: 'BATCH_MALFORMED'});
    t.regex(JSON.stringify(replies[0]), /control character; use letters/);
    session.record(gapBytes(1));
    session.record(batchBytes(2, named('hosts/Größe-1.example_x')));
    await settled();
    t.deepEqual(await sequencesOf(log), ['1-1', 2]);
  }
});

test('an edge or a cell with a control character is not let in', t => {
  for (const hello of [
    {edge: 'e\n', cell: 'c'},
    {edge: 'e', cell: '\u0000'},
  ]) {
    const {ingest} = setUp();
    const errors: unknown[] = [];
    const session = ingest.open({
      reply: () => {},
      pause: () => {},
      resume: () => {},
      end: error => errors.push(error),
    });
    session.hello({...hello, incarnation: 1});
    t.like(errors[0], {code: 'INVALID_ARGUMENT'});
    t.regex(String(errors[0]), /has a control character/);
  }
});

test('a cell that makes up names is refused new ones, and keeps those it has', async t => {
  const {open, log, clock} = setUp({limits: {entitiesPerCellMax: 2}});
  const {session, replies} = open();
  session.record(batchBytes(1, named('hosts/a')));
  session.record(batchBytes(2, named('hosts/b')));
  session.record(batchBytes(3, named('hosts/c')));
  await settled();
  const refusal = replies.find(({kind}) => kind === 'refusal');
  t.like(refusal, {seq: 3, code: 'ENTITY_LIMIT_REACHED'});
  t.regex(JSON.stringify(refusal), /named 2 hosts and VMs within an hour.*hosts\/c is one more/);
  session.record(gapBytes(3));
  session.record(batchBytes(4, named('hosts/b')));
  await settled();
  clock.advance(3_600_000);
  session.record(batchBytes(5, named('hosts/c')));
  await settled();
  t.deepEqual(await sequencesOf(log), [1, 2, '3-3', 4, 5]);
});
