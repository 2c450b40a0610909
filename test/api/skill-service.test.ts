import {timestampMs} from '@bufbuild/protobuf/wkt';
import test from 'ava';
import {applyScores} from '../../core/engine/read-model-fold.ts';
import {ControlService} from '../../proto/gen/forestay/v1/control_pb.ts';
import {SkillService} from '../../proto/gen/forestay/v1/skill_pb.ts';
import {A_TRIAL, aCellSkill} from '../support/cell-skills.ts';
import {aScore, START_MS} from './records.ts';
import {call, startApi} from './server.ts';

const told = (...skills: ReturnType<typeof aCellSkill>[]) => ({
  ...aScore(START_MS, [], []),
  skills,
});

test('how models have done is shown by cell, as last told, what is not known left out', async t => {
  const {model, client} = await startApi(t);
  const service = client(SkillService);
  t.deepEqual((await call(service, service.listCellSkills, {})).skills, []);
  applyScores(model, 5, told(aCellSkill({cell: 'c2'}), aCellSkill(), aCellSkill({modelHash: 'x'})));
  applyScores(model, 5, told(aCellSkill({cell: 'c2', verdict: 'unproven'})));
  const {skills} = await call(service, service.listCellSkills, {});
  t.deepEqual(
    skills.map(({cell, verdict}) => [cell, verdict]),
    [
      ['c1', 'no-skill'],
      ['c1', 'no-skill'],
      ['c2', 'unproven'],
    ],
  );
  t.is(skills[0]?.alerts?.recall, undefined);
  t.is(skills[0]?.outputs[0]?.skillLow, -0.6);
  const one = await call(service, service.listCellSkills, {cell: 'c2'});
  t.deepEqual(
    one.skills.map(({cell}) => cell),
    ['c2'],
  );
  await t.throwsAsync(() => call(service, service.listCellSkills, {cell: 'c9'}), {
    message: /"c9" is not known/,
  });
});

test('to lift a restraint is a command with a cell, a name and a reason', async t => {
  const {client, submitted} = await startApi(t);
  const control = client(ControlService);
  const request = {requestId: 'r1', author: 'ann', comment: 'a drill', cell: 'c1'};
  await call(control, control.liftRestraint, request);
  await call(control, control.liftRestraint, request);
  t.is(submitted.length, 1);
  t.like(submitted[0], {kind: 'lift-restraint', cell: 'c1', author: 'ann', comment: 'a drill'});
  await t.throwsAsync(() => call(control, control.liftRestraint, {...request, cell: ''}), {
    message: /cell is empty|REQUEST_ID_REUSED|r1/,
  });
});

test('who lifts a restraint is told whose, or that there was none, and a repeat is told the same', async t => {
  const {model, client} = await startApi(t);
  const control = client(ControlService);
  const lift = async (requestId: string, cell: string) =>
    (await call(control, control.liftRestraint, {requestId, cell})).modelHashes;
  const free = {restrained: false, sinceMs: 0, because: '', lifted: false};
  applyScores(model, 5, told(aCellSkill(), aCellSkill({modelHash: 'free', restraint: free})));
  t.deepEqual(await lift('r1', 'c1'), ['b'.repeat(64)]);
  applyScores(model, 5, told(aCellSkill({restraint: {...free, lifted: true}})));
  t.deepEqual(await lift('r2', 'c1'), []);
  t.deepEqual(await lift('r3', 'nowhere'), []);
  t.deepEqual(await lift('r1', 'c1'), ['b'.repeat(64)]);
});

test('status tells which models only advise in which cells, since when and why', async t => {
  const {model, client} = await startApi(t);
  const control = client(ControlService);
  t.deepEqual((await call(control, control.getStatus, {})).restraints, []);
  const free = {restrained: false, sinceMs: 0, because: '', lifted: false};
  applyScores(model, 6, told(aCellSkill({cell: 'c2'})));
  applyScores(model, 5, told(aCellSkill(), aCellSkill({modelHash: 'free', restraint: free})));
  const {restraints} = await call(control, control.getStatus, {});
  t.deepEqual(
    restraints.map(({cell, modelHash, because}) => [cell, modelHash, because]),
    ['c1', 'c2'].map(cell => [cell, 'b'.repeat(64), 'no skill in 12 failures']),
  );
  const {sinceMs} = aCellSkill().restraint;
  t.is(restraints[0]?.sinceTime && timestampMs(restraints[0].sinceTime), sinceMs);
});

test('metrics show skill, acts and what is restrained, without what is not known', async t => {
  const {model, api} = await startApi(t);
  applyScores(model, 5, told(aCellSkill()));
  const metrics = await (await fetch(`http://${api.httpAddress}/metrics`)).text();
  const which = `cell="c1",model="${'b'.repeat(64)}"`;
  t.true(metrics.includes(`forestay_skill_ratio{${which},bound="low"} -0.6`));
  t.true(metrics.includes(`forestay_skill_acts{${which},effect="needless"} 2`));
  t.true(metrics.includes(`forestay_skill_restrained{${which}} 1`));
  t.true(metrics.includes(`forestay_skill_lead_seconds{${which}} 360`));
  t.false(metrics.includes(`forestay_skill_recall_ratio{${which}}`));
  t.false(metrics.includes('forestay_skill_trial_vms{'));
  applyScores(model, 5, told(aCellSkill({trial: A_TRIAL})));
  const later = await (await fetch(`http://${api.httpAddress}/metrics`)).text();
  t.true(later.includes(`forestay_skill_trial_vms{${which},drawn="held-back"} 36`));
  t.true(later.includes(`forestay_skill_trial_spared_minutes{${which},bound="low"} 0.05`));
  const few = {...A_TRIAL, sparedMinutes: Number.NaN, low: Number.NaN, high: Number.NaN};
  applyScores(model, 5, told(aCellSkill({trial: few})));
  const fewer = await (await fetch(`http://${api.httpAddress}/metrics`)).text();
  t.false(fewer.includes('forestay_skill_trial_spared_minutes{'));
});
