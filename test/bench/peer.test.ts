import {join} from 'node:path';
import test from 'ava';
import {readRun} from '../../bench/peer/java.ts';
import {runPlain} from '../../bench/peer/plain.ts';
import {runJob} from '../../bench/peer/run.ts';
import {differences, missedGoals} from '../../bench/peer.ts';

const SAMPLES = 300_000;
const models = join(import.meta.dirname, '../../bench/peer/models');

for (const model of ['mlp', 'forest']) {
  test.serial(`a core comes to what the plain loop comes to: ${model}`, async t => {
    t.timeout(180_000);
    const modelPath = join(models, model);
    const loop = await runPlain(join(modelPath, 'model.onnx'), SAMPLES);
    const {outcome, problems, samplesPerSecond} = await runJob({
      log: {kind: 'segments'},
      modelPath,
      samples: SAMPLES,
      warmUpSamples: 0,
      tickMs: 50,
      rowsPerTask: 512,
      stepsPerMessage: 16,
    });
    t.deepEqual(problems, []);
    t.true(loop.transitions > 0 && loop.scores === 36_400);
    t.deepEqual(differences(model, outcome, loop), []);
    t.true(samplesPerSecond > 0);
  });
}

test('the loop does what the peers were seen to do', async t => {
  const loop = await runPlain(join(models, 'mlp/model.onnx'), 6_000_000);
  t.is(loop.scores, 1_176_400);
  t.is(loop.transitions, 19_946);
  t.true(Math.abs(loop.scoreSum - 299_721.95) < 0.1);
});

test('a difference is found and named', t => {
  const wanted = {scores: 10_000, scoreSum: 5000, transitions: 500};
  t.deepEqual(differences('x', {...wanted, scoreSum: 5000.4, transitions: 501}, wanted), []);
  t.regex(differences('x', {...wanted, scores: 9999}, wanted).join(), /9999 scores, not 10000/);
  t.regex(differences('x', {...wanted, scoreSum: 5001}, wanted).join(), /sum up to 5001/);
  t.regex(differences('x', {...wanted, transitions: 502}, wanted).join(), /502 transitions/);
});

test('costs are read from what the Java programs print', t => {
  const output = [
    'RESULT C {} pass0 samples=6 wall=1s rate=1/s cpu_us=0.900 broker_cpu_us=0.000 scores/s=1',
    'CHECK scores=1176400 transitions=19946 sumP=299721.95',
    'RESULT C {} pass1 samples=6 wall=1s rate=1/s cpu_us=0.340 broker_cpu_us=0.000 scores/s=1',
    'RESULT C {} pass2 samples=6 wall=1s rate=1/s cpu_us=0.330 broker_cpu_us=0.000 scores/s=1',
    'RESULT C {} pass3 samples=6 wall=1s rate=1/s cpu_us=0.360 broker_cpu_us=0.000 scores/s=1',
  ].join('\n');
  t.deepEqual(readRun(output, 1), {
    cpuMicrosPerSample: 0.34,
    outcome: {scores: 1_176_400, transitions: 19_946, scoreSum: 299_721.95},
  });
  t.true(Number.isNaN(readRun('', 0).cpuMicrosPerSample));
});

test('a goal is missed when the middle of the runs misses it', t => {
  const segments = (...runs: number[]) => ({'peer.segments.cpuMicrosPerSample': runs});
  t.deepEqual(missedGoals(segments(0.35, 0.41, 0.36)), []);
  t.regex(missedGoals(segments(0.41, 0.35, 0.42))[0] ?? '', /costs 0\.410 .* the goal is 0\.4/);
  t.deepEqual(missedGoals({}), []);
});
