// Installs the packages of package-lock.json when they are missing or older than the lock file.
// Plain JavaScript with Node's own modules only: it runs before anything else is there.
import {spawnSync} from 'node:child_process';
import {existsSync, statSync} from 'node:fs';
import {fileURLToPath} from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const installed = `${root}node_modules/.package-lock.json`;
const wanted = `${root}package-lock.json`;

if (!existsSync(installed) || statSync(installed).mtimeMs < statSync(wanted).mtimeMs) {
  console.error('Installing packages (once, about half a minute) …');
  const {status} = spawnSync('npm', ['ci', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
    // Without it, onnxruntime-node would want to download CUDA libraries.
    env: {...process.env, ONNXRUNTIME_NODE_INSTALL: 'skip'},
    shell: process.platform === 'win32',
  });
  process.exitCode = status ?? 1;
}
