/** The peers themselves: built from a folder like theirs, copied first, and run one after another. */
import {execFile} from 'node:child_process';
import {cp, mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {promisify} from 'node:util';
import type {Outcome} from './job.ts';

const exec = promisify(execFile);
const BUILD_MS = 900_000;
const RUN_MS = 600_000;
const OUTPUT_BYTES = 2 ** 24;
const JVM = [
  ...['-Xms2g', '-Xmx2g', '-XX:+AlwaysPreTouch'],
  ...['--add-opens=java.base/java.util=ALL-UNNAMED', '--add-opens=java.base/java.lang=ALL-UNNAMED'],
  ...['-Dorg.slf4j.simpleLogger.defaultLogLevel=warn', '-cp', 'target/classes:libs/*'],
];

export type JavaRun = {cpuMicrosPerSample: number; outcome: Outcome | undefined};

export type JavaPeers = {
  /** Flink on a local cluster: the whole job, its source included. */
  flink(modelPath: string, samples: number, warmUpSamples: number): Promise<JavaRun>;
  /** One thread over samples in memory; the median of the passes after the first. */
  plain(modelPath: string, samples: number): Promise<JavaRun>;
  close(): Promise<void>;
};

/** Needs `mvn` and a JDK of 17 or later. Rejects with what the build said. */
export async function buildJavaPeers(folder: string): Promise<JavaPeers> {
  const directory = await mkdtemp(join(tmpdir(), 'forestay-peers-'));
  const close = () => rm(directory, {recursive: true, force: true});
  try {
    await cp(folder, directory, {recursive: true, mode: 0});
    await exec('chmod', ['-R', 'u+w', directory]);
    const goals = ['compile', 'dependency:copy-dependencies', '-DoutputDirectory=libs'];
    await exec('mvn', ['-q', ...goals], {cwd: directory, timeout: BUILD_MS});
  } catch (error) {
    await close();
    throw error;
  }
  const run = async (name: string, settings: Record<string, string | number>) => {
    const args = Object.entries(settings).map(([key, value]) => `${key}=${value}`);
    const {stdout} = await exec('java', [...JVM, `peer.${name}`, ...args], {
      cwd: directory,
      timeout: RUN_MS,
      maxBuffer: OUTPUT_BYTES,
    });
    return stdout;
  };
  return {
    async flink(model, samples, warm) {
      return readRun(await run('FlinkApp', {model, samples, warm, batch: 64}), 0);
    },
    async plain(model, samples) {
      return readRun(await run('Plain', {model, samples, passes: 4, batch: 64}), 1);
    },
    close,
  };
}

/** RESULT lines carry `cpu_us=`; a CHECK line carries what came out. */
export function readRun(output: string, skipped: number): JavaRun {
  const costs = [...output.matchAll(/^RESULT .* cpu_us=([\d.]+)/gm)]
    .slice(skipped)
    .map(match => Number(match[1]))
    .sort((a, b) => a - b);
  const check = /^CHECK .*scores=(\d+) transitions=(\d+) sumP=([\d.]+)/m.exec(output);
  return {
    cpuMicrosPerSample: costs[costs.length >> 1] ?? Number.NaN,
    outcome:
      check === null
        ? undefined
        : {scores: Number(check[1]), transitions: Number(check[2]), scoreSum: Number(check[3])},
  };
}
