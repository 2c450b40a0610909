/** The prediction does the work, not a script: the same world with a scorer that knows nothing. */
import {fileURLToPath} from 'node:url';
import test from 'ava';
import {type DemoOptions, runDemo} from '../../cli/demo-run.ts';
import {createPiscinaScorer} from '../../core/adapters/scorer-piscina.ts';
import {createConstantScorer} from '../../models/scorer-trees.ts';

const MODEL = fileURLToPath(new URL('../../models/artefacts/component-failure', import.meta.url));

/** One of eight hosts loses a disk after some nine minutes. */
const world: Omit<DemoOptions, 'openScorer'> = {
  seed: 2,
  hosts: 8,
  vms: 40,
  durationMs: 15 * 60_000,
  speed: Number.POSITIVE_INFINITY,
  faults: ['disk'],
  thisMachine: false,
  tell: () => {},
};

test('with a constant for a scorer nothing is done ahead, and VMs are down for longer', async t => {
  const predicted = await runDemo({
    ...world,
    openScorer: () => createPiscinaScorer({modelPath: MODEL, threads: 1}),
  });
  // Five components of 0.01 each stay below the band of a risky host.
  const constant = await runDemo({...world, openScorer: async () => createConstantScorer(0.01)});
  t.is(predicted.details.hostFailures, 1);
  t.is(constant.details.hostFailures, 1);
  t.deepEqual(constant.reactive, predicted.reactive, 'the same draws');

  t.true(predicted.acts.cordons > 0 && predicted.acts.migrations > 0);
  t.true(predicted.forestay.leadTimeSecondsP50 > 0);
  t.deepEqual(new Set(Object.values(constant.acts)), new Set([0]));
  t.is(constant.forestay.migrations, 0);
  t.is(constant.forestay.missedFailures, 1);
  t.true(constant.forestay.vmDowntimeSeconds > predicted.forestay.vmDowntimeSeconds);
  t.true(constant.forestay.interruptions > predicted.forestay.interruptions);
  const {vmDowntimeSeconds: reactive} = constant.reactive;
  t.true(
    Math.abs(constant.forestay.vmDowntimeSeconds - reactive) < 0.1 * reactive,
    'what cannot be foreseen is healed as ordinary HA does',
  );
  t.deepEqual([...predicted.details.violations, ...constant.details.violations], []);
  t.log(
    `VM downtime: ${predicted.forestay.vmDowntimeSeconds.toFixed(1)} s predicted, ` +
      `${constant.forestay.vmDowntimeSeconds.toFixed(1)} s with a constant, ` +
      `${constant.reactive.vmDowntimeSeconds.toFixed(1)} s reactive`,
  );
});
