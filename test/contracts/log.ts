import type {ExecutionContext, TestFn} from 'ava';
import {isForestayError} from '../../core/domain/errors.ts';
import {PARTITION_COUNT} from '../../core/domain/hash.ts';
import type {Log, LogRecord, Topic} from '../../core/ports.ts';
import fc from '../support/fast-check.ts';

/** Gives a log on the same storage as before, or one of its own; the contract closes it. */
export type OpenLog = (t: ExecutionContext) => Promise<Log | undefined>;

const bytes = (text: string): Uint8Array => Buffer.from(text);
const textOf = ({value}: LogRecord): string => Buffer.from(value).toString();

/** Everything from `from` to where the log ends now, by as many reads as it takes. */
export async function readAll(
  log: Log,
  topic: Topic,
  partition: number,
  from = 0,
  maxBytes?: number,
): Promise<LogRecord[]> {
  const records: LogRecord[] = [];
  const end = await log.endOffset(topic, partition);
  for (let next = from; next < end; ) {
    const some = await log.read(topic, partition, next, maxBytes);
    if (some.length === 0) throw new Error(`${topic}/${partition}: nothing at ${next} of ${end}`);
    records.push(...some);
    next = (some.at(-1) as LogRecord).offset + 1;
  }
  return records;
}

/** What every log does. Each case keeps to a partition of its own. `open` gives nothing: not run. */
export function logContract(test: TestFn, name: string, open: OpenLog): void {
  let cases = 0;
  const each = (
    title: string,
    body: (t: ExecutionContext, log: Log, partition: number) => Promise<void>,
  ): void => {
    const partition = cases++;
    test.serial(`${name}: ${title}`, async t => {
      const log = await open(t);
      if (log === undefined) return;
      try {
        await body(t, log, partition);
      } finally {
        await log.close();
      }
    });
  };

  each('offsets are contiguous from 0 and values come back as they were', async (t, log, p) => {
    t.is(await log.startOffset('journal', p), 0);
    t.is(await log.endOffset('journal', p), 0);
    t.deepEqual(await log.read('journal', p, 0), []);
    t.is(await log.append('journal', p, [bytes('a'), new Uint8Array(0)]), 0);
    t.is(await log.append('journal', p, [bytes('c')]), 2);
    t.is(await log.endOffset('journal', p), 3);
    const records = await readAll(log, 'journal', p);
    t.deepEqual(
      records.map(record => [record.offset, textOf(record)]),
      [
        [0, 'a'],
        [1, ''],
        [2, 'c'],
      ],
    );
  });

  each('a record that is appended can be read at once', async (t, log, p) => {
    for (let round = 0; round < 20; round++) {
      const offset = await log.append('inbox', p, [bytes(`r${round}`)]);
      const records = await log.read('inbox', p, offset);
      t.deepEqual(records.map(textOf), [`r${round}`]);
    }
  });

  each(
    'reading starts anywhere, goes back, and is empty at and after the end',
    async (t, log, p) => {
      await log.append('inbox', p, ['a', 'b', 'c', 'd'].map(bytes));
      t.deepEqual((await readAll(log, 'inbox', p, 2)).map(textOf), ['c', 'd']);
      t.deepEqual((await readAll(log, 'inbox', p, 0)).map(textOf), ['a', 'b', 'c', 'd']);
      t.deepEqual(await log.read('inbox', p, 4), []);
      t.deepEqual(await log.read('inbox', p, 9), []);
      t.deepEqual((await readAll(log, 'inbox', p, 3)).map(textOf), ['d']);
    },
  );

  each('a read is bounded by bytes but gives at least one record', async (t, log, p) => {
    const large = new Uint8Array(600 << 10).fill(7);
    for (let n = 0; n < 3; n++) await log.append('checkpoints', p, [large]);
    t.deepEqual((await log.read('checkpoints', p, 1, 1)).length, 1);
    const all = await readAll(log, 'checkpoints', p, 0, 700 << 10);
    t.deepEqual(
      all.map(({value}) => Buffer.compare(value, large)),
      [0, 0, 0],
    );
  });

  each('appends without waiting keep their order and count up', async (t, log, p) => {
    const offsets = await Promise.all(
      Array.from({length: 200}, (_, n) => log.append('telemetry', p, [bytes(`v${n}`)])),
    );
    t.deepEqual(
      offsets,
      offsets.map((_, n) => n),
    );
    const texts = (await readAll(log, 'telemetry', p)).map(textOf);
    t.deepEqual(
      texts,
      offsets.map((_, n) => `v${n}`),
    );
  });

  each('topics and partitions do not see each other', async (t, log, p) => {
    await Promise.all([
      log.append('journal', p, [bytes('j')]),
      log.append('scores', p, [bytes('s')]),
      log.append('journal', PARTITION_COUNT - 1 - p, [bytes('far')]),
    ]);
    t.deepEqual((await readAll(log, 'journal', p)).map(textOf), ['j']);
    t.deepEqual((await readAll(log, 'scores', p)).map(textOf), ['s']);
    t.deepEqual((await readAll(log, 'journal', PARTITION_COUNT - 1 - p)).map(textOf), ['far']);
    t.is(await log.endOffset('inbox', p), 0);
  });

  each('is a list: any mix of appends and reads', async (t, log, p) => {
    const model: string[] = [];
    const step = fc.oneof(
      fc.array(fc.string({maxLength: 50}), {minLength: 1, maxLength: 5}),
      fc.record({from: fc.nat(40), maxBytes: fc.nat(200)}),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, {maxLength: 12}), async steps => {
        for (const step of steps) {
          if (Array.isArray(step)) {
            t.is(await log.append('scores', p, step.map(bytes)), model.length);
            model.push(...step);
          } else {
            const records = await log.read('scores', p, step.from, step.maxBytes);
            t.is(records.length > 0, step.from < model.length);
            for (const [n, record] of records.entries()) {
              t.is(record.offset, step.from + n);
              t.is(textOf(record), model[record.offset] as string);
            }
          }
        }
      }),
      {numRuns: 25},
    );
  });

  each('what is released may go, all that is not stays', async (t, log, p) => {
    for (let n = 0; n < 8; n++) {
      await log.append('journal', p, [bytes(`j${n}`)]);
      await log.append('checkpoints', p, [Buffer.alloc(300_000, n)]);
    }
    for (const topic of ['journal', 'checkpoints'] as const) {
      await log.release(topic, p, 5);
      await log.release(topic, p, 2);
      t.true((await log.startOffset(topic, p)) <= 5);
      t.is(await log.append(topic, p, [bytes('last')]), 8);
      const left = (await readAll(log, topic, p, 5)).map(({offset}) => offset);
      t.deepEqual(left, [5, 6, 7, 8]);
    }
    t.is(textOf((await log.read('journal', p, 0))[0] as LogRecord), 'j0');
  });

  each('an owner gets every partition once and gives every one back', async (t, log) => {
    const held = new Set<number>();
    const deadlines: number[] = [];
    const membership = await log.own({
      async assigned(partition) {
        t.false(held.has(partition));
        held.add(partition);
      },
      async revoking(partition, deadlineMs) {
        t.true(held.delete(partition));
        deadlines.push(deadlineMs);
      },
      lost: partition => t.fail(`lost ${partition}`),
    });
    t.is(held.size, PARTITION_COUNT);
    const leftAtMs = Date.now();
    await membership.leave();
    t.is(held.size, 0);
    t.true(deadlines.every(deadlineMs => deadlineMs > leftAtMs));
  });

  each('an owner that cannot take a partition over is told why', async (t, log) => {
    const held = new Set<number>();
    const joining = log.own({
      async assigned(partition) {
        if (partition === 9) throw new Error('partition 9 will not');
        held.add(partition);
      },
      async revoking(partition) {
        held.delete(partition);
      },
      lost: partition => void held.delete(partition),
    });
    await t.throwsAsync(joining, {message: 'partition 9 will not'});
    t.is(held.size, 0);
  });

  each('closing loses what is owned and refuses everything after', async (t, log, p) => {
    const held = new Set<number>();
    await log.own({
      async assigned(partition) {
        held.add(partition);
      },
      async revoking() {
        t.fail('closing does not ask');
      },
      lost: partition => void held.delete(partition),
    });
    await log.close();
    t.is(held.size, 0);
    const refused = [
      log.release('journal', p, 0),
      log.append('journal', p, [bytes('x')]),
      log.read('journal', p, 0),
      log.endOffset('journal', p),
      log.startOffset('journal', p),
    ];
    for (const {reason} of (await Promise.allSettled(refused)) as PromiseRejectedResult[])
      t.true(isForestayError(reason, 'LOG_CLOSED'));
    await log.close();
  });
}
