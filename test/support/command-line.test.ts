import test from 'ava';
import {knownWord, positiveNumber, WrongUse, wholeNumber} from './command-line.ts';
import {countOf, openProgress, progressLine} from './progress.ts';

test('a number of the command line is one, within its bounds; else its flag is named', t => {
  t.is(wholeNumber('--n', '12'), 12);
  t.is(wholeNumber('--n', '0', 0), 0);
  for (const text of ['abc', '', ' ', '1.5', '0', '1e99', undefined]) {
    t.throws(() => wholeNumber('--n', text), {instanceOf: WrongUse, message: /^--n /}, text);
  }
  t.is(positiveNumber('--n', '0.5'), 0.5);
  for (const text of ['abc', '', '0', '-1', 'Infinity']) {
    t.throws(() => positiveNumber('--n', text), {instanceOf: WrongUse, message: /^--n /}, text);
  }
  t.throws(() => knownWord('-o', 'xml', ['text', 'json']), {message: /xml.* text, json/});
});

test('how far a run is has a rate and an estimate as soon as there is one', t => {
  const line = (done: number, total: number, elapsedMs: number) =>
    progressLine({unit: 'seed', total, done, failed: 0, elapsedMs});
  t.is(line(0, 30, 4_000), '0 of 30 seeds, 0 failed, 4 s so far');
  t.is(line(15, 30, 30_000), '15 of 30 seeds, 0 failed, 0.50 a second, 30 s left');
  t.is(line(1_000, 61_000, 10_000), '1,000 of 61,000 seeds, 0 failed, 100 a second, 10 min left');
  t.is(line(1, 10_000, 1_000), '1 of 10,000 seeds, 0 failed, 1.0 a second, 2 h 47 min left');
  t.is(countOf(1, 'seed'), '1 seed');
});

test('a terminal has one line that is rewritten, within its width; anything else has lines', t => {
  const write = (isTTY: boolean): string => {
    const written: string[] = [];
    const output = {isTTY, columns: 12, write: (text: string) => written.push(text) > 0};
    const options = {unit: 'case', total: 9, so: () => ({done: 3, failed: 1}), nowMs: () => 1_000};
    const progress = openProgress({...options, output});
    progress.say('a line');
    progress.tell();
    progress.end();
    return written.join('').replaceAll('\r\u001b[2K', '<');
  };
  t.is(write(true), '<3 of 9 case<a line\n<3 of 9 case<');
  t.is(write(false), 'a line\n3 of 9 cases, 1 failed, 0 s so far\n');
});
