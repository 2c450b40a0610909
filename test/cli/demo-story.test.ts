import test from 'ava';
import {Story, type StoryLine} from '../../cli/demo-story.ts';
import {aMove, aTick, START_MS} from '../api/records.ts';

test('a story says when nothing happens, so that nobody thinks that it stands still', t => {
  const told: StoryLine[] = [];
  const story = new Story({tell: line => told.push(line)});
  const risk = JSON.stringify({risk: 0.5, component: 'disk'});
  for (let second = 1; second <= 13 * 60; second++) {
    const move = aMove('hosts/h1', 1, 'normal', 'at-risk.watching');
    const transitions = second === 360 ? [{...move, context: risk}] : [];
    story.tick(aTick(second, {transitions}));
  }
  t.deepEqual(
    told.map(({atMs, tone, text}) => [(atMs - START_MS) / 1000, tone, text]),
    [
      [301, 'quiet', 'nothing new for 5 minutes; hosts at risk: none'],
      [360, 'warn', 'at risk: 50 % within 30 min, most of all its disk'],
      [660, 'quiet', 'nothing new for 5 minutes; hosts at risk: h1'],
    ],
  );
});

test('an intended reboot is told with how long before it was seen, and with what was left on the host', t => {
  const told: string[] = [];
  const story = new Story({tell: ({text}) => told.push(text), wasMeant: host => host !== 'h3'});
  const moved = (host: string, event: string, component = 'disk') => ({
    ...aMove(`hosts/${host}`, 1, 'normal', 'at-risk.watching'),
    event,
    context: JSON.stringify({risk: 0.8, component}),
  });
  story.tick(aTick(1, {transitions: [moved('h1', 'risk.raised', 'reboot')]}));
  story.tick(
    aTick(241, {transitions: ['h1', 'h2', 'h3'].map(host => moved(host, 'host.suspected'))}),
  );
  t.deepEqual(told, [
    'at risk: 80 % within 30 min, most of all an intended reboot',
    'intended reboot, seen 4 min ahead; no VM was left on it',
    'intended reboot, not seen coming; no VM was left on it',
    'silent; nobody knows yet whether it is dead',
  ]);
});
