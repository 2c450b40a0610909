import test from 'ava';
import {createProgress} from '../../cli/train-progress.ts';

function draw(isTerminal: boolean) {
  let text = '';
  const progress = createProgress({
    isTerminal,
    write: more => {
      text += more;
    },
  });
  progress.note('begun');
  progress.show('fleets', 0.5);
  progress.show('fleets', 0.5);
  progress.show('fleets', 1);
  progress.note('done');
  return text;
}

test('on a terminal one line is drawn over itself, and gone before a line that stays', t => {
  const [half, full] = [`${'#'.repeat(15)}${'.'.repeat(15)}`, '#'.repeat(30)];
  t.is(
    draw(true),
    `train: begun\n\r\u001b[2K[${half}]  50 % fleets\r\u001b[2K[${full}] 100 % fleets` +
      '\r\u001b[2Ktrain: done\n',
  );
});

test('a log gets lines only', t => {
  t.is(draw(false), 'train: begun\ntrain: done\n');
});
