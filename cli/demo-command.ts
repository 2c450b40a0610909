import {createPiscinaScorer} from '../core/adapters/scorer-piscina.ts';
import {DEFAULT_REPAIR_FACTOR} from '../core/simulation/datacenter.ts';
import type {FaultKind} from '../core/simulation/faults.ts';
import type {LedgerDetails} from '../core/simulation/ledger.ts';
import {CONFIRM_AFTER_MS} from '../core/simulation/reactive.ts';
import {START_MS} from './datacenter-agents.ts';
import type {DemoFlags} from './demo.ts';
import {shippedModel} from './demo-core.ts';
import {comparison, distribution, formatElapsed, formatLine, toJson} from './demo-report.ts';
import {type DemoOptions, type DemoOutcome, runDemo} from './demo-run.ts';
import {firstSignal} from './signals.ts';

const DEFAULT_SPEED = 60;

/** Runs one seed and tells it, or several and prints their distribution. */
export async function demo(flags: DemoFlags): Promise<void> {
  const interrupted = firstSignal();
  if (flags.seeds === undefined) await one(flags, interrupted);
  else await many(flags, flags.seeds, interrupted);
  if (interrupted.aborted) process.exitCode = 130;
}

function optionsOf(flags: DemoFlags, seed: number, signal: AbortSignal): DemoOptions {
  const faults = flags.fault.includes('all')
    ? 'all'
    : flags.fault.includes('none')
      ? 'none'
      : (flags.fault as FaultKind[]);
  return {
    seed,
    hosts: flags.hosts,
    vms: flags.vms,
    durationMs: flags.duration,
    speed: flags.speed ?? (flags.headless ? Number.POSITIVE_INFINITY : DEFAULT_SPEED),
    faults,
    intents: flags.intents,
    openScorer: () =>
      createPiscinaScorer({
        modelPath: flags.model ?? shippedModel('component-failure'),
        threads: 1,
      }),
    intentModel:
      flags.intentModel === 'off'
        ? undefined
        : (flags.intentModel ?? shippedModel('reboot-intent')),
    learning: flags.learning,
    thisMachine: flags.thisMachine,
    tell: () => {},
    signal,
  };
}

async function one(flags: DemoFlags, signal: AbortSignal): Promise<void> {
  const out = flags.json ? process.stderr : process.stdout;
  const say = (text: string) => out.write(`${text}\n`);
  const colour = !flags.headless && out.isTTY === true && !process.env.NO_COLOR;
  const options = optionsOf(flags, flags.seed, signal);
  say(header(options));
  await runDemo({
    ...options,
    tell: line => say(formatLine(line, START_MS, colour)),
    onServing: ({grpcAddress, httpAddress}) => {
      say(
        `gRPC ${grpcAddress} (try: forestay hosts list --server ${grpcAddress})   HTTP http://${httpAddress}/metrics\n`,
      );
    },
    async onOver(outcome) {
      const ranMs = outcome.untilMs - START_MS;
      if (ranMs < options.durationMs) {
        say(interruption(ranMs, options));
        return;
      }
      say(footer(outcome));
      if (flags.json) process.stdout.write(`${JSON.stringify(toJson(outcome))}\n`);
      if (flags.until === 'interrupted') await untilAborted(signal, say);
    },
  });
}

/** A part of a run has no result: what it says of the rest would be wrong. */
function interruption(ranMs: number, {durationMs}: DemoOptions): string {
  return `\ninterrupted at ${formatElapsed(ranMs)} of ${formatElapsed(durationMs)} virtual minutes; only a whole run has a comparison and a journal sha256`;
}

function header({seed, hosts, vms, durationMs, speed}: DemoOptions): string {
  const pace = Number.isFinite(speed) ? `${speed} times as fast as life` : 'as fast as it goes';
  return [
    `forestay demo: ${hosts} hosts, ${vms} VMs, two cells, seed ${seed}, ${minutesOf(durationMs)}, ${pace}`,
    `Everything but sensors and drivers is the real path. Mode auto (a core of your own observes until told otherwise).`,
    `Repairs take a ${DEFAULT_REPAIR_FACTOR}th of their recorded time. Loads follow recorded servers (ASD, SMD).`,
  ].join('\n');
}

function minutesOf(durationMs: number): string {
  const minutes = Number((durationMs / 60_000).toFixed(1));
  return `${minutes} virtual ${minutes === 1 ? 'minute' : 'minutes'}`;
}

function footer(outcome: DemoOutcome): string {
  const {acts, details, journalSha256, ticks, thisMachine, wallSeconds} = outcome;
  const violations = details.violations.length;
  return [
    '',
    comparison(outcome),
    '',
    `  reactive: the same seed with ordinary HA: fenced after ${CONFIRM_AFTER_MS / 1000} s of silence, restarted elsewhere, same placement rules`,
    `  acts: ${acts.cordons} cordons, ${acts.migrations} migrations, ${acts.ghostsArmed} ghosts armed, ${acts.ghostsActivated} activated, ${acts.failBacks} failed back, ${acts.restraints} false alarms left alone`,
    `  ${details.hostFailures} hosts failed, ${rebootsOf(details)}; VMs asked to run twice: ${violations}`,
    ...(thisMachine === undefined
      ? []
      : [
          `  ${thisMachine.host}, the machine this ran on, took part with its real /proc, only observed: ${describeRisk(thisMachine.risk)}`,
        ]),
    `  journal sha256 ${journalSha256} (${ticks} ticks, ${wallSeconds.toFixed(0)} s of wall time)`,
  ].join('\n');
}

/** What people did to their own hosts, and what it cost. */
function rebootsOf({plannedReboots, missedReboots, plannedDowntimeSeconds}: LedgerDetails): string {
  if (plannedReboots === 0) return 'none was rebooted on purpose';
  const seconds = Math.round(plannedDowntimeSeconds).toLocaleString('en');
  return `${plannedReboots} were rebooted on purpose (${missedReboots} with VMs on them that could have moved; ${seconds} s of the downtime)`;
}

function describeRisk(risk: number): string {
  return Number.isNaN(risk) ? 'not scored' : `risk ${(100 * risk).toFixed(0)} %`;
}

function untilAborted(signal: AbortSignal, say: (text: string) => void): Promise<void> {
  say('\nThe run is over; the core serves until you interrupt it.');
  return new Promise(resolve => {
    if (signal.aborted) return resolve();
    signal.addEventListener('abort', () => resolve(), {once: true});
  });
}

async function many(flags: DemoFlags, count: number, signal: AbortSignal): Promise<void> {
  const outcomes: DemoOutcome[] = [];
  for (let seed = 1; seed <= count && !signal.aborted; seed++) {
    const options = {
      ...optionsOf(flags, seed, signal),
      speed: flags.speed ?? Number.POSITIVE_INFINITY,
    };
    const outcome = await runDemo({...options, thisMachine: false});
    if (signal.aborted) break;
    outcomes.push(outcome);
    const {forestay, reactive, acts, wallSeconds} = outcome;
    process.stderr.write(
      `seed ${String(seed).padStart(3)}  downtime ${forestay.vmDowntimeSeconds.toFixed(0).padStart(6)} s against ${reactive.vmDowntimeSeconds.toFixed(0).padStart(6)} s  moves ${forestay.migrations} (${forestay.needlessMoves} needless)  missed ${forestay.missedFailures} of ${outcome.details.hostFailures}  restraints ${acts.restraints}  ${wallSeconds.toFixed(0)} s\n`,
    );
  }
  if (outcomes.length < count) {
    process.stderr.write(`interrupted after ${outcomes.length} of ${count} seeds\n`);
  }
  if (outcomes.length === 0) return;
  if (flags.json) process.stdout.write(`${JSON.stringify(outcomes.map(toJson))}\n`);
  else process.stdout.write(`\n${distribution(outcomes)}\n`);
}
