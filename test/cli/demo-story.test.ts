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
