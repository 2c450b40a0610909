/** Stands in for `forestay train`: does what its first argument says, with the options of a trainer. */
import {mkdirSync, writeFileSync} from 'node:fs';
import {getPriority} from 'node:os';
import {join} from 'node:path';

const [way, notes, ...options] = process.argv.slice(2) as [string, string, ...string[]];
const out = options[options.indexOf('--out') + 1] as string;
mkdirSync(out, {recursive: true});
writeFileSync(join(out, 'model.onnx'), 'half');
process.stderr.write(`train: going to ${way}\n`);
const tell = () => {
  const {pid, connected} = process;
  writeFileSync(notes, JSON.stringify({pid, connected, priority: getPriority(), options}));
};

if (way === 'hang' || way === 'linger') {
  if (way === 'hang') process.on('SIGTERM', () => {});
  tell();
  setInterval(() => {}, 1000);
} else if (way === 'die') {
  tell();
  process.kill(process.pid, 'SIGKILL');
} else if (way === 'fail') {
  process.stderr.write('RangeError: Array buffer allocation failed\n');
  process.exitCode = 1;
} else if (way === 'refuse') {
  process.stderr.write('[TRAINING_DATA_INVALID] cannot train on x: it is cut off\n');
  process.exitCode = 3;
} else if (way === 'write') {
  // Its priority is set once it runs.
  for (let waited = 0; waited < 100 && getPriority() === 0; waited++) {
    await new Promise(resolve => setTimeout(resolve, 20));
  }
  tell();
  for (const name of ['model.onnx', 'manifest.json', 'golden.json']) {
    writeFileSync(join(out, name), '{}');
  }
}
