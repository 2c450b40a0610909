import test from 'ava';
import {DEFAULT_SEED} from '../../cli/demo.ts';
import {Story} from '../../cli/demo-story.ts';
import {systemClock} from '../../core/adapters/clock-system.ts';
import {seededRandom} from '../../core/adapters/random-seeded.ts';
import {openIntentThread} from '../../edge/intent-thread.ts';
import {createTreesScorer} from '../../models/scorer-trees.ts';
import {createHarness, START_MS} from '../support/fleet-harness.ts';

const shipped = (name: string) =>
  new URL(`../../models/artefacts/${name}`, import.meta.url).pathname;

test('the default seed shows a cordon before a failure, an intended reboot that was seen ahead, moves, a ghost through its life, and a restraint', async t => {
  t.timeout(240_000);
  const lost: string[] = [];
  const cordoned: string[] = [];
  const foreseen: string[] = [];
  const rebooted: string[] = [];
  const story = new Story({
    tell({subject, text}) {
      if (text.startsWith('cordoned')) cordoned.push(subject);
      if (text.startsWith('lost') && cordoned.includes(subject)) foreseen.push(subject);
      if (text.startsWith('lost')) lost.push(subject);
      if (text.startsWith('intended reboot, seen')) rebooted.push(text);
    },
    wasMeant: name =>
      harness.world.hosts.find(host => host.name === name)?.outages.at(-1)?.cause === 'planned',
  });
  const intent = await openIntentThread({
    folder: shipped('reboot-intent'),
    clock: systemClock,
    random: seededRandom(DEFAULT_SEED),
  });
  const harness = await createHarness({
    seed: DEFAULT_SEED,
    scorer: await createTreesScorer(shipped('component-failure')),
    world: {intents: 'usual'},
    intent,
    runtime: {onTick: tick => story.tick(tick)},
  });
  await harness.seconds(3600);
  await intent.close();
  const {migrations, ghostsArmed, ghostsActivated, failBacks, restraints} = story.acts;
  t.log(story.acts, rebooted, harness.world.ledger.summary(START_MS + 3_600_000));
  t.true(lost.length > 0 && foreseen.length > 0);
  t.true(migrations > 0 && ghostsArmed > 0 && ghostsActivated > 0 && failBacks > 0);
  t.true(restraints > 0 && rebooted.length > 0);
  t.deepEqual(harness.world.ledger.details(START_MS + 3_600_000).violations, []);
});
