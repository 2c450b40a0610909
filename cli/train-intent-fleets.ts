import {seededRandom} from '../core/adapters/random-seeded.ts';
import {simulateIntentDataset} from '../core/simulation/intent-dataset.ts';
import type {Lives} from '../models/intent/data.ts';
import type {Progress} from './train-progress.ts';

/** Lives of the hosts of each fleet, to learn from or to judge by. */
export function simulateLives(
  seed: number,
  {fleets, hosts, minutes}: {fleets: number; hosts: number; minutes: number},
  progress: Progress,
): Lives[] {
  progress.note(`seed ${seed}: ${fleets} fleets of ${hosts} hosts, ${minutes} minutes each`);
  const random = seededRandom(seed);
  const made: Lives[] = [];
  for (const lives of simulateIntentDataset({random, fleets, hosts, minutesEach: minutes})) {
    made.push(lives);
    progress.show('fleets', made.length / fleets);
  }
  return made;
}
