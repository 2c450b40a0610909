import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {eventually, launch, temporaryFolder} from '../support/process.ts';
import {
  type Actor,
  type CoreProcess,
  EAGER,
  type EdgeProcess,
  findHost,
  livingHost,
  partitionOf,
  readSqlite,
  startCore,
  startEdge,
} from '../support/process-fleet.ts';

const BUSY_ROWS = 200_000;
const HOST = 'hosts/h01';

test('SIGTERM under load drains; a restart goes on where it was, and nothing is lost', async t => {
  const data = temporaryFolder(t);
  writeFileSync(join(data, 'forestay.yaml'), EAGER);
  const first = await startCore(t, data);
  const source = {root: livingHost(t), host: 'h01', spool: temporaryFolder(t)};
  const edge = await startEdge(t, {core: first.grpc, ...source});
  const before = await hostAtRisk(first);
  const entered = await enteredAt(first);
  const tickBefore = await partitionOf(first, before.partition);
  const load = await startLoad(t, first);
  await first.stop();

  const second = await startCore(t, data, ['--listen', first.grpc]);
  const after = await eventually('the host', () => findHost(second, HOST));
  t.like(after, {name: HOST, state: 'at-risk', partition: before.partition});
  const tickAfter = await eventually('another tick', async () => {
    const found = await partitionOf(second, before.partition);
    return Number(found.tickNumber) > Number(tickBefore.tickNumber) && found;
  });
  t.true(Number(tickAfter.epoch) > Number(tickBefore.epoch));
  t.is(await enteredAt(second), entered, 'the actor is the one it was');

  // What is stored is counted from a core's start: the second has not stored what the first has.
  const {stdout, stderr} = await load.exit(60_000);
  t.not(stdout, '', stderr);
  const sent = JSON.parse(stdout) as Record<string, number>;
  t.like(sent, {sentSamples: BUSY_ROWS, ackedSamples: BUSY_ROWS});
  const {samples = 0, samples_missed = 0} = await connected(edge);
  await edge.stop();
  await second.stop();

  const [table] = readSqlite<{name: string}>(
    data,
    "SELECT name FROM sqlite_master WHERE name LIKE 'samples_csv%'",
  );
  t.deepEqual(readSqlite(data, `SELECT count(*) AS rows FROM "${table?.name}"`), [
    {rows: BUSY_ROWS},
  ]);
  everySampleIsThere(t, data, samples, samples_missed);
});

function hostAtRisk(core: CoreProcess) {
  return eventually('a host at risk', async () => {
    const found = await findHost(core, HOST);
    return found?.state === 'at-risk' && found;
  });
}

async function enteredAt(core: CoreProcess): Promise<number> {
  const {context} = await core.ask<Actor>('inspect', 'actor', HOST);
  return (JSON.parse(context) as {enteredAtMs: number}).enteredAtMs;
}

/** As much as one sender can give, so that a signal comes in the middle of it. */
async function startLoad(t: ExecutionContext, core: CoreProcess) {
  const folder = temporaryFolder(t);
  const lines = Array.from({length: BUSY_ROWS}, (_, row) => `${1_700_000_000 + row},${row % 97}`);
  writeFileSync(join(folder, 'busy.csv'), `timestamp,requests\n${lines.join('\n')}\n`);
  const load = launch(t, [
    ...['replay', folder, '--format', 'csv', '--server', core.grpc],
    ...['-o', 'json', '--drain-timeout', '1'],
  ]);
  await eventually('load', async () => {
    const metrics = await (await fetch(`http://${core.http}/metrics`)).text();
    return /^forestay_samples_ingested_total\{cell="replay"\} [1-9]/m.test(metrics);
  });
  return load;
}

function connected(edge: EdgeProcess) {
  return eventually('an edge that is back', async () => {
    const counters = await edge.counters();
    return counters.connected_ratio === 1 && counters;
  });
}

/** The first `samples` that an edge took fill every slot of its interval but those it missed. */
function everySampleIsThere(
  t: ExecutionContext,
  data: string,
  samples: number,
  missed: number,
): void {
  const rows = readSqlite<{ts: number}>(
    data,
    'SELECT ts FROM samples_host_v2 WHERE entity = ? ORDER BY ts',
    HOST,
  );
  t.true(rows.length >= samples, `${rows.length} rows of at least ${samples} samples`);
  const [first, last] = [rows[0]?.ts ?? 0, rows[samples - 1]?.ts ?? 0];
  t.is(Math.round((last - first) / 100) + 1, samples + missed);
  const batches = readSqlite<{incarnation: number; seq: number}>(
    data,
    "SELECT DISTINCT incarnation, seq FROM samples_host_v2 WHERE edge = 'h01' ORDER BY seq",
  );
  t.is(new Set(batches.map(({incarnation}) => incarnation)).size, 1);
  t.is(batches.at(-1)?.seq, (batches[0]?.seq ?? 0) + batches.length - 1, 'no batch is missing');
}
