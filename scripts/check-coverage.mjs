// Holds line coverage: reads what c8 wrote, prints a line a folder, fails if one is below its mark.
import {readFileSync} from 'node:fs';
import {relative} from 'node:path';
import {fileURLToPath} from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const marks = [
  {folder: '', percentMin: 80},
  {folder: 'core/domain/', percentMin: 90},
  {folder: 'core/engine/', percentMin: 90},
  {folder: 'statecharts/', percentMin: 90},
];

const summary = JSON.parse(readFileSync(`${root}coverage/coverage-summary.json`, 'utf8'));
const files = Object.entries(summary)
  .filter(([path]) => path !== 'total')
  .map(([path, {lines}]) => ({path: relative(root, path), lines}));

for (const {folder, percentMin} of marks) {
  const inFolder = files.filter(({path}) => path.startsWith(folder));
  const total = inFolder.reduce((sum, {lines}) => sum + lines.total, 0);
  const covered = inFolder.reduce((sum, {lines}) => sum + lines.covered, 0);
  // A folder without lines is a mistake of this script, not a success.
  const percent = total === 0 ? 0 : (100 * covered) / total;
  const verdict = percent >= percentMin ? 'ok' : `BELOW ${percentMin} %`;
  console.log(`coverage ${folder || 'all'}: ${percent.toFixed(1)} % of ${total} lines, ${verdict}`);
  if (percent < percentMin) process.exitCode = 1;
}
