/** What may go wrong, each as a thing that begins and ends. */
import {setTimeout as sleep} from 'node:timers/promises';
import type {Random} from '../../core/ports.ts';
import type {Program} from '../support/process.ts';
import type {TcpProxy} from '../support/tcp-proxy.ts';
import type {CorePlace, Place} from './place.ts';
import type {Kill} from './takeovers.ts';

export type Act = {
  name: string;
  /** How often it is drawn, against the others. */
  weight: number;
  run(place: Place, random: Random, kills: Kill[]): Promise<void>;
};

/** Longer than a session, so that the others share its partitions while it sleeps. */
const ZOMBIE_MS = 9_000;
const between = (random: Random, fromMs: number, toMs: number): number =>
  fromMs + random.next() * (toMs - fromMs);

function pick<Item>(random: Random, items: readonly Item[]): Item {
  return items[Math.floor(random.next() * items.length)] as Item;
}

/** Kills a core, waits, and starts another in its place. */
export async function killCore(
  place: Place,
  core: CorePlace,
  kills: Kill[],
  downMs: number,
): Promise<void> {
  const {pid, signal, exit} = core.process as Program;
  kills.push({wallMs: Date.now(), pid});
  signal('SIGKILL');
  await exit();
  await sleep(downMs);
  place.startCore(core);
}

type LineOf = (place: Place, random: Random) => TcpProxy;
const toBrokers: LineOf = ({cores}, random) => pick(random, cores).brokers;
const fromEdges: LineOf = ({cores}, random) => pick(random, cores).edges;

/** A line between two parties is spoilt for a while: some are shorter than a session, some longer. */
function spoilLine(
  name: string,
  lineOf: LineOf,
  spoil: (line: TcpProxy) => void,
  fromMs: number,
  toMs: number,
): Act {
  return {
    name,
    weight: 1,
    async run(place, random) {
      const line = lineOf(place, random);
      spoil(line);
      await sleep(between(random, fromMs, toMs));
      line.heal();
    },
  };
}

function slow(line: TcpProxy): void {
  line.delay(50);
  line.throttle(200_000);
}

export const ACTS: readonly Act[] = [
  {
    name: 'kill a core',
    weight: 6,
    async run(place, random, kills) {
      await killCore(place, pick(random, place.cores), kills, between(random, 8_000, 14_000));
    },
  },
  {
    name: 'a core sleeps longer than its session and wakes up as a zombie',
    weight: 2,
    async run(place, random) {
      const {process: core} = pick(random, place.cores);
      core?.signal('SIGSTOP');
      await sleep(ZOMBIE_MS + between(random, 0, 5_000));
      core?.signal('SIGCONT');
    },
  },
  {
    name: 'the broker is killed and comes back',
    weight: 1,
    run: place => place.kafka.restart(),
  },
  spoilLine('a core is cut off from the brokers', toBrokers, line => line.cut(), 2_000, 10_000),
  spoilLine(
    'nothing comes through between a core and the brokers',
    toBrokers,
    line => line.hold(),
    2_000,
    12_000,
  ),
  spoilLine('a core and the brokers have a slow line', toBrokers, slow, 5_000, 10_000),
  spoilLine('edges are cut off from a core', fromEdges, line => line.cut(), 2_000, 8_000),
  spoilLine(
    'nothing comes through between edges and a core',
    fromEdges,
    line => line.hold(),
    2_000,
    8_000,
  ),
  spoilLine(
    'nothing comes through between cores and agents',
    place => place.agents,
    line => line.hold(),
    2_000,
    8_000,
  ),
  {
    name: 'QuestDB answers with errors, then not at all, then too late',
    weight: 1,
    async run(place, random) {
      for (const mood of ['error', 'hang', 'late'] as const) {
        place.questDb.behave(mood);
        await sleep(between(random, 2_000, 6_000));
      }
      place.questDb.behave('well');
    },
  },
  {
    name: 'the datacenter is killed and goes on',
    weight: 2,
    async run(place, random) {
      const {signal, exit} = place.datacenter as Program;
      signal('SIGKILL');
      await exit();
      await sleep(between(random, 500, 3_000));
      place.startDatacenter();
    },
  },
];

/** One of those whose name has `words` in it, by weight. */
export function drawAct(random: Random, words = ''): Act {
  const acts = ACTS.filter(({name}) => name.includes(words));
  return pick(
    random,
    acts.flatMap(act => Array.from({length: act.weight}, () => act)),
  );
}
