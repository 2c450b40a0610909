import test from 'ava';
import {decide} from '../../../models/keeper/decide.ts';
import type {Happened, KeeperEvent, Phase, Step} from '../../../models/keeper/keeper-state.ts';
import type {Aliases} from '../../../models/registry/aliases.ts';
import {
  aliasesAfter,
  aliasesOf,
  at,
  done,
  drifted,
  few,
  HOUR,
  judged,
  judgement,
  looked,
  NEW,
  OLD,
  OTHER,
  quiet,
  settings,
  train,
} from './keeper-fixtures.ts';

/** From a phase, what happens after so many hours, what is done and which phase that leads to. */
const table: [
  title: string,
  from: Phase,
  hours: number,
  happened: Happened,
  steps: Step['kind'][],
  to: Phase,
][] = [
  ['all is well', 'watching', 1, looked(quiet), [], 'watching'],
  ['losses rise', 'watching', 1, looked(drifted), ['note'], 'collecting'],
  [
    'it is of no use',
    'watching',
    1,
    looked({...quiet, skill: {skill: -0.1, failures: 20}}),
    ['note'],
    'collecting',
  ],
  [
    'it is of no use, by few failures',
    'watching',
    1,
    looked({...quiet, skill: {skill: -0.1, failures: 19}}),
    [],
    'watching',
  ],
  [
    'inputs move, and failures can teach',
    'watching',
    1,
    looked({...drifted, drift: {...drifted.drift, lossesRose: false}}),
    ['note'],
    'collecting',
  ],
  [
    'inputs move, and nothing can teach',
    'watching',
    1,
    looked({...drifted, drift: {...drifted.drift, lossesRose: false}, examples: few}),
    ['say'],
    'watching',
  ],
  [
    'many new failures',
    'watching',
    1,
    looked({...quiet, examples: {failures: 600, newFailures: 500, sinceFailures: 0}}),
    ['note'],
    'collecting',
  ],
  ['too few examples', 'collecting', 1, looked({...drifted, examples: few}), [], 'collecting'],
  [
    'too few for too long',
    'collecting',
    15 * 24,
    looked({...drifted, examples: few}),
    ['note'],
    'watching',
  ],
  ['enough examples', 'collecting', 1, looked(drifted), ['train'], 'training'],
  [
    'many new ones, though nothing has drifted',
    'collecting',
    1,
    looked({...quiet, examples: {failures: 500, newFailures: 500, sinceFailures: 2}}),
    ['train'],
    'training',
  ],
  ['a model was trained', 'training', 1, {kind: 'trained', hash: NEW}, ['challenge'], 'training'],
  [
    'the same model was trained again',
    'training',
    1,
    {kind: 'trained', hash: OLD},
    ['note'],
    'watching',
  ],
  [
    'the trainer died',
    'training',
    1,
    {kind: 'failed', step: train, why: 'it died'},
    ['note'],
    'watching',
  ],
  ['not enough happened yet', 'shadowing', 1, looked({...quiet, failures: 9}), [], 'shadowing'],
  ['enough for a look', 'shadowing', 1, looked({...quiet, failures: 10}), ['judge'], 'shadowing'],
  ['it is better', 'shadowing', 1, judged('better'), ['canary'], 'shadowing'],
  ['it is worse', 'shadowing', 1, judged('worse'), ['withdraw'], 'shadowing'],
  ['nothing is shown', 'shadowing', 1, judged('open'), [], 'shadowing'],
  [
    'nothing is shown for two weeks',
    'shadowing',
    15 * 24,
    judged('open'),
    ['withdraw'],
    'shadowing',
  ],
  [
    'others were judged',
    'shadowing',
    1,
    judged('better', {champion: OTHER, challenger: NEW}),
    [],
    'shadowing',
  ],
  [
    'it cannot be opened',
    'shadowing',
    1,
    {kind: 'unfit', hash: NEW, why: 'damaged'},
    ['withdraw'],
    'shadowing',
  ],
  [
    'the champion cannot be opened',
    'shadowing',
    1,
    {kind: 'unfit', hash: OLD, why: 'damaged'},
    ['say'],
    'shadowing',
  ],
  ['better in the trial, too early', 'canary', 1, judged('better'), [], 'canary'],
  ['better in the trial', 'canary', 2, judged('better'), ['promote'], 'canary'],
  [
    'hardly anything failed in the trial',
    'canary',
    12,
    looked({...quiet, failures: 9}),
    [],
    'canary',
  ],
  [
    'hardly anything failed in the trial for two weeks',
    'canary',
    14 * 24,
    looked({...quiet, failures: 9}),
    ['withdraw'],
    'canary',
  ],
  [
    'time for a look in the trial',
    'canary',
    2,
    looked({...quiet, failures: 10}),
    ['judge'],
    'canary',
  ],
  ['worse in the trial', 'canary', 1, judged('worse'), ['withdraw'], 'canary'],
  ['not better for long in the trial', 'canary', 12, judged('open'), ['withdraw'], 'canary'],
  ['probation goes on', 'probation', 1, looked({...quiet, failures: 9}), [], 'probation'],
  ['a look in probation', 'probation', 1, looked({...quiet, failures: 10}), ['judge'], 'probation'],
  ['the one before does better', 'probation', 1, judged('worse'), ['rollback'], 'probation'],
  ['the one before does no better', 'probation', 1, judged('open'), [], 'probation'],
  ['it does better still', 'probation', 1, judged('better'), [], 'probation'],
  [
    'it cannot be opened any more',
    'probation',
    1,
    {kind: 'unfit', hash: NEW, why: 'damaged'},
    ['rollback'],
    'probation',
  ],
  [
    'the one before cannot be opened',
    'probation',
    1,
    {kind: 'unfit', hash: OLD, why: 'damaged'},
    ['say'],
    'watching',
  ],
  ['probation is over', 'probation', 24, looked(quiet), ['judge'], 'probation'],
];

for (const [title, from, hours, happened, steps, to] of table) {
  test(`${from}: ${title}`, t => {
    const event = {...happened, atMs: hours * HOUR, aliases: aliasesOf[from]} as KeeperEvent;
    const decision = decide(at(from), event, settings);
    t.deepEqual(
      decision.steps.map(({kind}) => kind),
      steps,
    );
    t.is(decision.state.phase, to);
    for (const {why} of decision.steps) t.regex(why, /\.$|died$/);
    // In mode watch nothing is changed, whatever happens.
    const watching = decide(at(from, 'watch'), event, settings);
    const changing = watching.steps.filter(({kind}) => !['say', 'note', 'judge'].includes(kind));
    // It never comes to the other two: see decide-properties.test.ts.
    if (from !== 'collecting' && from !== 'training') t.deepEqual(changing, []);
  });
}

test('calibration that breaks in probation is enough to go back, if the loss does not speak against it', t => {
  const open = judgement('open');
  const event = (mean: number) => ({
    kind: 'judged' as const,
    judgement: {
      ...open,
      evaluation: {...open.evaluation, gain: {...open.evaluation.gain, mean}},
      uncalibrated: ['any'],
    },
    atMs: HOUR,
    aliases: aliasesOf.probation,
  });
  const [step] = decide(at('probation'), event(-0.01), settings).steps;
  t.is(step?.kind, 'rollback');
  t.regex(step?.why ?? '', /calibration of any/);
  t.deepEqual(decide(at('probation'), event(0.01), settings).steps, []);
});

const elsewhere: [string, Phase, Aliases, Phase][] = [
  ['people named a challenger', 'collecting', aliasesOf.shadowing, 'shadowing'],
  ['people began a trial', 'shadowing', aliasesOf.canary, 'canary'],
  [
    'people promoted',
    'canary',
    aliasesAfter(
      {kind: 'challenge', hash: NEW},
      {kind: 'canary', percent: 25},
      {kind: 'promote', hash: NEW},
    ),
    'probation',
  ],
  ['people promoted by force', 'watching', aliasesOf.probation, 'probation'],
  [
    'people went back',
    'probation',
    aliasesAfter({kind: 'promote', hash: NEW}, {kind: 'rollback'}),
    'watching',
  ],
  [
    'people withdrew',
    'shadowing',
    aliasesAfter({kind: 'challenge', hash: NEW}, {kind: 'withdraw'}),
    'watching',
  ],
];
for (const [title, from, aliases, to] of elsewhere) {
  test(`the registry is right: ${title}`, t => {
    const {state, steps} = decide(at(from), {...looked(quiet), atMs: HOUR, aliases}, settings);
    t.is(state.phase, to);
    t.is(state.looks, 0);
    t.deepEqual(steps, []);
  });
}

test('a probation that people interrupt with a challenger goes on when that is refused', t => {
  const promoted = decide(
    at('watching'),
    {...looked(quiet), atMs: HOUR, aliases: aliasesOf.probation},
    settings,
  ).state;
  t.is(promoted.phase, 'probation');
  const challenge = {kind: 'challenge', hash: OTHER} as const;
  const challenged = aliasesAfter({kind: 'promote', hash: NEW}, challenge);
  const named = decide(promoted, {...looked(quiet), atMs: 2 * HOUR, aliases: challenged}, settings);
  t.is(named.state.phase, 'shadowing');
  const withdrawn = aliasesAfter({kind: 'promote', hash: NEW}, challenge, {kind: 'withdraw'});
  const after = (hours: number) =>
    decide(named.state, {...looked(quiet), atMs: hours * HOUR, aliases: withdrawn}, settings).state
      .phase;
  t.is(after(3), 'probation');
  t.is(after(26), 'watching');
});

test('each refusal in a row makes the cool-down twice as long, up to a bound; probation that is passed ends that', t => {
  let state = at('watching');
  const waits: number[] = [];
  for (let round = 0; round < 8; round++) {
    const step = {kind: 'withdraw', hash: NEW, why: 'x'} as const;
    const {steps} = decide(
      {...state, phase: 'shadowing', aliases: aliasesOf.shadowing},
      {...judged('worse'), atMs: 0, aliases: aliasesOf.shadowing},
      settings,
    );
    const coolDownUntilMs = (steps[0] as Extract<Step, {kind: 'withdraw'}>).coolDownUntilMs;
    waits.push(coolDownUntilMs);
    const after = {...done({...step, coolDownUntilMs}), atMs: 0, aliases: aliasesOf.watching};
    state = decide(state, after, settings).state;
  }
  t.deepEqual(
    waits.slice(0, 4),
    [12, 24, 48, 96].map(hours => hours * HOUR),
  );
  t.is(waits.at(-1), settings.coolDownMsMax);
  t.is(state.refusals, 8);
  const kept = decide(
    {...at('probation'), refusals: 8, isEnding: true},
    {...judged('open'), atMs: 24 * HOUR, aliases: aliasesOf.probation},
    settings,
  );
  t.is(kept.state.refusals, 0);
});

test('what it would do is said once, not at every look', t => {
  const event = (hours: number) => ({
    ...looked(drifted),
    atMs: hours * HOUR,
    aliases: aliasesOf.watching,
  });
  const first = decide(at('watching', 'watch'), event(1), settings);
  t.regex(first.steps[0]?.why ?? '', /^A model would be trained: The loss rose/);
  t.deepEqual(decide(first.state, event(2), settings).steps, []);
});

test('a clock that jumps back does not make a cool-down endless', t => {
  const state = at('watching', 'auto', {coolDownUntilMs: 1000 * 24 * HOUR});
  const event = {...looked(drifted), atMs: HOUR, aliases: aliasesOf.watching};
  t.is(decide(state, event, settings).state.phase, 'collecting');
  const near = at('watching', 'auto', {coolDownUntilMs: 2 * HOUR});
  const waiting = decide(near, event, settings);
  t.is(waiting.state.phase, 'watching');
  t.regex(waiting.steps[0]?.why ?? '', /may begin in 60 minutes/);
});
