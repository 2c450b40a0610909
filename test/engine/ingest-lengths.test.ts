import test from 'ava';
import {HOST_METRICS} from '../../core/domain/metric-sets.ts';
import type {Batch, InventoryHost, InventoryVm} from '../../core/domain/telemetry.ts';
import {LENGTHS_MAX} from '../../core/engine/ingest-lengths.ts';
import {createRig, hostFacts, second, vm} from '../support/partition.ts';
import {batchBytes, blockOf, gapBytes, sequencesOf, settled, setUp} from './ingest-fixtures.ts';

const inventoryOf = (host: Partial<InventoryHost>): Partial<Batch> => ({
  inventory: {hosts: [hostFacts(host.host ?? 'h1', host)]},
  blocks: [],
});
const vmOf = (fields: Partial<InventoryVm>) => inventoryOf({vms: [vm(fields.vm ?? 'v1', fields)]});
const deviceOf = (name: string): Partial<Batch> => ({
  blocks: [blockOf(HOST_METRICS, {devices: [{row: 0, column: 0, name}]})],
});

/** A batch whose text of this name is so long, for every text that a batch brings. */
const texts: Record<string, (text: string) => Partial<Batch>> = {
  host: host => inventoryOf({host}),
  rack: rack => inventoryOf({rack}),
  actuator_address: actuatorAddress => inventoryOf({actuatorAddress}),
  capability: capability => inventoryOf({capabilities: ['fence-host', capability]}),
  boot_id: bootId => inventoryOf({bootId}),
  hardware: hardware => inventoryOf({hardware}),
  vm: name => vmOf({vm: name}),
  anti_affinity_group: antiAffinityGroup => vmOf({antiAffinityGroup}),
  pinned_reason: pinnedReason => vmOf({pinnedReason}),
  tenant: tenant => vmOf({tenant}),
  device: deviceOf,
};

for (const [field, toBatch] of Object.entries(texts)) {
  test(`a ${field} that is too long refuses its batch, and says how long it is`, async t => {
    const max = LENGTHS_MAX[field as keyof typeof LENGTHS_MAX];
    const {open, log} = setUp();
    const {session, replies} = open();
    session.record(batchBytes(1, toBatch('x'.repeat(max))));
    session.record(batchBytes(2, toBatch('x'.repeat(max + 1))));
    await settled();
    const refusal = replies.find(({kind}) => kind === 'refusal');
    t.like(refusal, {seq: 2, code: 'BATCH_MALFORMED'});
    t.regex(JSON.stringify(refusal), new RegExp(`${field} "?.*${max + 1} characters.*${max}`));
    t.true(JSON.stringify(refusal).length < 400);
    session.record(gapBytes(2));
    session.record(batchBytes(3));
    await settled();
    t.deepEqual(await sequencesOf(log), [1, '2-2', 3]);
  });
}

test('a host with very many capabilities is refused', async t => {
  const {session, replies} = setUp().open();
  const capabilities = Array.from({length: 65}, (_, at) => `c${at}`);
  session.record(batchBytes(1, inventoryOf({capabilities})));
  await settled();
  t.like(replies[0], {kind: 'refusal', code: 'BATCH_MALFORMED'});
  t.regex(JSON.stringify(replies[0]), /has 65 capabilities, at most 64/);
});

test('what a refusal quotes of a batch is short', async t => {
  const long = 'x'.repeat(500_000);
  for (const overrides of [
    {blocks: [blockOf({...HOST_METRICS, name: long})]},
    {blocks: [blockOf(HOST_METRICS, {devices: [{row: 9, column: 0, name: long}]})]},
    {inventory: {hosts: [hostFacts(long, {cpuCores: -1})]}},
  ]) {
    const {session, replies} = setUp().open();
    session.record(batchBytes(1, overrides));
    await settled();
    t.is(replies[0]?.kind, 'refusal');
    t.true(JSON.stringify(replies[0]).length < 500);
  }
});

test('a log that has longer names from before is read as ever, and started on again', async t => {
  const rig = createRig();
  const before = await rig.start();
  const host = 'h'.repeat(2000);
  for (let count = 0; count < 3; count++) {
    await second(rig, before, {a: {host, rack: 'r'.repeat(5000), vms: [vm('v'.repeat(3000))]}});
  }
  const after = await rig.start();
  t.deepEqual([...after.state.hosts.keys()], [...before.state.hosts.keys()]);
  t.deepEqual([...after.state.vms.keys()], ['v'.repeat(3000)]);
  t.is(after.state.hosts.get(host)?.facts?.rack.length, 5000);
});
