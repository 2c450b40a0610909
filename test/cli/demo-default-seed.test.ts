import test from 'ava';
import {DEFAULT_SEED} from '../../cli/demo.ts';
import {Story} from '../../cli/demo-story.ts';
import {createTreesScorer} from '../../models/scorer-trees.ts';
import {createHarness, START_MS} from '../support/fleet-harness.ts';

const MODEL = new URL('../../models/artefacts/component-failure', import.meta.url).pathname;

test('the default seed shows a cordon before a failure, moves, a ghost through its life, and a restraint', async t => {
  t.timeout(240_000);
  const lost: string[] = [];
  const cordoned: string[] = [];
  const foreseen: string[] = [];
  const story = new Story({
    tell({subject, text}) {
      if (text.startsWith('cordoned')) cordoned.push(subject);
      if (text.startsWith('lost') && cordoned.includes(subject)) foreseen.push(subject);
      if (text.startsWith('lost')) lost.push(subject);
    },
  });
  const harness = await createHarness({
    seed: DEFAULT_SEED,
    scorer: await createTreesScorer(MODEL),
    runtime: {onTick: tick => story.tick(tick)},
  });
  await harness.seconds(3600);
  const {migrations, ghostsArmed, ghostsActivated, failBacks, restraints} = story.acts;
  t.log(story.acts, harness.world.ledger.summary(START_MS + 3_600_000));
  t.true(lost.length > 0 && foreseen.length > 0);
  t.true(migrations > 0 && ghostsArmed > 0 && ghostsActivated > 0 && failBacks > 0);
  t.true(restraints > 0);
  t.deepEqual(harness.world.ledger.details(START_MS + 3_600_000).violations, []);
});
