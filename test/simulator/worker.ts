/** Runs the seeds that its parent sends. */
import {NO_PLANT, PLANTS} from './plants.ts';
import {runSeed} from './run.ts';

const plant = PLANTS.get(process.argv[2] ?? '') ?? NO_PLANT;

// Ctrl-C reaches all processes of a terminal; the parent says when this one ends.
process.on('SIGINT', () => {});
process.on('message', (seed: number) => {
  void runSeed(seed, {plant}).then(outcome => process.send?.(outcome));
});
