import test from 'ava';
import {forestay} from '../support/process.ts';

/** In the order in which the audit log must have them; others may be between. */
const STEPS = [
  /demo +promote/,
  /50 hosts of a new generation arrive/,
  /keeper +drift .*gen-2/,
  /keeper +training-began/,
  /keeper +added/,
  /keeper +challenge/,
  /keeper +judged better/,
  /keeper +canary 25 %/,
  /keeper +judged better/,
  /keeper +promote/,
  /somebody +added/,
  /somebody +challenge/,
  /keeper +judged not better/,
  /keeper +withdraw/,
  /keeper +refused/,
];

type Drift = {
  detectedAfterSeconds: number;
  promotedAfterSeconds: number;
  skillBefore: number;
  skillDuring: number;
  skillAfter: number;
  skillAfterWithoutChange: number;
  badModelRefused: boolean;
};

test('new hardware is seen to be strange to the model, which is replaced by itself, recovers, and is kept from a bad one', async t => {
  // Under two minutes on a machine that does nothing else.
  t.timeout(600_000);
  const {code, stdout, stderr} = await forestay(t, ['demo', '--drift', '--headless', '--json'], {
    withinMs: 590_000,
  });
  t.log(stderr);
  t.is(code, 0, stderr);
  t.regex(stdout, /^\{[^\n]*\}\n$/);
  const outcome = JSON.parse(stdout) as {drift: Drift};
  t.deepEqual(Object.keys(outcome), [
    ...['seed', 'journalSha256', 'acts', 'forestay', 'reactive'],
    'drift',
  ]);
  const {drift} = outcome;
  t.deepEqual(Object.keys(drift), [
    ...['detectedAfterSeconds', 'promotedAfterSeconds'],
    ...['skillBefore', 'skillDuring', 'skillAfter'],
    ...['skillAfterWithoutChange', 'badModelRefused'],
  ]);
  t.true(drift.detectedAfterSeconds > 0);
  t.true(drift.promotedAfterSeconds > drift.detectedAfterSeconds);
  t.true(drift.skillBefore > drift.skillDuring, 'the new hardware does harm');
  t.true(drift.skillAfter > drift.skillDuring, 'and the new model undoes it');
  t.true(drift.skillAfter > drift.skillAfterWithoutChange, 'on the very same rows, too');
  t.true(drift.badModelRefused);
  let from = 0;
  const lines = stderr.split('\n');
  const until = (step: RegExp) => lines.findIndex(line => step.test(line));
  const beside = lines.slice(until(/somebody +challenge/), until(/keeper +refused/) + 1);
  t.true(beside.length >= 4);
  t.false(/canary|promote/.test(beside.join()), 'the bad model never scores hosts');
  for (const step of STEPS) {
    const found = lines.findIndex((line, at) => at >= from && step.test(line));
    t.true(found >= 0, `${step} after line ${from}`);
    from = found + 1;
  }
  t.false(/canary|rollback/.test(lines.slice(from).join()), 'nothing is tried after the refusal');
});
