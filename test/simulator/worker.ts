/** Runs the seeds that its parent sends. */
import {NO_PLANT, PLANTS} from './plants.ts';
import {runSeed} from './run.ts';

const plant = PLANTS.get(process.argv[2] ?? '') ?? NO_PLANT;

process.on('message', (seed: number) => {
  void runSeed(seed, {plant}).then(outcome => process.send?.(outcome));
});
