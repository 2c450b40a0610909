/** One choreography from a seed, and what an oracle finds when it is over. */
import {setTimeout as sleep} from 'node:timers/promises';
import {seededRandom} from '../../core/adapters/random-seeded.ts';
import {audit, countFindings, type Findings} from '../support/audit.ts';
import {dumpKafka} from '../support/dump-kafka.ts';
import {fold, type Kept} from '../support/kept.ts';
import {eventually, forestay, type Program, type Scope} from '../support/process.ts';
import {readQuestDb} from '../support/stored-questdb.ts';
import {readTold} from '../support/told.ts';
import type {Act} from './acts.ts';
import {openPlace, type Place, type PlaceOptions} from './place.ts';
import {type Kill, type Takeover, takeoversOf} from './takeovers.ts';

export type Outcome = {
  findings: Findings;
  takeovers: readonly Takeover[];
  figures: Readonly<Record<string, number>>;
};

export type RunOptions = PlaceOptions & {
  /** What happens, one after the other; asked with the time that has passed. */
  next(random: ReturnType<typeof seededRandom>, passedMs: number): Act | undefined;
  say(line: string): void;
};

/** Before the first act and after each: what there is to lose has to come about. */
const CALM_MS = 8_000;
const LAST_WORK_MS = 10_000;
const START_MS_MAX = 120_000;
const EXIT_MS = 90_000;

/** Takes as long as its acts, and half a minute at each end. */
export async function runChaos(t: Scope, options: RunOptions): Promise<Outcome> {
  const {say} = options;
  const random = seededRandom(options.seed);
  const place = await openPlace(t, options);
  const kills: Kill[] = [];
  for (const core of place.cores.slice(0, 2)) place.startCore(core);
  await Promise.all(
    place.cores
      .slice(0, 2)
      .map(core => (core.process as Program).said(/core serves/, START_MS_MAX)),
  );
  place.startDatacenter();
  await sleep(2 * CALM_MS);
  for (const core of place.cores.slice(2)) place.startCore(core);
  const startedMs = performance.now();
  let acts = 0;
  for (;;) {
    const passedMs = performance.now() - startedMs;
    const act = options.next(random, passedMs);
    if (act === undefined) break;
    say(`${(passedMs / 1000).toFixed(0).padStart(4)} s  ${act.name}`);
    await act.run(place, random, kills);
    acts++;
    await sleep(CALM_MS * (1 + random.next()));
  }
  say('        the end: everything heals and comes to rest');
  await stopInOrder(t, place);
  const {kept, findings, figures} = await judge(place);
  const takeovers = kills.flatMap((kill, index) =>
    takeoversOf(
      kill,
      kills[index + 1]?.wallMs ?? Number.POSITIVE_INFINITY,
      kept.journal,
      kept.ticks,
    ),
  );
  return {findings, takeovers, figures: {acts, kills: kills.length, ...figures}};
}

async function stopInOrder(t: Scope, place: Place): Promise<void> {
  place.heal();
  await Promise.all(
    place.cores.map(core => (core.process as Program).said(/core serves/, START_MS_MAX)),
  );
  await sleep(CALM_MS);
  const [core] = place.cores;
  const paused = await forestay(t, ['pause', '--comment', 'the end', '--server', core?.grpc ?? '']);
  if (paused.code !== 0) throw new Error(`pause ended with ${paused.code}: ${paused.stderr}`);
  await sleep(LAST_WORK_MS);
  await stop('the datacenter', place.datacenter as Program);
  for (const {name, process: core} of place.cores) await stop(name, core as Program);
}

async function stop(name: string, program: Program): Promise<void> {
  program.signal('SIGTERM');
  const {code, stderr} = await program.exit(EXIT_MS);
  if (code !== 0) throw new Error(`${name} ended with ${code}: ${stderr.slice(-2_000)}`);
}

async function judge(place: Place) {
  const dump = await dumpKafka(place.kafka.brokers[0] as string, place.topicPrefix);
  const kept: Kept = fold(dump);
  const told = readTold(place.oracle);
  const rowsSent = sum(kept.batchRows.values());
  // QuestDB applies its log behind the write.
  const stored = await eventually('every row in QuestDB', async () => {
    const found = await readQuestDb(place.questDbAddress);
    const rows = sum([...found.batches.values()].map(({rows}) => rows));
    return rows >= rowsSent && found.transitions.length >= kept.transitions.length && found;
  }).catch(() => readQuestDb(place.questDbAddress));
  const findings = audit(told, kept, stored);
  const counts = countFindings(findings);
  const ackedRows = (keys: readonly string[]) =>
    sum(keys.map(key => told.batches.get(key)?.rows ?? 0));
  return {
    findings,
    kept: {...kept, journal: dump.journal},
    figures: {
      ackedSamples: sum(told.acked.map(({rows}) => rows)),
      ackedSamplesLost: ackedRows(findings.ackedBatchesLost),
      repeatedBatches: kept.repeatedBatches,
      rowsSent,
      rowsInQuestDb: sum([...stored.batches.values()].map(({rows}) => rows)),
      rowsReceivedByQuestDb: place.questDb.rows,
      transitions: kept.transitions.length,
      decisions: sum(kept.ticks.map(({tick}) => tick.decisions.length)),
      effects: kept.effects.size,
      effectsBegun: told.effects.length,
      duplicatedEffects: counts.effectsBegunTwice,
    },
  };
}

function sum(values: Iterable<number>): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}
