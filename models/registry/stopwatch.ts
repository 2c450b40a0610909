import {quantile} from '../metrics.ts';

/**
 * What a run of a model takes, in CPU time of this thread, on which the ONNX runtime computes: what
 * else the machine does is not the model's.
 */
export async function cpuMsOf(run: () => Promise<void>): Promise<number> {
  const began = process.threadCpuUsage();
  await run();
  const {user, system} = process.threadCpuUsage(began);
  return (user + system) / 1000;
}

/** Times runs of a model one by one, as {@link cpuMsOf} does. */
export function createStopwatch() {
  const times: number[] = [];
  return {
    async time(run: () => Promise<void>): Promise<void> {
      times.push(await cpuMsOf(run));
    },
    /** 99 of 100 runs took no longer; the first, which warms up, aside. NaN without runs. */
    p99Ms(): number {
      const warm = times.length > 1 ? times.slice(1) : times;
      return (
        quantile(
          warm.toSorted((a, b) => a - b),
          0.99,
        ) ?? Number.NaN
      );
    },
  };
}
