import {randomUUID} from 'node:crypto';
import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {gzipSync} from 'node:zlib';
import test, {type ExecutionContext} from 'ava';
import {needService} from '../services/need.ts';
import {eventually, forestay, temporaryFolder} from '../support/process.ts';
import {
  type CoreProcess,
  findHost,
  livingHost,
  partitionOf,
  ready,
  startCore,
  startEdge,
} from '../support/process-fleet.ts';

const MACHINES = 3;
const ROWS_A_FILE = 300;
const SAMPLES = MACHINES * 2 * ROWS_A_FILE;
const SMD_COLUMNS =
  'cpu_r,load_1,load_5,load_15,mem_shmem,mem_u,mem_u_e,total_mem,disk_q,disk_r,disk_rb,disk_svc,' +
  'disk_u,disk_w,disk_wa,disk_wb,si,so,eth1_fi,eth1_fo,eth1_pi,eth1_po,tcp_tw,tcp_use,' +
  'active_opens,curr_estab,in_errs,in_segs,listen_overflows,out_rsts,out_segs,passive_opens,' +
  'retransegs,tcp_timeouts,udp_in_dg,udp_out_dg,udp_rcv_buf_errs,udp_snd_buf_errs';

test.serial('on Kafka and QuestDB a core streams, stores, restarts and replays', async t => {
  const brokers = await needService(t, 'kafka');
  const questDb = await needService(t, 'questdb');
  if (brokers === undefined || questDb === undefined) return;
  t.timeout(180_000);
  const run = randomUUID().slice(0, 8);
  const data = temporaryFolder(t);
  writeFileSync(join(data, 'forestay.yaml'), configuration(run, brokers, questDb));
  const start = () => startCore(t, data, ['--log', 'kafka', '--store', 'questdb']);
  const host = `e2e-${run}`;
  const rows = () => storedRows(questDb, 'samples_host_v2', `hosts/${host}`);

  const first = await start();
  await ready(first);
  const source = {root: livingHost(t), host, spool: temporaryFolder(t)};
  const edge = await startEdge(t, {core: first.grpc, ...source});
  const seen = await scored(first, host);
  await eventually('rows in QuestDB', async () => (await rows()) > 10);
  const tickBefore = await partitionOf(first, seen.partition);
  await first.stop();

  const second = await startCore(t, data, [
    ...['--log', 'kafka', '--store', 'questdb', '--listen', first.grpc],
  ]);
  await ready(second);
  t.like(await findHost(second, `hosts/${host}`), {state: 'normal', partition: seen.partition});
  const tickAfter = await eventually('another tick', async () => {
    const found = await partitionOf(second, seen.partition);
    return Number(found.tickNumber) > Number(tickBefore.tickNumber) && found;
  });
  t.true(Number(tickAfter.epoch) > Number(tickBefore.epoch));
  const {samples = 0, samples_missed = 0} = await eventually('an edge that is back', async () => {
    const counters = await edge.counters();
    return counters.connected_ratio === 1 && counters;
  });
  await edge.stop();
  await eventually('every sample in QuestDB', async () => (await rows()) >= samples);
  t.log(`${samples} samples of an edge, ${samples_missed} slots missed`);

  await replayInto(t, second, `kafka and QuestDB`, run);
  t.is(
    await eventually('the replay in QuestDB', async () => {
      const counts = await Promise.all(
        [1, 2, 3].map(machine =>
          storedRows(questDb, 'samples_smd_v1', `hosts/machine-${group(run)}-${machine}`),
        ),
      );
      const sum = counts.reduce((total, count) => total + count, 0);
      return sum >= SAMPLES && sum;
    }),
    SAMPLES,
  );
  await second.stop();
});

test.serial('the same replay on segments and sqlite', async t => {
  const core = await startCore(t, temporaryFolder(t), ['--hypervisor', 'none']);
  await ready(core);
  await replayInto(t, core, 'segments and sqlite', randomUUID().slice(0, 8));
  await core.stop();
});

function configuration(run: string, brokers: string, questDb: string): string {
  const list = brokers.split(',').map(broker => `'${broker}'`);
  return [
    `log: {kafka: {brokers: [${list}], topicPrefix: e2e-${run}}}`,
    `store: {questdb: {address: '${questDb}'}}`,
    '',
  ].join('\n');
}

function scored(core: CoreProcess, host: string) {
  return eventually('a scored host', async () => {
    const found = await findHost(core, `hosts/${host}`);
    return found?.scoreTime !== undefined && found;
  });
}

async function storedRows(address: string, table: string, entity: string): Promise<number> {
  const query = `SELECT count() FROM ${table} WHERE entity = '${entity}'`;
  const response = await fetch(`http://${address}/exec?${new URLSearchParams({query})}`);
  const {dataset} = (await response.json()) as {dataset?: [[number]]};
  return dataset?.[0][0] ?? 0;
}

/** Names hosts of the dataset's layout so that no other run has them. */
function group(run: string): number {
  return Number.parseInt(run, 16);
}

/** Replays a small cut in the dataset's layout, and says how fast it went. */
async function replayInto(
  t: ExecutionContext,
  core: CoreProcess,
  where: string,
  run: string,
): Promise<void> {
  const folder = temporaryFolder(t);
  const width = SMD_COLUMNS.split(',').length;
  const line = (row: number, machine: number) =>
    Array.from({length: width}, (_, column) => (((row + 1) * (column + machine)) % 997) / 997);
  for (let machine = 1; machine <= MACHINES; machine++) {
    for (const part of ['train', 'test']) {
      const rows = Array.from({length: ROWS_A_FILE}, (_, row) => line(row, machine).join(','));
      const name = `machine-${group(run)}-${machine}_${part}.csv.gz`;
      writeFileSync(join(folder, name), gzipSync(`${SMD_COLUMNS}\n${rows.join('\n')}\n`));
    }
  }
  const startedMs = performance.now();
  const {code, stdout, stderr} = await forestay(t, [
    ...['replay', folder, '--format', 'smd', '--server', core.grpc, '-o', 'json'],
  ]);
  const seconds = (performance.now() - startedMs) / 1000;
  t.is(code, 0, stderr);
  const totals = JSON.parse(stdout) as {scoredRows: number};
  t.like(totals, {sentSamples: SAMPLES, ackedSamples: SAMPLES, storedSamples: SAMPLES});
  t.true(totals.scoredRows > 0, stdout);
  t.log(
    `${where}: ${SAMPLES} samples stored in ${seconds.toFixed(1)} s, process and settling included: ` +
      `${Math.round(SAMPLES / seconds)} samples/s`,
  );
}
