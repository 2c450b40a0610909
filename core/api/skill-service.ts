import {toCellSkill} from '../../proto/codec-skill.ts';
import type {SkillService} from '../../proto/gen/forestay/v1/skill_pb.ts';
import type {Handlers} from '../../proto/grpc.ts';
import type {ReadModel} from '../engine/read-model.ts';
import {notFound} from './fleet-service.ts';
import {unary} from './handlers.ts';

export function skillHandlers({
  model,
}: {
  model: ReadModel;
}): Handlers<(typeof SkillService)['method']> {
  return {
    listCellSkills: unary(({cell}) => {
      const {skills} = model;
      if (cell !== '' && !skills.has(cell)) throw notFound(cell, [...skills.keys()]);
      const cells = cell === '' ? [...skills.keys()].sort() : [cell];
      return {skills: cells.flatMap(each => (skills.get(each) ?? []).map(toCellSkill))};
    }),
  };
}
