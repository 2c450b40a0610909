/** What the way in costs: bytes on a stream until the ack, with a log that only counts. */
import {LOAD_OPTIONS, loadOf, runOptions, SHAPE_NAMES, type Shape} from './pipeline.ts';
import {numberOf, resultOf, wordsOf} from './result.ts';
import {runIngest} from './support/run.ts';
import type {BenchArgs, BenchResult, BenchVerb} from './verb.ts';
import {measureWindows} from './windows.ts';
import {measureWire} from './wire.ts';

/**
 * Rates that leave room: what is asked for is the cost, not the limit. Each narrow edge sends five
 * messages a second: as many as 10,000 edges do, with fewer connections to keep.
 */
const LOADS: Readonly<Record<Shape, Record<string, string>>> = {
  wide: {rate: '500000'},
  narrow: {edges: '2000', rate: '110000'},
};

export const ingest: BenchVerb = {
  name: 'ingest',
  summary: 'gRPC stream to ack, without log and engine; and what codec and windows cost alone',
  options: [
    {flags: '--shape <names>', description: 'wide, narrow or both', default: 'wide,narrow'},
    {flags: '--runs <n>', description: 'of each', default: '3'},
    ...LOAD_OPTIONS.filter(({flags}) => !/tick|score|store|node|profile/.test(flags)),
  ],
  run: measureIngest,
};

async function measureIngest({options}: BenchArgs): Promise<BenchResult> {
  const runs: Record<string, number[]> = {};
  const reasons: string[] = [];
  let steal = 0;
  for (const shape of wordsOf(options.shape, 'shape', SHAPE_NAMES)) {
    const load = loadOf(shape, {...LOADS[shape], ...options});
    for (let run = 0; run < numberOf(options.runs, 'runs', 1); run++) {
      const {warmUpMs, windowMs} = runOptions({...PRESETS, ...options});
      const {server, generator, steal: stolen} = await runIngest({load, warmUpMs, windowMs});
      steal = Math.max(steal, stolen);
      reasons.push(...generator.refusals);
      const figures = {
        cpuNsPerSample: (1e6 * server.cpuMs) / server.samples,
        microsPerMessage: (1000 * server.cpuMs) / server.messages,
        samplesPerSecond: server.samples / server.seconds,
        ackP50Ms: generator.ackMs.p50,
        ackP99Ms: generator.ackMs.p99,
        senderLagP99Ms: generator.senderLagMs.p99,
        generatorCpuNsPerSample: 1000 * generator.cpuMicrosPerSample,
      };
      for (const [name, value] of Object.entries(figures)) {
        const key = `ingest.${shape}.${name}`;
        runs[key] = [...(runs[key] ?? []), value];
      }
    }
  }
  return resultOf({runs, metrics: {...measureWire(), ...measureWindows()}, reasons, steal});
}

const PRESETS = {tick: '250', scoreEvery: '0', storeEvery: '1'};
