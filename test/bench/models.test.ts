import test from 'ava';
import {models} from '../../bench/models.ts';
import {createRecordedScores} from '../../bench/support/recorded-scores.ts';
import type {Tick} from '../../core/domain/records.ts';
import type {Scorer} from '../../core/ports.ts';
import {openSession} from '../../models/session.ts';

const ARTEFACTS = new URL('../../models/artefacts/', import.meta.url).pathname;
const folderOf = (hash: string) =>
  `${ARTEFACTS}${hash === 'old' ? 'component-failure-1' : 'component-failure'}`;

/** Rows that one model was asked for, with what it gave, as risks of a tick. */
async function scored(hash: string) {
  const session = await openSession(folderOf(hash));
  const {signature} = session.model;
  const {featureCount, components} = signature;
  const features = Float32Array.from({length: 3 * featureCount}, (_, at) => (at % 13) / 13);
  const scorer: Scorer = {
    signature: () => signature,
    score: async (_hash, rows, sent) => {
      const risks = new Float32Array(rows * components.length);
      await session.run(rows, sent, risks);
      return risks;
    },
    explain: () => Promise.reject(new Error('nobody asks')),
    close: () => session.release(),
  };
  return {scorer, features, width: components.length};
}

const tickOf = (modelHash: string, risks: Float32Array, width: number) =>
  ({
    modelHash,
    risks: [0, 1, 2].map(row => ({
      host: `h${row}`,
      risks: risks.slice(row * width, (row + 1) * width),
    })),
  }) as unknown as Tick;

test('risks of the model that a host had are right, those of another one are found, and made-up ones too', async t => {
  const recorded = createRecordedScores();
  recorded.keepTicks();
  const {scorer, features, width} = await scored('old');
  t.teardown(() => scorer.close());
  const risks = await recorded.watch(scorer).score('old', 3, features);
  recorded.tick(tickOf('old', risks, width));
  t.deepEqual(await recorded.check(folderOf), {risks: 3, wrong: 0, alike: 0});
  recorded.keepTicks();
  recorded.tick(tickOf('new', risks, width));
  t.like(await recorded.check(folderOf), {risks: 6, wrong: 3, alike: 3});
  recorded.keepTicks();
  recorded.tick(
    tickOf(
      'old',
      risks.map(risk => risk + 1e-6),
      width,
    ),
  );
  t.like(await recorded.check(folderOf), {risks: 9, wrong: 6});
});

test('a switch while hosts are scored is timed, and every risk is of the model that its host had', async t => {
  const options = {hosts: '128', rate: '2', threads: '1', runs: '1', switches: '2', seconds: '1'};
  const {metrics, failures} = await models.run({options, operands: []});
  t.deepEqual(failures, []);
  t.true((metrics['switch.checkedRisks'] ?? 0) > 200);
  t.is(metrics['switch.wrongRisks'], 0);
  t.is(metrics['switch.indistinctRisks'], 0);
  for (const name of ['opening', 'switching']) {
    t.true((metrics[`switch.takenMs.${name}`] ?? 0) > 0, name);
    t.true((metrics[`switch.decisionMs.${name}.p99`] ?? 0) > 0, name);
  }
  t.true((metrics['shadow.cpuMsPer1000Rows'] ?? 0) > 0);
});
