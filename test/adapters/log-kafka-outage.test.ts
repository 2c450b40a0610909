import test from 'ava';
import {systemClock} from '../../core/adapters/clock-system.ts';
import {openKafkaLog} from '../../core/adapters/log-kafka.ts';
import {isForestayError} from '../../core/domain/errors.ts';
import {mayStartService} from '../services/need.ts';
import {startKafka} from '../services/start.ts';

test('while the brokers are away every call ends with what to do, and ownership is lost', async t => {
  if (!mayStartService(t, 'kafka')) return;
  t.timeout(180_000, 'a broker of its own comes and goes');
  const {brokers, stop} = await startKafka();
  t.teardown(stop);
  const log = await openKafkaLog({brokers, clock: systemClock});
  const value = [Uint8Array.of(1)];
  await log.append('journal', 0, value);
  const lost = new Set<number>();
  await log.own({
    assigned: async () => {},
    revoking: async () => {},
    lost: partition => void lost.add(partition),
  });
  await stop();

  const appending = t.throwsAsync(log.append('journal', 0, value));
  const [read, end, appended] = await Promise.all([
    t.throwsAsync(log.read('journal', 0, 0)),
    t.throwsAsync(log.endOffset('journal', 0)),
    appending,
  ]);
  t.true(isForestayError(appended, 'LOG_APPEND_FAILED') && appended.retryable);
  t.true(isForestayError(read, 'DEPENDENCY_UNREACHABLE') && read.retryable);
  t.true(isForestayError(end, 'DEPENDENCY_UNREACHABLE'));
  await log.close();
  t.is(lost.size, 64);
});
