import test from 'ava';
import {createMemoryFiles} from '../../core/adapters/files-memory.ts';
import {seededRandom} from '../../core/adapters/random-seeded.ts';
import type {EffectReport} from '../../core/domain/effects.ts';
import {type EffectTableLimits, openEffectTable} from '../../edge/actuator/effect-table.ts';
import {encodeFrame, START} from '../../edge/frame.ts';
import fc from '../support/fast-check.ts';
import {issue} from '../support/step-driver.ts';

const path = '/effects/h1';

function done(id: string): EffectReport {
  const figures = {downtime_seconds: 0.5};
  return {id, status: 'done', code: '', message: '', progress: 1, figures};
}

function open(files = createMemoryFiles(), limits?: EffectTableLimits) {
  const table = openEffectTable(limits === undefined ? {files, path} : {files, path, limits});
  return {files, table};
}

test('epochs and results outlive the process; what ran is still known to have been begun', async t => {
  const {files, table} = open();
  const [ended, running] = [issue(), issue()];
  await table.raiseEpoch(3, 7);
  await table.raiseEpoch(3, 6);
  await table.begin(ended);
  await table.begin(running);
  await table.end(done(ended.id));
  files.crash();
  const again = open(files).table;
  t.is(again.highestEpoch(3), 7);
  t.is(again.highestEpoch(4), 0);
  t.deepEqual(again.find(ended.id), {effect: ended, report: done(ended.id)});
  t.is(again.find(running.id)?.report.status, 'running');
  t.is(again.find('3/7/9/9'), undefined);
});

test('the file stays small however long the agent lives, and results are forgotten in order', async t => {
  const {files, table} = open(createMemoryFiles(), {resultsMax: 3, grownBytesMax: 2_000});
  const running = issue();
  await table.begin(running);
  const ended = Array.from({length: 40}, () => issue());
  for (const effect of ended) {
    await table.begin(effect);
    await table.end(done(effect.id));
  }
  t.true(files.size(path) < 4_000, `${files.size(path)} bytes`);
  const again = open(files, {resultsMax: 3, grownBytesMax: 2_000}).table;
  t.is(again.find(running.id)?.report.status, 'running');
  t.is(again.find(ended[0]?.id ?? '')?.report, undefined);
  t.deepEqual(again.find(ended[39]?.id ?? '')?.report, done(ended[39]?.id ?? ''));
});

test('a table with a changed byte is not opened: a fence may be gone', async t => {
  const {files, table} = open();
  await table.raiseEpoch(3, 7);
  await table.begin(issue());
  table.close();
  files.damage(path, 25);
  t.throws(() => open(files), {code: 'LOG_CORRUPT', message: /damaged at byte 0 of \d+/});
});

test('after a crash at any call, everything that was confirmed is still there', async t => {
  const property = fc.asyncProperty(
    fc.integer({min: 0, max: 60}),
    fc.nat(),
    fc.array(fc.integer({min: 0, max: 2}), {minLength: 1, maxLength: 25}),
    async (failAt, seed, acts) => {
      const files = createMemoryFiles();
      const limits = {resultsMax: 100, grownBytesMax: 700};
      const confirmed = {epoch: 0, begun: [] as string[], ended: [] as string[]};
      files.failAfter(failAt);
      try {
        const {table} = open(files, limits);
        for (const act of acts) {
          const epoch = confirmed.epoch + 1;
          if (act === 0) {
            await table.raiseEpoch(3, epoch);
            confirmed.epoch = epoch;
            continue;
          }
          const effect = issue();
          await table.begin(effect);
          confirmed.begun.push(effect.id);
          if (act === 1) continue;
          await table.end(done(effect.id));
          confirmed.ended.push(effect.id);
        }
      } catch (error) {
        t.regex(String((error as {code?: string}).code), /^(EIO|AGENT_UNREACHABLE)$/);
      }
      files.crash(seededRandom(seed));
      const {table} = open(files, limits);
      t.true(table.highestEpoch(3) >= confirmed.epoch);
      for (const id of confirmed.begun) t.truthy(table.find(id), id);
      for (const id of confirmed.ended) t.is(table.find(id)?.report.status, 'done', id);
    },
  );
  // A failure prints its seed.
  await fc.assert(property, {numRuns: 200});
});

test('a row that is none is damage, however whole its bytes are', t => {
  const rows = [
    'not JSON',
    'null',
    '{"kind":"other"}',
    '{"kind":"epoch","partition":3}',
    '{"kind":"begun","effect":{"id":"3/1/1/0","kind":"dance"}}',
    '{"kind":"ended","report":{"id":"3/1/1/0","status":"running"}}',
  ];
  for (const row of rows) {
    const files = createMemoryFiles();
    files.makeDirectory('/effects');
    const before = encodeFrame(START, Buffer.from('{"kind":"epoch","partition":3,"epoch":7}'));
    files.replace(path, Buffer.concat([...before, ...encodeFrame(START, Buffer.from(row))]));
    t.throws(() => open(files), {code: 'LOG_CORRUPT', message: /damaged at byte 60 of/}, row);
  }
});

test('a full disk refuses to begin what it cannot remember, and goes on when there is room', async t => {
  for (let room = 0; room < 120; room += 7) {
    const {files, table} = open();
    const [known, refused] = [issue(), issue()];
    await table.raiseEpoch(3, 7);
    await table.begin(known);
    files.limitTo(files.size(path) + room);
    const error = await t.throwsAsync(table.begin(refused));
    t.like(error, {code: 'AGENT_UNREACHABLE', retryable: true, details: {path}});
    t.is(table.find(refused.id), undefined, 'so it is not begun');
    files.limitTo(Number.POSITIVE_INFINITY);
    await table.end(done(known.id));
    await table.begin(refused);
    files.crash();
    const again = open(files).table;
    t.is(again.highestEpoch(3), 7);
    t.is(again.find(known.id)?.report.status, 'done');
    t.is(again.find(refused.id)?.report.status, 'running');
  }
});
