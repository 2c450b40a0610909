/**
 * kill -9 in a loop, on the machine's own file system: a core on segments and sqlite, a simulated
 * datacenter with its edges, actuators and tables of effects, and an edge as hosts have it. Nothing
 * is waited for between two kills but a moment drawn from a seed, so that processes die while they
 * start, recover, write and act.
 */
import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {seededRandom} from '../../core/adapters/random-seeded.ts';
import {freePort} from '../services/java-process.ts';
import {audit, countFindings, showFindings} from '../support/audit.ts';
import {BUSY, launchDatacenter} from '../support/datacenter-process.ts';
import {dumpSegments, readStored} from '../support/dump-segments.ts';
import {fold} from '../support/kept.ts';
import {eventually, forestay, launch, type Program, temporaryFolder} from '../support/process.ts';
import {livingHost, readSqlite} from '../support/process-fleet.ts';
import {readTold} from '../support/told.ts';

const SEED = Number(process.env.FORESTAY_TEST_SEED ?? 11);
const KILLS = Number(process.env.FORESTAY_TEST_KILLS ?? 16);
const MOMENT_MS_MAX = 4_000;
const LAST_WORK_MS = 6_000;
const START_MS_MAX = 120_000;
const EDGE = 'm01';

test.serial(
  'killed at any moment, again and again: nothing is lost, nothing is done twice',
  async t => {
    t.timeout(2 * START_MS_MAX + KILLS * 12_000);
    t.log(`seed ${SEED}, ${KILLS} kills`);
    const random = seededRandom(SEED);
    const {core, data, oracle, launchers} = await openPlace(t);
    const running = launchers.map(start => start());
    await eventually('effects', () => readTold(oracle).effects.length > 3, START_MS_MAX);
    let kills = 0;
    while (kills < KILLS) {
      await sleep(random.next() * MOMENT_MS_MAX);
      for (const [index, start] of launchers.entries()) {
        // Mostly one of them; sometimes all at once.
        if (random.next() > 0.4) continue;
        (running[index] as Program).signal('SIGKILL');
        await (running[index] as Program).exit();
        running[index] = start();
        kills++;
      }
    }
    await (running[0] as Program).said(/core serves/, START_MS_MAX);
    await forestay(t, ['pause', '--comment', 'the end', '--server', core]);
    await sleep(LAST_WORK_MS);
    await stopInOrder(t, running as [Program, Program, Program]);

    const told = readTold(oracle);
    const kept = fold(await dumpSegments(data));
    const findings = audit(told, kept, readStored(data));
    t.log(
      `${kills} kills; ${told.acked.length} of ${told.batches.size} batches acked, ` +
        `${kept.transitions.length} transitions, ${told.effects.length} effects begun`,
    );
    t.deepEqual(showFindings(findings), [], JSON.stringify(countFindings(findings)));
    t.true(told.acked.length > 100 && kept.transitions.length > 20, 'there was something to lose');
    everyBatchOfTheEdgeIsStoredOnce(t, data);
  },
);

/** Where they live, and how each of the three is started there, again and again. */
async function openPlace(t: ExecutionContext) {
  const [data, state, spool] = [temporaryFolder(t), temporaryFolder(t), temporaryFolder(t)];
  writeFileSync(join(data, 'forestay.yaml'), BUSY);
  const core = `127.0.0.1:${await freePort()}`;
  const oracle = join(state, 'oracle');
  const root = livingHost(t);
  const flags = {seed: SEED, hosts: 12, cells: 3, speed: 20, cores: [core], state, oracle};
  const edge = ['edge', '--core', core, '--root', root, '--host', EDGE, '--cell', 'live'];
  return {
    core,
    data,
    oracle,
    launchers: [
      () =>
        launch(t, ['core', '--data', data, '--listen', core, '--http', '127.0.0.1:0'], {cwd: data}),
      () => launchDatacenter(t, flags),
      () => launch(t, [...edge, '--spool', spool, '--interval', '100ms']),
    ],
  };
}

/** The edges send what they have, then the core stores it. */
async function stopInOrder(
  t: ExecutionContext,
  [core, datacenter, edge]: [Program, Program, Program],
): Promise<void> {
  for (const program of [datacenter, edge, core]) {
    program.signal('SIGTERM');
    const {code, stderr} = await program.exit();
    t.is(code, 0, stderr.slice(-2_000));
  }
}

function everyBatchOfTheEdgeIsStoredOnce(t: ExecutionContext, data: string): void {
  const lives = readSqlite<{incarnation: number; first: number; last: number; rows: number}>(
    data,
    'SELECT incarnation, min(seq) AS first, max(seq) AS last, count(*) AS rows ' +
      'FROM samples_host_v2 WHERE edge = ? GROUP BY incarnation',
    EDGE,
  );
  t.true(lives.length > 1, 'the edge lived more than once');
  for (const {incarnation, first, last, rows} of lives) {
    t.deepEqual([first, last], [1, rows], `life ${incarnation}`);
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms));
}
