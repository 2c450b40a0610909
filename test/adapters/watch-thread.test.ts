import test from 'ava';
import {createWatchThread} from '../../core/adapters/watch-thread.ts';
import {FleetWatch, type MinuteRows} from '../../core/domain/anomaly/fleet-watch.ts';
import {createFleet} from '../domain/minute-rows.ts';

const settings = {oddMinutesPerHostDay: 5};

test('a watch in a thread says what one in this thread says, in the order of the questions', async t => {
  const thread = createWatchThread(settings);
  t.teardown(() => thread.close());
  const here = new FleetWatch(settings);
  const [one, other] = [createFleet({}), createFleet({})];
  const answers = await Promise.all(Array.from({length: 120}, () => thread.observe(one.next())));
  for (const answer of answers) t.deepEqual(answer, here.observe(other.next()));
  t.true(answers.some(({learned}) => learned > 0));
});

test('a thread that ends fails what it has not answered, and the next rows begin anew', async t => {
  const thread = createWatchThread(settings);
  t.teardown(() => thread.close());
  const fleet = createFleet({hosts: 3});
  t.is((await thread.observe(fleet.next())).anomalies.length, 3);
  const broken = {...fleet.next(), hosts: undefined} as unknown as MinuteRows;
  await t.throwsAsync(thread.observe(broken), {code: 'SCORER_FAILED'});
  const {anomalies} = await thread.observe(fleet.next());
  t.deepEqual(
    anomalies.map(({learnedRows}) => learnedRows),
    [3, 3, 3],
  );
});

test('closing fails what waits, at once, and whatever comes later', async t => {
  const thread = createWatchThread(settings);
  const waiting = thread.observe(createFleet({}).next());
  const failed = t.throwsAsync(waiting, {code: 'SCORER_FAILED'});
  await thread.close();
  await failed;
  await t.throwsAsync(thread.observe(createFleet({}).next()), {code: 'SCORER_FAILED'});
  await thread.close();
});
