/** `forestay demo --drift`: the life of a model, on the whole real path. */

import {shippedModel} from './demo-core.ts';
import {
  driftJson,
  driftResult,
  formatDrift,
  formatDriftLine,
  formatDriftSeed,
  formatDriftSeeds,
  isGoodEnd,
} from './demo-drift-report.ts';
import {type DriftOutcome, runDrift} from './demo-drift-run.ts';
import {DRIFT_SCENARIO} from './demo-drift-scenario.ts';
import {EXIT} from './exit-codes.ts';
import {firstSignal} from './signals.ts';

export type DriftFlags = {
  readonly seed: number;
  readonly seeds?: number;
  readonly json?: boolean;
  readonly headless?: boolean;
  /** Folder of the model that serves at first. */
  readonly model?: string;
};

const SHIPPED = shippedModel('component-failure');

/** Exit code: 10 if a run did not come to its good end: see {@link isGoodEnd}. */
export async function demoDrift(flags: DriftFlags): Promise<void> {
  const interrupted = firstSignal();
  const outcomes =
    flags.seeds === undefined
      ? [await one(flags, interrupted)]
      : await many(flags, flags.seeds, interrupted);
  if (interrupted.aborted) process.exitCode = EXIT.interrupted;
  else if (!outcomes.every(isGoodEnd)) process.exitCode = EXIT.no;
}

async function one({seed, model = SHIPPED, json, headless}: DriftFlags, signal: AbortSignal) {
  const out = json ? process.stderr : process.stdout;
  const say = (text: string) => out.write(`${text}\n`);
  const colour = !headless && out.isTTY === true && !process.env.NO_COLOR;
  say(header(seed));
  const outcome = await runDrift({
    seed,
    model,
    signal,
    tell: line => say(formatDriftLine(line, colour)),
  });
  if (!outcome.isWhole) {
    say('\ninterrupted; only a whole run has a result');
    return outcome;
  }
  say(`\n${formatDrift(outcome)}`);
  if (json) process.stdout.write(`${JSON.stringify(driftJson(outcome))}\n`);
  return outcome;
}

function header(seed: number): string {
  const {hosts, arrivingHosts, vms, stepMs, durationMsMax} = DRIFT_SCENARIO;
  return [
    `forestay demo --drift: ${hosts - arrivingHosts} hosts and later ${hosts}, ${vms} VMs, two cells, seed ${seed}, up to ${durationMsMax / 3_600_000} virtual hours, a sample every ${stepMs / 1000} s`,
    'Everything but sensors and drivers is the real path: edges, core, journal, registry, keeper, training. Hours and minutes are virtual.',
    'Nobody tends the model but the keeper; staff says which part of a failed host broke. From the audit log of the registry:',
    '',
  ].join('\n');
}

async function many({model = SHIPPED, json}: DriftFlags, count: number, signal: AbortSignal) {
  const outcomes: DriftOutcome[] = [];
  for (let seed = 1; seed <= count; seed++) {
    const outcome = await runDrift({seed, model, signal, tell: () => {}});
    if (signal.aborted) break;
    outcomes.push(outcome);
    process.stderr.write(`${formatDriftSeed(outcome, driftResult(outcome))}\n`);
  }
  if (outcomes.length < count) {
    process.stderr.write(`interrupted after ${outcomes.length} of ${count} seeds\n`);
  }
  if (outcomes.length === 0) return outcomes;
  if (json) process.stdout.write(`${JSON.stringify(outcomes.map(driftJson))}\n`);
  else process.stdout.write(`\n${formatDriftSeeds(outcomes.map(driftResult))}\n`);
  return outcomes;
}
