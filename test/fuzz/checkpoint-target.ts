import assert from 'node:assert/strict';
import {createMemoryLog} from '../../core/adapters/log-memory.ts';
import {recover} from '../../core/engine/recovery.ts';
import {type LogRecord, TOPICS, type Topic} from '../../core/ports.ts';
import {codec} from '../../proto/codec.ts';
import {essence} from '../support/journal.ts';
import {createRig, PARTITION, second, vm} from '../support/partition.ts';
import type {Target} from './target.ts';

/** Whatever stands in the checkpoints topic, the state that is recovered is the right one. */
export async function checkpointTarget(): Promise<Target> {
  const rig = createRig();
  const runtime = await rig.start({checkpointMs: 2000});
  const hosts = {a: {risk: 0.9, vms: [vm('v1')]}, b: {}, c: {}};
  for (let seconds = 0; seconds < 6; seconds++) await second(rig, runtime, hosts);
  const wanted = essence(runtime.state);
  const {policy, scorer} = rig;
  const lived = new Map<Topic, readonly LogRecord[]>();
  for (const topic of TOPICS) lived.set(topic, await rig.log.read(topic, PARTITION, 0, 1 << 30));
  const checkpoints = lived.get('checkpoints') ?? [];
  return {
    name: 'checkpoint',
    weight: 1,
    samples: checkpoints.map(({value}) => value),
    async feed(bytes, random) {
      const damaged = Math.floor(random.next() * checkpoints.length);
      const log = createMemoryLog();
      for (const [topic, records] of lived) {
        const values = records.map(({value}, at) =>
          topic === 'checkpoints' && at === damaged ? bytes : value,
        );
        if (values.length > 0) await log.append(topic, PARTITION, values);
      }
      const model = scorer.signature();
      const {state, ticks} = await recover({log, codec, partition: PARTITION, policy, model});
      assert.deepEqual(essence(state), wanted);
      return ticks <= 2;
    },
  };
}
