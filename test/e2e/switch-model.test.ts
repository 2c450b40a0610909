/** Models of a registry, switched in a core that serves: for a share of the hosts, for all, and back. */
import {appendFileSync} from 'node:fs';
import {join} from 'node:path';
import test from 'ava';
import {eventually, forestay, temporaryFolder} from '../support/process.ts';
import {livingHost, ready, startCore, startEdge} from '../support/process-fleet.ts';

const ARTEFACTS = join(import.meta.dirname, '../../models/artefacts');

type Use = {
  modelHash: string;
  canaryHash?: string;
  canaryPercent?: number;
  refusedHash?: string;
  refusedBecause?: string;
};

test('models of a registry are switched while a core serves, refused when damaged, and kept over a restart', async t => {
  const data = temporaryFolder(t);
  const registry = join(data, 'models');
  let core = await startCore(t, data);
  await ready(core);
  const models = async <Answer>(...args: string[]) =>
    JSON.parse(
      (await core.command('models', ...args, '--registry', registry, '--json')).stdout,
    ) as Answer;
  const add = async (folder: string) => {
    const words = ['models', 'add', join(ARTEFACTS, folder), '--registry', registry, '--json'];
    const added = await forestay(t, words);
    return JSON.parse(added.stdout).hash as string;
  };
  const source = {root: livingHost(t), host: 'h01', spool: temporaryFolder(t)};
  const edge = await startEdge(t, {core: core.grpc, ...source}, ['--intent-model', 'off']);
  const scoredBy = (hash: string) =>
    eventually(`h01 scored by ${hash.slice(0, 8)}`, async () => {
      const explained = await core.ask<{modelHash: string}>('explain', 'h01');
      return explained.modelHash === hash;
    });
  const used = async (): Promise<Use> => {
    const {partitions} = await core.ask<{partitions: (Use & {tickNumber: string})[]}>('status');
    return partitions.find(({tickNumber}) => Number(tickNumber) > 0) as Use;
  };

  const [now, first] = [await add('component-failure'), await add('component-failure-1')];
  await scoredBy(now);
  const {champion} = await models<{champion: string}>(
    ...['promote', now, '--force', '--why', 'the first'],
  );
  t.is(champion, now);
  const trial = await models<{told: string}>(
    ...['promote', first, '--percent', '99', '--why', 'a trial'],
  );
  t.regex(trial.told, /scores 99 % of the hosts/);
  await scoredBy(first);
  t.like(await used(), {modelHash: now, canaryHash: first, canaryPercent: 99});
  await models('rollback', 'component-failure', '--why', 'enough');
  await scoredBy(now);
  t.is((await used()).canaryHash ?? '', '');

  await models('promote', first, '--force', '--why', 'it is better after all');
  await scoredBy(first);
  await core.stop();
  core = await startCore(t, data, ['--listen', core.grpc]);
  await ready(core);
  await scoredBy(first);

  appendFileSync(join(registry, 'entries', now, 'model.onnx'), 'x');
  const refused = await core.command(
    ...['models', 'rollback', 'component-failure', '--registry', registry],
  );
  t.not(refused.code, 0);
  t.regex(refused.stderr, /MODEL_HASH_MISMATCH/);
  t.is((await used()).modelHash, first);

  // What serves is open: its files may rot, and hosts are scored all the same.
  appendFileSync(join(registry, 'entries', first, 'model.onnx'), 'x');
  const listed = await forestay(t, ['models', 'list', '--registry', registry, '--json']);
  const {damaged}: {damaged: {hash: string; code: string}[]} = JSON.parse(listed.stdout);
  t.deepEqual(
    damaged.map(({hash, code}) => [hash, code]).sort(),
    [now, first].sort().map(hash => [hash, 'MODEL_HASH_MISMATCH']),
  );
  const scored = async () => (await core.ask<{scoreTime: string}>('hosts', 'get', 'h01')).scoreTime;
  const before = await scored();
  await eventually('h01 scored anew', async () => (await scored()) > before);
  await scoredBy(first);
  await edge.stop();
  await core.stop();
});
