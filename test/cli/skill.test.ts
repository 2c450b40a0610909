import {create} from '@bufbuild/protobuf';
import test from 'ava';
import {describe} from '../../cli/skill.ts';
import {toCellSkill} from '../../proto/codec-skill.ts';
import {CellSkillSchema} from '../../proto/gen/forestay/v1/skill_pb.ts';
import {A_TRIAL, aCellSkill} from '../support/cell-skills.ts';

const shown = (fields: Parameters<typeof aCellSkill>[0] = {}) =>
  describe([create(CellSkillSchema, toCellSkill(aCellSkill(fields)))]);

test('skill, alerts and acts stand in tables, the verdict and the counterfactual in words', t => {
  const text = shown();
  t.regex(text, /c1 +\S+ +any +5760 +1\.25 % +-40 % +-60 % to -20 % +12 +3\.1 %/);
  t.regex(text, /c1 +\S+ +9 +13 % +- +6 min +4 +1 +2 +1 +0 +1\.4/);
  t.regex(text, /prediction does not help: skill over the naive method/);
  t.regex(text, /restrained, it only advises: no skill in 12 failures/);
  t.regex(text, /h07 failed 6 min after v12 had left/);
  t.regex(text, /counterfactual and no observation/);
});

test('what a trial of acting came to is told apart from the counterfactual', t => {
  const text = shown({trial: A_TRIAL});
  t.regex(text, /trial: 36 VMs held back were down .* acting helps/);
  t.regex(text, /left where they were by lot: both\nwere observed/);
  t.notRegex(shown(), /trial/);
});

test('what is not known is a dash, and a model that may act is not said to be restrained', t => {
  const text = shown({
    verdict: 'unproven',
    because: '0 of the 8 failures that are needed',
    outputs: [...aCellSkill().outputs.map(output => ({...output, low: Number.NaN}))],
    restraint: {restrained: false, sinceMs: 0, because: '', lifted: false},
  });
  t.regex(text, /-40 % +- +12/);
  t.regex(text, /not proven yet: 0 of the 8 failures/);
  const quiet = shown({
    outputs: aCellSkill().outputs.map(each => ({...each, episodes: 0, skill: -2786})),
  });
  t.notRegex(quiet, /-2786/);
  t.notRegex(text, /restrained/);
  t.is(describe([]), 'nothing has been forecast yet');
});
