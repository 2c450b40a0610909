/** Scores without pause until SIGTERM, then closes: run as a process of its own by the tests. */
import {createPiscinaScorer} from '../../core/adapters/scorer-piscina.ts';
import {drawContractSample} from '../models/fixtures.ts';

const scorer = await createPiscinaScorer({modelPath: process.argv[2] as string, threads: 2});
const {hash} = scorer.signature();
const {features} = drawContractSample(1, 256);
let ending = false;
process.on('SIGTERM', () => {
  ending = true;
  void scorer.close();
});
console.log('scoring');
const loops = Array.from({length: 6}, async () => {
  while (!ending) await scorer.score(hash, 256, features);
});
await Promise.all(loops);
