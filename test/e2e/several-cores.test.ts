/**
 * Two cores, then a third, in one group of owners on a real Kafka: one is killed, one sleeps and
 * wakes up as a zombie, the database fails in all its ways. The long form is test/chaos/main.ts.
 */
import test from 'ava';
import {ACTS} from '../chaos/acts.ts';
import {runChaos} from '../chaos/run.ts';
import {mayStartService} from '../services/need.ts';
import {countFindings, showFindings} from '../support/audit.ts';

const SEED = Number(process.env.FORESTAY_TEST_SEED ?? 4);
const SCRIPT = ['kill a core', 'a core sleeps', 'QuestDB answers', 'kill a core'];

test('of several cores one may die, sleep or be cut off: nothing is lost, nothing is done twice', async t => {
  if (!mayStartService(t, 'kafka') || !mayStartService(t, 'questdb')) return;
  t.timeout(12 * 60_000, 'several cores');
  const script = SCRIPT.map(name => ACTS.find(act => act.name.startsWith(name)));
  const {findings, takeovers, figures} = await runChaos(t, {
    seed: SEED,
    cores: 3,
    hosts: 12,
    cells: 6,
    speed: 10,
    next: () => script.shift(),
    say: line => t.log(line),
  });
  t.log(`seed ${SEED}: ${JSON.stringify(figures)}`);
  t.log(`takeovers, to the first decision: ${takeovers.map(one => one.decisionMs).join(', ')} ms`);
  t.deepEqual(showFindings(findings), [], JSON.stringify(countFindings(findings)));
  t.is(figures.ackedSamplesLost, 0);
  t.is(figures.rowsInQuestDb, figures.rowsSent);
  t.true((figures.ackedSamples ?? 0) > 1_000 && (figures.effectsBegun ?? 0) > 10, 'there was work');
  t.true(takeovers.length > 0, 'partitions went to another core');
});
