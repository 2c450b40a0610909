/** Pushes many times its heap through a spool that nobody empties; prints its peak of memory. */
import {readFileSync} from 'node:fs';
import {systemClock} from '../../core/adapters/clock-system.ts';
import {nodeFiles} from '../../core/adapters/files-node.ts';
import {Spool} from '../../edge/spool.ts';

const [folder = '', mebibytes = ''] = process.argv.slice(2);
const limits = {bytesMax: 16 << 20, segmentBytes: 1 << 20};
const spool = new Spool({files: nodeFiles, clock: systemClock, folder, limits});
const bodyBytes = 64 << 10;
for (let pushed = 0; pushed < Number(mebibytes) << 20; pushed += bodyBytes) {
  spool.append(Buffer.alloc(bodyBytes, pushed));
  // An uplink that looks for what comes next, and gets no acks.
  spool.after(spool.acked);
  if (pushed % (8 << 20) === 0) await systemClock.sleep(1);
}
const {droppedBatches, failedWrites} = spool.counters;
await spool.close();
const peakKibibytes = /VmHWM:\s+(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
const peakMebibytes = Number(peakKibibytes) / 1024;
console.log(JSON.stringify({peakMebibytes, droppedBatches, failedWrites, bytes: spool.bytes}));
