/** Promotes a hash of its own as often as it can; started twice by processes.test.ts. */
import {writeSync} from 'node:fs';
import {nodeFiles} from '../../../core/adapters/files-node.ts';
import {isForestayError} from '../../../core/domain/errors.ts';
import {openAliasStore} from '../../../models/registry/alias-store.ts';

const [directory, who, rounds, family] = process.argv.slice(2) as [string, string, string, string];
const store = openAliasStore(nodeFiles, directory);
const won: number[] = [];
let lost = 0;
writeSync(1, 'ready\n');
process.stdin.once('data', () => {
  for (let round = 0; round < Number(rounds); round++) {
    const {revision} = store.read(family).aliases;
    const digits = String(round).padStart(32, '0');
    const hash = Buffer.from(`${who}${digits}`).toString('hex').slice(0, 64);
    try {
      const author = {who, why: '', atMs: round};
      won.push(store.change(family, revision, {kind: 'promote', hash}, author).revision);
    } catch (error) {
      if (!isForestayError(error, 'REGISTRY_CONFLICT')) throw error;
      lost++;
    }
  }
  writeSync(1, JSON.stringify({won, lost}));
  process.exit();
});
