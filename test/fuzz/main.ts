/**
 * `node test/fuzz/main.ts --cases 1000000 [--seed S] [--target NAME] [--case N] [-o json]`
 *
 * Feeds mutated bytes to every decoder that takes bytes from outside. A worker thread runs the
 * cases; this one watches that each ends in time and that memory stays bounded. A failure prints
 * the command that repeats it. Exit status 1: something failed.
 */
import {parseArgs} from 'node:util';
import {isMainThread, Worker, workerData} from 'node:worker_threads';
import {wholeNumber} from '../support/flag-numbers.ts';
import {allTargets, runCases, shareOf, type TargetReport} from './run.ts';

type Work = {seed: string; cases: number; target: string; only: number; shared: SharedArrayBuffer};
type Summary = Record<string, TargetReport>;

/** No input of 64 KiB may take longer, on a loaded machine either. */
const caseMsMax = 20_000;
const residentBytesMax = 1024 * 2 ** 20;
const heapMebibytesMax = 512;
const watchEveryMs = 500;

async function work({seed, cases, target, only, shared}: Work): Promise<Summary> {
  // Shared, as a decoder that hangs answers no message.
  const view = new Int32Array(shared);
  const begins = (number: number) => void Atomics.store(view, 0, number);
  const all = await allTargets();
  const chosen = all.filter(({name}) => target === '' || name === target);
  if (chosen.length === 0)
    throw new Error(`no target ${target}; there are ${all.map(({name}) => name).join(', ')}`);
  const reports: Summary = {};
  for (const one of chosen) {
    const to = only >= 0 ? only + 1 : shareOf(one, chosen, cases);
    Atomics.store(view, 1, all.indexOf(one));
    reports[one.name] = await runCases(one, {seed, from: Math.max(0, only), to}, begins);
  }
  return reports;
}

/** Resolves with the reports, or with what ended the worker. */
function watch(data: Work): Promise<{reports?: Summary; died?: string; residentBytes: number}> {
  const view = new Int32Array(data.shared);
  const worker = new Worker(new URL(import.meta.url), {
    workerData: data,
    resourceLimits: {maxOldGenerationSizeMb: heapMebibytesMax},
  });
  let [last, sinceMs, residentBytes] = [-1, performance.now(), 0];
  return new Promise(resolve => {
    const end = (outcome: {reports?: Summary; died?: string}) => {
      clearInterval(timer);
      resolve({...outcome, residentBytes});
      void worker.terminate();
    };
    const where = () => `target ${Atomics.load(view, 1)}, case ${Atomics.load(view, 0)}`;
    const timer = setInterval(() => {
      residentBytes = Math.max(residentBytes, process.memoryUsage.rss());
      const now = Atomics.load(view, 0) + Atomics.load(view, 1) * 1e8;
      if (now !== last) [last, sinceMs] = [now, performance.now()];
      if (performance.now() - sinceMs > caseMsMax) end({died: `hangs at ${where()}`});
      if (residentBytes > residentBytesMax) end({died: `takes too much memory at ${where()}`});
    }, watchEveryMs);
    worker.once('message', reports => end({reports}));
    worker.once('error', error => end({died: `${where()}: ${error}`}));
    worker.once('exit', code => end({died: `worker ended with ${code} at ${where()}`}));
  });
}

async function main(): Promise<number> {
  const {values} = parseArgs({
    options: {
      cases: {type: 'string', default: '100000'},
      seed: {type: 'string', default: String(Math.floor(Math.random() * 1e9))},
      target: {type: 'string', default: ''},
      case: {type: 'string', default: '-1'},
      output: {type: 'string', short: 'o', default: 'text'},
    },
  });
  const {seed, target} = values;
  const startedMs = performance.now();
  const shared = new SharedArrayBuffer(8);
  const {
    reports = {},
    died,
    residentBytes,
  } = await watch({
    seed,
    target,
    cases: wholeNumber(values.cases),
    only: wholeNumber(values.case, -1),
    shared,
  });
  const all = Object.entries(reports);
  const failures = all.flatMap(([name, {failures: found}]) =>
    found.map(failure => ({
      target: name,
      ...failure,
      command: `npm run fuzz -- --target ${name} --seed ${seed} --case ${failure.case}`,
    })),
  );
  const total = (of: (report: TargetReport) => number) =>
    all.reduce((sum, [, report]) => sum + of(report), 0);
  const summary = {
    seed,
    cases: total(report => report.cases),
    taken: total(report => report.taken),
    seconds: Math.round((performance.now() - startedMs) / 100) / 10,
    slowestCaseMs: Math.round(Math.max(0, ...all.map(([, report]) => report.slowestMs))),
    residentMebibytes: Math.round(residentBytes / 2 ** 20),
    failed: failures.length + (died === undefined ? 0 : 1),
    ...(died === undefined ? {} : {died}),
    failures,
    targets: Object.fromEntries(all.map(([name, {cases, taken}]) => [name, {cases, taken}])),
  };
  if (values.output === 'json') console.log(JSON.stringify(summary));
  else console.log(summary);
  return summary.failed === 0 ? 0 : 1;
}

if (isMainThread) {
  process.exitCode = await main();
} else {
  const {parentPort} = await import('node:worker_threads');
  parentPort?.postMessage(await work(workerData as Work));
}
