/**
 * Takes the locks of many folders, each at a time that others do it at, too: run as processes of
 * their own by the tests. Holds what it got until its input ends.
 */
import {nodeFiles} from '../../core/adapters/files-node.ts';
import {lockDirectory} from '../../core/adapters/log-segments-lock.ts';

const [firstAtMs = 0, everyMs = 0] = process.argv.slice(2, 4).map(Number);
const outcomes = process.argv.slice(4).map((folder, round) => {
  while (Date.now() < firstAtMs + round * everyMs);
  try {
    lockDirectory(nodeFiles, folder);
    return 'held';
  } catch (error) {
    return `${(error as {code?: string}).code}`;
  }
});
console.log(JSON.stringify(outcomes));
process.stdin.resume();
