import test from 'ava';
import {
  liftRestraint,
  NO_RESTRAINT,
  type Restraint,
  stepRestraint,
} from '../../../core/domain/skill/restraint.ts';
import type {Verdict} from '../../../core/domain/skill/skill-verdict.ts';

/** Verdicts in order, each of a model; `lift` is an operator's word. */
function through(steps: readonly (readonly [Verdict['verdict'] | 'lift', string])[]): Restraint {
  return steps.reduce<Restraint>(
    (restraint, [step, model], at) =>
      step === 'lift'
        ? liftRestraint(restraint, 'we know why', at + 1)
        : stepRestraint(restraint, {verdict: step, because: step}, model, at + 1),
    NO_RESTRAINT,
  );
}

test('a model without skill is restrained, until it helps or an operator lifts it', t => {
  t.true(through([['no-skill', 'a']]).restrained);
  t.is(
    through([
      ['no-skill', 'a'],
      ['no-skill', 'a'],
    ]).sinceMs,
    1,
  );
  t.true(
    through([
      ['no-skill', 'a'],
      ['unproven', 'a'],
    ]).restrained,
  );
  t.false(
    through([
      ['no-skill', 'a'],
      ['helps', 'a'],
    ]).restrained,
  );
  t.false(
    through([
      ['no-skill', 'a'],
      ['lift', 'a'],
    ]).restrained,
  );
});

test('what an operator has lifted does not come back for the same model, but for another one', t => {
  const lifted = [
    ['no-skill', 'a'],
    ['lift', 'a'],
  ] as const;
  t.false(through([...lifted, ['unproven', 'a'], ['no-skill', 'a']]).restrained);
  t.is(through([...lifted, ['no-skill', 'a']]).because, 'we know why');
  t.true(through([...lifted, ['unproven', 'b'], ['no-skill', 'b']]).restrained);
  t.true(through([...lifted, ['no-skill', 'b']]).restrained);
});

test('another model begins without the restraint of the former one', t => {
  const switched = through([
    ['no-skill', 'a'],
    ['unproven', 'b'],
  ]);
  t.deepEqual(
    [switched.restrained, switched.because, switched.sinceMs],
    [false, 'another model', 2],
  );
});

test('where nothing changes there is nothing to tell', t => {
  for (const verdict of ['unproven', 'helps'] as const) {
    const first = through([[verdict, 'a']]);
    t.deepEqual([first.restrained, first.sinceMs, first.because], [false, 0, '']);
    t.is(stepRestraint(first, {verdict, because: ''}, 'a', 9), first);
  }
  const restrained = through([['no-skill', 'a']]);
  t.is(stepRestraint(restrained, {verdict: 'no-skill', because: 'more'}, 'a', 9), restrained);
  t.is(liftRestraint(NO_RESTRAINT, '', 9), NO_RESTRAINT);
});
