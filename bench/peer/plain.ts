/** The job as a plain loop: what everything else must come to. Shares no code with the product. */
import * as ort from 'onnxruntime-node';
import {BANDS, drawSample, HOSTS, METRICS, type Outcome, STRIDE, WINDOW} from './job.ts';

const FEATURES = METRICS * 6;
const IN_A_ROW = 3;

/**
 * Runs the job in this thread.
 *
 * @param model Path of the .onnx file; its last output column is the risk.
 */
export async function runPlain(
  model: string,
  samples: number,
  batchRows = 256,
): Promise<Outcome & {cpuMicrosPerSample: number}> {
  const session = await ort.InferenceSession.create(model, {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    extra: {session: {intra_op: {allow_spinning: '0'}}},
  });
  const [inputName = '', outputName = ''] = [session.inputNames[0], session.outputNames[0]];
  const rings = new Float32Array(HOSTS * METRICS * WINDOW);
  const batch = new Float32Array(batchRows * FEATURES);
  const batchHosts = new Int32Array(batchRows);
  const levels = new Uint8Array(HOSTS);
  const runs = new Uint8Array(HOSTS);
  const outcome = {scores: 0, scoreSum: 0, transitions: 0};
  let waiting = 0;

  const flush = async () => {
    const input = new ort.Tensor('float32', batch.subarray(0, waiting * FEATURES), [
      waiting,
      FEATURES,
    ]);
    const output = (await session.run({[inputName]: input}))[outputName] as ort.Tensor;
    const risks = output.data as Float32Array;
    const width = risks.length / waiting;
    for (let row = 0; row < waiting; row++) {
      const risk = risks[(row + 1) * width - 1] as number;
      const host = batchHosts[row] as number;
      outcome.scores++;
      outcome.scoreSum += risk;
      const hit = levels[host] === 0 ? risk >= BANDS.enter : risk < BANDS.leave;
      runs[host] = hit ? (runs[host] as number) + 1 : 0;
      if (runs[host] !== IN_A_ROW) continue;
      runs[host] = 0;
      levels[host] = 1 - (levels[host] as number);
      outcome.transitions++;
    }
    waiting = 0;
  };

  const before = process.cpuUsage();
  for (let sample = 0; sample < samples; sample++) {
    const host = sample % HOSTS;
    const step = Math.floor(sample / HOSTS);
    const ring = host * METRICS * WINDOW;
    drawSample(host, step, rings, ring + (step % WINDOW), WINDOW);
    const count = step + 1;
    if (count < WINDOW || (count + host) % STRIDE !== 0) continue;
    features(rings, ring, count % WINDOW, batch, waiting * FEATURES);
    batchHosts[waiting++] = host;
    if (waiting === batchRows) await flush();
  }
  if (waiting > 0) await flush();
  const {user, system} = process.cpuUsage(before);
  await session.release();
  return {...outcome, cpuMicrosPerSample: (user + system) / samples};
}

/** Six of each metric: last, mean, standard deviation, minimum, maximum, slope. */
function features(
  rings: Float32Array,
  ring: number,
  oldest: number,
  into: Float32Array,
  at: number,
): void {
  const middle = (WINDOW - 1) / 2;
  const squaresOfTime = (WINDOW * (WINDOW * WINDOW - 1)) / 12;
  for (let metric = 0; metric < METRICS; metric++) {
    const from = ring + metric * WINDOW;
    let sum = 0;
    let squares = 0;
    let moment = 0;
    let minimum = Number.POSITIVE_INFINITY;
    let maximum = Number.NEGATIVE_INFINITY;
    for (let age = 0; age < WINDOW; age++) {
      const slot = oldest + age;
      const value = rings[from + (slot < WINDOW ? slot : slot - WINDOW)] as number;
      sum += value;
      squares += value * value;
      moment += (age - middle) * value;
      if (value < minimum) minimum = value;
      if (value > maximum) maximum = value;
    }
    const mean = sum / WINDOW;
    const to = at + metric * 6;
    into[to] = rings[from + (oldest === 0 ? WINDOW : oldest) - 1] as number;
    into[to + 1] = mean;
    into[to + 2] = Math.sqrt(Math.max(0, squares / WINDOW - mean * mean));
    into[to + 3] = minimum;
    into[to + 4] = maximum;
    into[to + 5] = moment / squaresOfTime;
  }
}
