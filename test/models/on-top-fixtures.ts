/** Examples of a made-up fleet whose disks fail by a sign that the shipped model does not know. */
import {COMPONENTS} from '../../core/domain/components.ts';
import {COMPONENT_CONTRACT, contractHash, featuresOf} from '../../core/domain/features.ts';
import {type ExampleSet, noneDropped} from '../../models/keeper/example-set.ts';
import {cleanCounts} from '../../models/learning/event-ledger.ts';
import {createUniform} from '../../models/random.ts';

const FEATURES = featuresOf(COMPONENT_CONTRACT);
const SIGN = FEATURES.findIndex(({name}) => name === 'fan_speed_rpm.level');
const DISK = COMPONENTS.indexOf('disk');

export type MadeOptions = {
  readonly hosts?: number;
  readonly rowsEach?: number;
  /** Of each host. */
  readonly failures?: number;
};

/** Six rows stand before each failure; every second host is of other hardware. */
export function makeExamples(options: MadeOptions = {}): ExampleSet {
  const {hosts = 10, rowsEach = 60, failures = 2} = options;
  const random = createUniform(5);
  const rows = hosts * rowsEach;
  const width = FEATURES.length;
  const features = new Float32Array(rows * width).fill(Number.NaN);
  const targets = new Float32Array(rows * COMPONENTS.length);
  const secondsToFailure = new Float32Array(rows).fill(Number.POSITIVE_INFINITY);
  const every = Math.floor(rowsEach / Math.max(failures, 1));
  for (let row = 0; row < rows; row++) {
    const at = (row % rowsEach) % every;
    const failure = Math.floor((row % rowsEach) / every);
    const isBefore = failure < failures && at >= every - 6;
    for (const column of [0, 1, 2, 3]) features[row * width + column] = random();
    features[row * width + SIGN] = isBefore ? 200 + random() : 9000 + random();
    if (!isBefore) continue;
    targets[row * COMPONENTS.length + DISK] = 1;
    secondsToFailure[row] = 300 * (every - at) - 60;
  }
  return {
    rows,
    featureHash: contractHash(COMPONENT_CONTRACT),
    featureCount: width,
    outputs: COMPONENTS,
    horizonSeconds: 1800,
    hosts: Array.from({length: hosts}, (_, host) => ({
      name: `h${host}`,
      cell: 'c',
      hardware: host % 2 === 0 ? 'gen-1' : 'gen-2',
    })),
    features,
    targets,
    weights: new Float32Array(rows).fill(1),
    host: Int32Array.from({length: rows}, (_, row) => Math.floor(row / rowsEach)),
    atMs: Float64Array.from({length: rows}, (_, row) => 1e12 + 300_000 * (row % rowsEach)),
    secondsToFailure,
    counts: {
      failures: Object.fromEntries(
        COMPONENTS.map(name => [name, name === 'disk' ? hosts * failures : 0]),
      ),
      unnamed: 3,
      labels: {},
      ledger: cleanCounts(hosts * failures),
      dropped: noneDropped(),
    },
  };
}
