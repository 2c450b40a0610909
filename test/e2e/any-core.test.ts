import {randomUUID} from 'node:crypto';
import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {needService} from '../services/need.ts';
import {eventually, temporaryFolder} from '../support/process.ts';
import {
  type CoreProcess,
  EAGER,
  findHost,
  livingHost,
  ready,
  startCore,
  startEdge,
} from '../support/process-fleet.ts';

type Status = {
  partitions: {
    partition: number;
    owner: string;
    epoch: string;
    tickNumber: string;
    paused: boolean;
  }[];
};
type Events = {events: {name: string}[]; resumeToken: string};

/** Partitions by owner, as a core shows them. */
async function ownersAt(core: CoreProcess): Promise<Map<string, number[]>> {
  const owned = new Map<string, number[]>();
  for (const {owner, partition} of (await core.ask<Status>('status')).partitions) {
    owned.set(owner, [...(owned.get(owner) ?? []), partition]);
  }
  return owned;
}

async function startPair(t: ExecutionContext, brokers: string): Promise<CoreProcess[]> {
  const run = randomUUID().slice(0, 8);
  const list = brokers.split(',').map(broker => `'${broker}'`);
  const log = `log: {kind: kafka, kafka: {brokers: [${list}], topicPrefix: any-${run}}}`;
  const start = async () => {
    const data = temporaryFolder(t);
    writeFileSync(join(data, 'forestay.yaml'), `${log}\nstore: {kind: memory}\n${EAGER}`);
    const core = await startCore(t, data);
    await ready(core);
    return core;
  };
  return [await start(), await start()];
}

test.serial(
  'every core shows and commands the whole fleet, whoever owns it, and takes over',
  async t => {
    const brokers = await needService(t, 'kafka');
    if (brokers === undefined) return;
    t.timeout(180_000);
    const [a, b] = (await startPair(t, brokers)) as [CoreProcess, CoreProcess];
    for (const core of [a, b]) {
      await eventually('two owners of a half each', async () => {
        const owned = await ownersAt(core);
        return owned.size === 2 && [...owned.values()].every(({length}) => length === 32);
      });
    }
    t.deepEqual(await ownersAt(a), await ownersAt(b));

    const host = `any-${randomUUID().slice(0, 8)}`;
    await startEdge(t, {core: a.grpc, root: livingHost(t), host, spool: temporaryFolder(t)});
    for (const core of [a, b]) {
      await eventually('a scored host', async () => {
        const found = await findHost(core, `hosts/${host}`);
        return found?.scoreTime !== undefined && found.state === 'at-risk';
      });
    }
    const eventsOf = (core: CoreProcess, ...args: string[]) =>
      core.ask<Events>('events', '--filter', `entity = hosts/${host}`, ...args);
    const first = await eventsOf(a);
    t.true(first.events.some(({name}) => name.includes('/t0')));

    const [commanding, other] = [b, a];
    t.is((await commanding.command('pause', '--comment', 'test')).code, 0);
    await eventually('a pause at every core', async () => {
      const {partitions} = await other.ask<Status>('status');
      return partitions.every(({paused}) => paused);
    });

    const partition = (await findHost(a, `hosts/${host}`))?.partition ?? -1;
    const owner = (await a.ask<Status>('status')).partitions[partition]?.owner ?? '';
    const [dead, heir] = owner.endsWith(`/${a.pid}`) ? [a, b] : [b, a];
    t.true(owner.endsWith(`/${dead.pid}`));
    const before = (await heir.ask<Status>('status')).partitions[partition];
    dead.signal('SIGKILL');
    const killedAtMs = performance.now();
    await eventually('a takeover', async () => {
      const now = (await heir.ask<Status>('status')).partitions[partition];
      return Number(now?.epoch) > Number(before?.epoch) && Number(now?.tickNumber) > 0;
    });
    t.log(`taken over ${((performance.now() - killedAtMs) / 1000).toFixed(1)} s after SIGKILL`);
    t.is((await ownersAt(heir)).size, 1);
    t.like(await findHost(heir, `hosts/${host}`), {partition});
    const since = await eventsOf(heir, '--since', first.resumeToken);
    const names = new Set(first.events.map(({name}) => name));
    t.deepEqual(
      since.events.filter(({name}) => names.has(name)),
      [],
      'a token of a core that is gone is good at another',
    );
    await heir.stop();
  },
);
