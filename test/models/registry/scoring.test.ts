import {join} from 'node:path';
import test from 'ava';
import {COMPONENT_CONTRACT, featuresOf} from '../../../core/domain/features.ts';
import {INTENT_INPUTS} from '../../../core/domain/host-metrics.ts';
import {RISK_OUTPUTS, riskColumn} from '../../../core/domain/reboot-risks.ts';
import {openIntentModel} from '../../../edge/intent-model.ts';
import type {FailureData} from '../../../models/failure/data.ts';
import {COMPONENT_OUTLOOK} from '../../../models/failure/family.ts';
import {scoreOutputs} from '../../../models/failure/scoring.ts';
import {loadModel} from '../../../models/load-model.ts';
import {createUniform} from '../../../models/random.ts';
import {judgeFailureRows, scoreFailureRows} from '../../../models/registry/score-failure.ts';
import {
  judgedRisks,
  judgeIntentRows,
  scoreIntentRows,
} from '../../../models/registry/score-intent.ts';
import type {TreeModel} from '../../../models/trees/tree-model.ts';
import {ARTEFACTS} from './fixtures.ts';

const random = createUniform(17);
const draw = (length: number) =>
  Float32Array.from({length}, () => (random() < 0.1 ? Number.NaN : random()));

test('lives that are scored side by side have the risks that an agent tells, row by row', async t => {
  const folder = join(ARTEFACTS, 'reboot-intent');
  const columns = INTENT_INPUTS.length;
  const starts = Uint32Array.of(0, 4, 4, 11, 13);
  const rows = 13;
  const lives = {
    rows,
    columns,
    features: draw(rows * columns),
    starts,
    second: Int32Array.from({length: rows}, (_, row) => 10 * row),
    secondsToDown: new Float32Array(rows).fill(Number.POSITIVE_INFINITY),
    cause: new Uint8Array(rows),
  };
  lives.secondsToDown[3] = 200;
  lives.cause[3] = 1;
  const {risks, p99Ms} = await scoreIntentRows(folder, lives);
  t.true(p99Ms > 0);
  const agent = await openIntentModel(folder);
  for (let life = 0; life + 1 < starts.length; life++) {
    const state = new Float32Array(agent.stateLength);
    for (let row = starts[life] as number; row < (starts[life + 1] as number); row++) {
      const told = await agent.next(
        lives.features.slice(row * columns, (row + 1) * columns),
        state,
      );
      for (const [output, risk] of told.entries()) {
        t.true(Math.abs(risk - (risks[row * RISK_OUTPUTS.length + output] as number)) < 1e-5);
      }
    }
  }
  await agent.release();
  const {outputs, labels, block} = judgeIntentRows(lives, [4, 9]);
  t.deepEqual([...block], [0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1]);
  const positive = outputs.filter((_, at) => labels[3 * outputs.length + at] === 1);
  t.deepEqual(positive, ['intentional-5min', 'intentional-15min', 'intentional-30min']);
  const picked = judgedRisks(risks);
  const at = outputs.indexOf('crash-15min');
  t.is(picked[3 * outputs.length + at], risks[3 * RISK_OUTPUTS.length + riskColumn('crash', 15)]);
});

test('rows of parts have the risks that are served, longer horizons not below shorter ones', async t => {
  const folder = join(ARTEFACTS, 'component-outlook');
  const rows = 300;
  const data: FailureData = {
    rows,
    contract: COMPONENT_CONTRACT,
    outputs: COMPONENT_OUTLOOK.outputs,
    features: draw(rows * featuresOf(COMPONENT_CONTRACT).length),
    labels: new Uint8Array(rows * COMPONENT_OUTLOOK.outputs.length),
    secondsToFailure: new Float32Array(rows).fill(Number.POSITIVE_INFINITY),
    group: Int32Array.from({length: rows}, (_, row) => row % 2),
    second: Int32Array.from({length: rows}, (_, row) => 3600 * row),
  };
  const {risks} = await scoreFailureRows(folder, data);
  const {trees} = await loadModel(folder);
  const expected = scoreOutputs(trees as TreeModel, data);
  t.is(risks.length, expected.length);
  t.true(risks.every((risk, at) => Math.abs(risk - (expected[at] as number)) < 1e-5));
  // 300 hours are 13 days of two hosts.
  t.is(new Set(judgeFailureRows(data).block).size, 26);
  const {outputs} = COMPONENT_OUTLOOK;
  const first = {...data, outputs: outputs.slice(2, 3), labels: new Uint8Array(rows)};
  const {risks: one} = await scoreFailureRows(folder, first);
  t.true(
    one.every((risk, row) => Math.abs(risk - (risks[row * outputs.length + 2] as number)) < 1e-6),
  );
});
