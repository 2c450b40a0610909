import test from 'ava';
import {createMemoryLog} from '../../core/adapters/log-memory.ts';
import {logContract} from '../contracts/log.ts';

logContract(test, 'memory', async () => createMemoryLog());

test('what retention dropped is answered from the start', async t => {
  const log = createMemoryLog();
  await log.append('journal', 3, [Uint8Array.of(1), Uint8Array.of(2), Uint8Array.of(3)]);
  log.dropBefore('journal', 3, 2);
  t.is(await log.startOffset('journal', 3), 2);
  t.deepEqual(await log.read('journal', 3, 0), [{offset: 2, value: Uint8Array.of(3)}]);
  t.is(await log.append('journal', 3, [Uint8Array.of(4)]), 3);
  log.dropBefore('journal', 3, 99);
  t.is(await log.startOffset('journal', 3), 4);
  t.deepEqual(await log.read('journal', 3, 0), []);
});
