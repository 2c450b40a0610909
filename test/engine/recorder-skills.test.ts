import test from 'ava';
import {codec} from '../../proto/codec.ts';
import {A_TRIAL, aCellSkill} from '../support/cell-skills.ts';
import {all, recording, START_MS} from './recorder-fixture.ts';

const told = (timeMs: number, effect = 'avoided') => {
  const skill = aCellSkill({atMs: timeMs});
  const newestActs = skill.newestActs.map(act => ({...act, effect, finishedAtMs: START_MS}));
  return codec.encodeScores({
    kind: 'risk',
    timeMs,
    epoch: 1,
    tickNumber: 1,
    modelHash: '',
    featureHash: 0,
    hosts: [],
    components: [],
    risks: new Float32Array(0),
    reasons: [],
    skills: [{...skill, newestActs, trial: A_TRIAL}],
  });
};

test('how a model does is a row a time and output; an act has one row, as it is known last', async t => {
  const {append, recorder, store, end} = recording(t, {});
  await append('scores', told(START_MS, 'unknown'), told(START_MS + 300_000));
  await recorder.drained();
  const rows = await all(store, 'skill');
  t.is(rows.length, 2);
  t.like(rows[1], {
    ts: START_MS + 300_000,
    cell: 'c1',
    output: 'any',
    skill: -0.4,
    episodes: 12,
    verdict: 'no-skill',
    restrained: 1,
  });
  const acts = await all(store, 'act_outcomes');
  t.is(acts.length, 1);
  t.like(acts[0], {id: '5/1/7/0', host: 'h07', vm: 'v12', effect: 'avoided', avoided_minutes: 1.4});
  const trials = await all(store, 'trials');
  t.is(trials.length, 2);
  t.like(trials[1], {
    ts: START_MS + 300_000,
    cell: 'c1',
    share: 0.1,
    acted: 310,
    held_back: 36,
    spared_minutes: 0.41,
    spared_minutes_low: 0.05,
  });
  await end();
});
