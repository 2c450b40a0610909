import test from 'ava';
import {doubtOfLook} from '../../../models/keeper/looks.ts';
import {createUniform} from '../../../models/random.ts';
import {bootstrapGain, type PairedBlock} from '../../../models/registry/promotion.ts';

/** Standard normal, by Box and Muller. */
function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

test('of models that are alike hardly one in twenty passes any of the looks; with the whole doubt at each, twice as many', t => {
  const [studies, doubt, looks, first] = [240, 0.05, 4, 50];
  const random = createUniform(77);
  let [shared, whole] = [0, 0];
  for (let study = 0; study < studies; study++) {
    const blocks: PairedBlock[] = [];
    let [passedShared, passedWhole] = [false, false];
    for (let look = 1; look <= looks; look++) {
      while (blocks.length < first * 2 ** (look - 1)) {
        blocks.push({champion: normal(random), challenger: 0, weight: 1});
      }
      const bound = (part: number) =>
        bootstrapGain(blocks, {seed: study, doubt: part, resamples: 600}).lower;
      passedShared ||= bound(doubtOfLook(look, doubt)) > 0;
      passedWhole ||= bound(doubt) > 0;
    }
    shared += Number(passedShared);
    whole += Number(passedWhole);
  }
  // Standard error of a share of 0.05 of 240: 0.014.
  t.true(shared / studies < 0.08, `shared ${shared / studies}`);
  t.true(whole / studies > 0.1, `whole ${whole / studies}`);
});
