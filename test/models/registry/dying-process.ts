/** Adds an artefact and kills itself at a given write; started by processes.test.ts. */
import {nodeFiles} from '../../../core/adapters/files-node.ts';
import {openRegistry} from '../../../models/registry/registry.ts';

const [directory, artefact, writes] = process.argv.slice(2) as [string, string, string];
let left = Number(writes);
const files = {
  ...nodeFiles,
  replace(path: string, bytes: Uint8Array) {
    if (left-- === 0) process.kill(process.pid, 'SIGKILL');
    nodeFiles.replace(path, bytes);
  },
};
const author = {who: 'trainer', why: '', atMs: 0};
await openRegistry(directory, files).add(artefact, {author, codeVersion: '0.0.0'});
