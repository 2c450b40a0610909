import type {Readable} from 'node:stream';
import {setTimeout as sleep} from 'node:timers/promises';
import test from 'ava';
import {systemClock} from '../../core/adapters/clock-system.ts';
import {encodeTickRecords} from '../../core/engine/journal-reader.ts';
import {applyEpoch, applyScores, applyTick} from '../../core/engine/read-model-fold.ts';
import type {Log} from '../../core/ports.ts';
import {codec} from '../../proto/codec.ts';
import {EventService, type WatchEventsResponse} from '../../proto/gen/forestay/v1/event_pb.ts';
import {FleetService, type WatchHostsResponse} from '../../proto/gen/forestay/v1/fleet_pb.ts';
import {aHost, aMove, aScore, aTick, START_MS} from './records.ts';
import {startApi} from './server.ts';

const MIB = 2 ** 20;

/** Waits until nothing moves any more: what a number is does not change for a while. */
async function still(numberOf: () => number): Promise<number> {
  for (let turn = 0; turn < 120; turn++) {
    const before = numberOf();
    await sleep(500);
    if (numberOf() === before) return before;
  }
  throw new Error('it never stood still');
}

/**
 * Takes a few messages and no more. A stream of grpc-js that was never asked for one reads all that
 * comes and keeps it itself.
 */
function dawdle(stream: Readable): void {
  stream.on('error', () => {});
  stream.read(0);
}

test.serial(
  'a watch that nobody reads keeps memory flat, and gives every last state in the end',
  async t => {
    const HOSTS = 2000;
    const {model, client} = await startApi(t);
    const names = Array.from({length: HOSTS}, (_, index) => `h${index}`);
    applyTick(model, 0, aTick(1, {inventory: names.map(name => aHost(name))}));
    const stream = client(FleetService).watchHosts({});
    t.teardown(() => stream.cancel());
    dawdle(stream);
    await sleep(300);
    const before = process.memoryUsage();
    const risks = (round: number) => names.map((_, index) => ((round + index) % 50) / 50);
    for (let round = 1; round <= 200; round++) {
      applyScores(model, 0, aScore(START_MS + round * 1000, names, risks(round)));
      if (round % 10 === 0) await sleep(1);
    }
    const after = process.memoryUsage();
    const grown = (after.heapUsed + after.external - before.heapUsed - before.external) / MIB;
    t.true(grown < 100, `400,000 changes kept ${grown.toFixed(0)} MiB`);
    const shown = new Map<string, number | undefined>();
    let messages = 0;
    stream.on('data', ({event}: WatchHostsResponse) => {
      messages++;
      if (event.case === 'initial' || event.case === 'changed') {
        shown.set(event.value.name, event.value.risk);
      }
    });
    await still(() => messages);
    t.is(shown.size, HOSTS);
    for (const [name, {risk}] of model.hosts) {
      t.true(
        Math.abs((shown.get(name) ?? -1) - risk) < 0.011,
        `${name} ${shown.get(name)} ${risk}`,
      );
    }
    t.true(messages < 4 * HOSTS, `${messages} messages of 400,000 changes`);
  },
);

test.serial(
  'events that nobody reads stay in the log, and all come once they are read',
  async t => {
    const TICKS = 3000;
    const long = 'x'.repeat(30_000);
    let readBytes = 0;
    const {api, log, model, client} = await startApi(t);
    const counted: Log = {
      ...log,
      async read(...args) {
        const records = await log.read(...args);
        for (const {value} of records) readBytes += value.byteLength;
        return records;
      },
    };
    const epoch = {epoch: 1, owner: 'core', address: ''};
    await log.append('journal', 0, [codec.encodeJournal({kind: 'epoch', epoch})]);
    applyEpoch(model, 0, epoch, 1);
    let written = 0;
    for (let number = 1; number <= TICKS; number++) {
      const transitions = [aMove('hosts/h1', number, 'a', 'b', {long})];
      const records = encodeTickRecords(codec, aTick(number, {transitions}));
      const offset = await log.append('journal', 0, records);
      written += records.reduce((sum, {byteLength}) => sum + byteLength, 0);
      applyTick(model, 0, aTick(number), offset + 1);
    }
    t.truthy(api);
    const {client: clientOf} = await startApi(t, {
      model,
      clock: systemClock,
      events: {log: counted, codec},
    });
    t.truthy(client);
    const stream = clientOf(EventService).watchEvents({follow: true, since: {seconds: 1n}});
    t.teardown(() => stream.cancel());
    dawdle(stream);
    await sleep(500);
    const taken = await still(() => readBytes);
    t.true(taken < written / 3, `${taken} of ${written} bytes were read for nobody`);
    let events = 0;
    stream.on('data', ({item}: WatchEventsResponse) => {
      if (item.case === 'event') events++;
    });
    await still(() => events);
    t.is(events, TICKS + 1);
  },
);
