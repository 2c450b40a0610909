import {execFile} from 'node:child_process';
import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';
import test from 'ava';
import {createMemoryFiles} from '../../core/adapters/files-memory.ts';
import {temporaryFolder} from '../support/process.ts';
import {openSpool} from './spool-support.ts';

test('an edge with a small heap and no core keeps what its disk may hold, and stays small', async t => {
  const script = fileURLToPath(new URL('./spool-memory.ts', import.meta.url));
  const args = ['--max-old-space-size=48', script, temporaryFolder(t), '400'];
  const {stdout} = await promisify(execFile)(process.execPath, args);
  const {peakMebibytes, droppedBatches, failedWrites, bytes} = JSON.parse(stdout);
  t.log(`${peakMebibytes} MiB at most`);
  t.true(peakMebibytes < 250);
  t.is(failedWrites, 0);
  t.true(droppedBatches > 5000);
  t.true(bytes <= 16 << 20);
});

test('a file that is dropped while it is being synced is closed when that is over', async t => {
  const files = createMemoryFiles();
  const {openAppend} = files;
  const closedInSync: string[] = [];
  const waiting: (() => void)[] = [];
  files.openAppend = path => {
    const file = openAppend(path);
    let syncing = false;
    return {
      ...file,
      async sync() {
        syncing = true;
        await new Promise<void>(resolve => waiting.push(resolve));
        syncing = false;
        await file.sync();
      },
      close() {
        if (syncing) closedInSync.push(path);
        file.close();
      },
    };
  };
  const {spool, fill, clock} = openSpool(files, {bytesMax: 1000, segmentBytes: 200});
  fill(6);
  await clock.advance(100);
  fill(60);
  t.true(spool.counters.droppedBatches > 0);
  const finish = setInterval(() => waiting.shift()?.(), 1);
  t.teardown(() => clearInterval(finish));
  await clock.advance(100);
  await spool.close();
  t.deepEqual(closedInSync, []);
  t.is(spool.counters.failedWrites, 0);
});
