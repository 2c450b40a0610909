/**
 * Opens connections that send nothing, in a process of its own so that both ends need not share a
 * limit of open files: `node silent-connections.ts PORT COUNT`. Says `open` when all are there.
 */
import {connect} from 'node:net';

const [port, count] = process.argv.slice(2).map(Number) as [number, number];
const TOGETHER = 200;
let next = 0;

const open = (): Promise<void> =>
  new Promise(resolve => {
    const socket = connect(port, '127.0.0.1', resolve);
    socket.resume();
    socket.on('error', () => resolve());
    socket.on('close', () => resolve());
  });
const worker = async (): Promise<void> => {
  while (next++ < count) await open();
};
await Promise.all(Array.from({length: TOGETHER}, worker));
process.stdout.write('open\n');
setInterval(() => {}, 60_000);
