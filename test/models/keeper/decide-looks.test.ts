/** What is learned from, and how often two models are compared. */
import test from 'ava';
import {decide} from '../../../models/keeper/decide.ts';
import {
  type Happened,
  type KeeperEvent,
  type KeeperState,
  learnsFromMs,
  type Sight,
} from '../../../models/keeper/keeper-state.ts';
import {doubtOfLook, failuresForLook} from '../../../models/keeper/looks.ts';
import {type Aliases, noAliases} from '../../../models/registry/aliases.ts';
import {
  aliasesAfter,
  aliasesOf,
  at,
  drifted,
  few,
  HOUR,
  judged,
  judgement,
  looked,
  NEW,
  OTHER,
  quiet,
  settings,
  train,
} from './keeper-fixtures.ts';

test('the looks share their doubt: however many there are, together they have no more of it', t => {
  let sum = 0;
  for (let look = 1; look <= 1000; look++) sum += doubtOfLook(look, 0.05);
  t.true(sum < 0.05 && sum > 0.0499);
  t.deepEqual(
    [0, 1, 2, 3].map(looks => failuresForLook(looks, 10)),
    [10, 20, 40, 80],
  );
});

test('what teaches is what came since the drift was first seen, until it is over or was learned', t => {
  const look = (state: KeeperState, sight: Sight, hours: number) =>
    decide(state, {...looked(sight), atMs: hours * HOUR, aliases: aliasesOf[state.phase]}, settings)
      .state;
  const moved = {...drifted, drift: {...drifted.drift, lossesRose: false}, examples: few};
  const seen = look(look(at('watching'), moved, 1), moved, 2);
  t.is(learnsFromMs(seen), HOUR);
  t.is(learnsFromMs(look(seen, quiet, 3)), Number.POSITIVE_INFINITY);
  const collecting = look(seen, {...drifted, examples: few}, 4);
  t.is(collecting.phase, 'collecting');
  t.is(learnsFromMs(collecting), HOUR);
  const training = look(collecting, drifted, 5);
  t.is(training.phase, 'training');
  const end = (event: Happened) =>
    decide(training, {...event, atMs: 6 * HOUR, aliases: aliasesOf.training}, settings).state;
  t.is(learnsFromMs(end({kind: 'failed', step: train, why: 'it died'})), HOUR);
  t.is(learnsFromMs(end({kind: 'trained', hash: NEW})), Number.POSITIVE_INFINITY);
});

test('looks are numbered through shadow and trial, and share one doubt; those of another challenger begin anew', t => {
  const judge = (state: KeeperState, aliases: Aliases) => {
    const event = {...looked({...quiet, failures: 10}), atMs: HOUR, aliases};
    const {state: after, steps} = decide(state, event, settings);
    const [step] = steps;
    if (step?.kind !== 'judge') throw new Error('not judged');
    t.is(step.doubt, doubtOfLook(step.look, settings.doubt));
    return {look: step.look, state: after};
  };
  const shadow = judge(at('shadowing'), aliasesOf.shadowing);
  t.is(shadow.look, 1);
  const trial = judge(shadow.state, aliasesOf.canary);
  t.like(trial, {look: 2, state: {phase: 'canary', looks: 1, earlierLooks: 1, hasShadow: true}});
  const other = aliasesAfter(
    {kind: 'challenge', hash: OTHER},
    {kind: 'canary', percent: 25},
    {kind: 'canary', percent: 30},
  );
  t.like(judge(shadow.state, other), {look: 1, state: {hasShadow: false}});
});

test('a trial whose shadow is forgotten lasts as long as a shadow may', t => {
  const open = (hours: number, hasShadow: boolean) => {
    const state = at('canary', 'auto', {hasShadow});
    const event = {...judged('open'), atMs: hours * HOUR, aliases: aliasesOf.canary};
    return decide(state, event, settings).steps.map(({kind}) => kind);
  };
  t.deepEqual(open(12, true), ['withdraw']);
  t.deepEqual(open(12, false), []);
  t.deepEqual(open(13 * 24, false), []);
  t.deepEqual(open(14 * 24, false), ['withdraw']);
});

test('a probation ends with a last look, and where nothing was compared that is said', t => {
  const over = {...looked(quiet), atMs: 24 * HOUR, aliases: aliasesOf.probation};
  const {state} = decide(at('probation'), over, settings);
  t.true(state.isEnding);
  const end = (happened: Happened) => {
    const event = {...happened, atMs: 24 * HOUR, aliases: aliasesOf.probation} as KeeperEvent;
    const {state: after, steps} = decide(state, event, settings);
    return {phase: after.phase, kind: steps[0]?.kind, why: steps[0]?.why ?? ''};
  };
  t.like(end(judged('worse')), {kind: 'rollback'});
  const kept = end(judged('open'));
  t.like(kept, {phase: 'watching', kind: 'note'});
  t.regex(kept.why, /not shown to be worse.* 90 blocks/);
  const nothing = judgement('open');
  const gain = {...nothing.evaluation.gain, blocks: 0};
  const empty = end({
    kind: 'judged',
    judgement: {...nothing, evaluation: {...nothing.evaluation, gain}},
  });
  t.regex(empty.why, /nothing was compared/);
  // The look did not come about.
  t.regex(end(looked(quiet)).why, /could not be compared/);
});

test('where nobody was promoted yet it is told that what serves is of no use, and nothing is trained', t => {
  const aliases = noAliases('component-failure');
  const event = {...looked(drifted), atMs: HOUR, aliases};
  const {state, steps} = decide({...at('watching'), aliases}, event, settings);
  t.is(state.phase, 'watching');
  t.is(steps[0]?.kind, 'say');
  t.regex(steps[0]?.why ?? '', /The loss rose.* before it is promoted/);
});
