import {type DriftSnapshot, takeSnapshot} from '../../core/domain/drift/snapshot.ts';
import {createUniform} from '../../models/random.ts';

const ROWS = 60;
const HOSTS = 6;

/** Of two columns of drawn rows. */
export function drawSnapshot(seed: number): DriftSnapshot {
  const random = createUniform(seed);
  const features = Float32Array.from({length: 2 * ROWS}, (_, at) =>
    at % 7 === 0 ? Number.NaN : random(),
  );
  const host = Int32Array.from({length: ROWS}, (_, row) => row % HOSTS);
  return takeSnapshot({features, host, fleet: host.map(each => each % 2)}, [
    {name: 'first.level', unit: 'celsius'},
    {name: 'second.level', unit: ''},
  ]);
}
