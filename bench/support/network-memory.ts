/**
 * What a process that scores with a network needs more than one that does not, ONNX runtime and
 * all: prints MiB. Run by `bench train-network` as a process of its own, as an agent is one:
 * `node bench/support/network-memory.ts FILE`.
 */
import {readFileSync} from 'node:fs';
import {setImmediate as nextTurn} from 'node:timers/promises';

const PREDICTIONS = 5000;

const bytes = readFileSync(process.argv[2] ?? '');
const before = process.memoryUsage.rss();
const {openNetwork} = await import('../../models/network/network-session.ts');
const session = await openNetwork(bytes);
const {form, steps, columns, hidden, outputs} = session.signature;
const features = new Float32Array(columns * (form === 'window' ? steps : 1));
const [risks, state] = [new Float32Array(outputs.length), new Float32Array(2 * hidden)];
let highest = 0;
for (let index = 0; index < PREDICTIONS; index++) {
  await session.run(1, features, risks, state);
  if (index % 100 !== 0) continue;
  // An agent has pauses between its predictions, in which buffers are given back.
  await nextTurn();
  highest = Math.max(highest, process.memoryUsage.rss());
}
process.stdout.write(`${(highest - before) / 2 ** 20}\n`);
