/**
 * From ticks to what a person wants to know: what changed, why, what was done, what it cost, and
 * what was deliberately not done. Pure: lines go to a callback.
 */
import type {Decision, Reason} from '../core/domain/decision.ts';
import type {ScoresRecord, Tick, Transition} from '../core/domain/records.ts';
import {REBOOT} from '../core/domain/risk.ts';
import type {HostContext, VmContext} from '../statecharts/events.ts';
import {formatFigure, formatPercent} from './figures.ts';

export type Tone = 'plain' | 'quiet' | 'warn' | 'bad' | 'good';
export type StoryLine = {atMs: number; tone: Tone; subject: string; text: string};

/** What was really done, counted from effects that were carried out. */
export type Acts = {
  cordons: number;
  migrations: number;
  ghostsArmed: number;
  ghostsActivated: number;
  failBacks: number;
  /** Alarms on which nothing was done, and rightly: the host is healthy again. */
  restraints: number;
};

type Episode = {
  acted: boolean;
  declined: boolean;
  /** When it was first thought at risk of a reboot. */
  rebootSeenAtMs?: number;
};

export type StoryOptions = {
  tell: (line: StoryLine) => void;
  /** Whether people took a host down that is down now: what nobody but the simulation knows. */
  wasMeant?: (host: string) => boolean;
  /** Told when something was done about a host, and when it was thought healthy again. */
  onAct?: (host: string, atMs: number) => void;
  onClear?: (host: string) => void;
};

/** Virtual time without a line after which one says so. */
const QUIET_MS = 5 * 60_000;

export class Story {
  readonly acts: Acts = {
    cordons: 0,
    migrations: 0,
    ghostsArmed: 0,
    ghostsActivated: 0,
    failBacks: 0,
    restraints: 0,
  };
  readonly #options: StoryOptions;
  readonly #reasons = new Map<string, readonly Reason[]>();
  /** Alarms that last, by host. */
  readonly #episodes = new Map<string, Episode>();
  readonly #places = new Map<string, string>();
  /** What was said once about an alarm is not said again while it lasts. */
  readonly #said = new Set<string>();
  /** What the last effect on a VM cost, as its driver measured it. */
  readonly #figures = new Map<string, Readonly<Record<string, number>>>();
  #nowMs = 0;
  /** Of the newest line, or of the first tick. */
  #toldAtMs = 0;

  constructor(options: StoryOptions) {
    this.#options = options;
  }

  scores(record: ScoresRecord): void {
    for (const {row, reasons} of record.reasons) {
      this.#reasons.set(record.hosts[row] as string, reasons);
    }
  }

  /** An effect on a VM is over; told before the tick that it is part of. */
  finished(vm: string, figures: Readonly<Record<string, number>>): void {
    this.#figures.set(vm, figures);
  }

  tick(tick: Tick): void {
    this.#nowMs = tick.timeMs;
    this.#toldAtMs ||= tick.timeMs;
    for (const {host, vms} of tick.inventory) for (const {vm} of vms) this.#places.set(vm, host);
    for (const transition of tick.transitions) {
      if (transition.actor.startsWith('hosts/')) this.#hostMoved(transition);
      else this.#vmMoved(transition);
    }
    for (const decision of tick.decisions) this.#decided(decision);
    this.#tellStaying(tick.decisions);
    this.#tellQuiet();
  }

  /** True the first time in an alarm of this host. */
  #first(host: string, what: string): boolean {
    const key = `${host} ${what}`;
    if (this.#said.has(key)) return false;
    this.#said.add(key);
    return true;
  }

  #forget(host: string): void {
    this.#episodes.delete(host);
    for (const key of this.#said) if (key.startsWith(`${host} `)) this.#said.delete(key);
  }

  /** Nobody should wonder whether it stands still. */
  #tellQuiet(): void {
    if (this.#nowMs - this.#toldAtMs < QUIET_MS) return;
    const atRisk = this.#episodes.size === 0 ? 'none' : [...this.#episodes.keys()].join(', ');
    const minutes = QUIET_MS / 60_000;
    this.#say('', 'quiet', `nothing new for ${minutes} minutes; hosts at risk: ${atRisk}`);
  }

  #say(subject: string, tone: Tone, text: string): void {
    this.#toldAtMs = this.#nowMs;
    this.#options.tell({atMs: this.#nowMs, tone, subject, text});
  }

  #hostMoved({actor, event, from, to, context}: Transition): void {
    const host = actor.slice('hosts/'.length);
    const {risk, component} = JSON.parse(context) as HostContext;
    switch (event) {
      case 'risk.raised':
        this.#episodes.set(host, {acted: false, declined: false});
        if (component === REBOOT) this.#rebootSeen(host);
        this.#say(
          host,
          'warn',
          `at risk: ${formatPercent(risk)} within 30 min, most of all ${component === REBOOT ? 'an intended reboot' : `its ${component}`}${because(this.#reasons.get(host))}`,
        );
        return;
      case 'risk.cleared':
        this.#cleared(host, risk);
        return;
      case 'host.suspected':
        if (this.#options.wasMeant?.(host)) this.#tellReboot(host);
        else this.#say(host, 'warn', 'silent; nobody knows yet whether it is dead');
        return;
      case 'host.heard':
        this.#say(host, 'plain', 'is heard again');
        return;
      case 'host.lost':
        this.#forget(host);
        this.#say(host, 'bad', `lost, proven by its power controller; ${this.#leftOn(host)}`);
        return;
      case 'host.returned':
        this.#say(host, 'plain', 'back, on probation');
        return;
      default:
        if (to === 'normal' && from.startsWith('recovering')) {
          this.#say(host, 'good', 'healthy again, takes VMs');
        }
    }
  }

  #rebootSeen(host: string): void {
    const episode = this.#episodes.get(host);
    if (episode !== undefined) episode.rebootSeenAtMs ??= this.#nowMs;
  }

  #tellReboot(host: string): void {
    const seenAtMs = this.#episodes.get(host)?.rebootSeenAtMs;
    const left = this.#leftOn(host);
    if (seenAtMs === undefined) {
      this.#say(host, 'bad', `intended reboot, not seen coming; ${left}`);
      return;
    }
    const ahead = Math.round((this.#nowMs - seenAtMs) / 60_000);
    const when = ahead === 0 ? 'less than a minute' : `${ahead} min`;
    this.#say(host, 'good', `intended reboot, seen ${when} ahead; ${left}`);
  }

  #leftOn(host: string): string {
    const count = [...this.#places.values()].filter(place => place === host).length;
    if (count === 0) return 'no VM was left on it';
    return `${count} ${count === 1 ? 'VM was' : 'VMs were'} still on it`;
  }

  #cleared(host: string, risk: number): void {
    const episode = this.#episodes.get(host);
    this.#forget(host);
    this.#options.onClear?.(host);
    if (episode === undefined) return;
    const lead = `risk back to ${formatPercent(risk)}`;
    if (episode.acted) {
      this.#say(host, 'plain', `${lead}: a false alarm, or a part that healed`);
      return;
    }
    if (episode.declined) this.acts.restraints++;
    this.#say(host, 'good', `${lead}: a false alarm, and nothing was done for it`);
  }

  #vmMoved({actor, event, from, to, context: json}: Transition): void {
    const vm = actor.slice('vms/'.length);
    const context = JSON.parse(json) as VmContext;
    if (context.host !== '') this.#places.set(vm, context.host);
    if (event === 'effect.completed') this.#vmDone(vm, from, to, context);
    if (event === 'effect.failed' && to.startsWith('at-risk')) {
      const what = from.startsWith('migrating') ? 'migration failed' : 'no ghost could be armed';
      this.#say(vm, 'warn', `${what}; it runs on ${context.host} as before`);
    }
    if (event === 'host.lost' && to === 'recovering.awaiting-restart') {
      this.#say(vm, 'bad', 'down with its host');
    }
  }

  #vmDone(vm: string, from: string, to: string, context: VmContext): void {
    switch (to) {
      case 'migrating.verifying':
        this.acts.migrations++;
        this.#say(vm, 'good', `runs on ${context.host} now${this.#cost(vm)}`);
        return;
      case 'at-risk.protected':
        this.acts.ghostsArmed++;
        this.#say(vm, 'good', `ghost armed on ${context.ghostHost}${this.#cost(vm)}`);
        return;
      case 'ghost-active.redirecting':
        this.acts.ghostsActivated++;
        this.#say(vm, 'good', `its ghost on ${context.host} has taken over, memory intact`);
        return;
      case 'recovering.redirecting':
        if (from === 'ghost-active.failing-back') {
          this.acts.failBacks++;
          this.#say(vm, 'good', `failed back to ${context.host}`);
        } else {
          this.#say(vm, 'good', `restarted on ${context.host}`);
        }
        return;
      default:
    }
  }

  /** VMs that stay where they are although their host is at risk, one line a host. */
  #tellStaying(decisions: readonly Decision[]): void {
    const staying = new Map<string, Decision[]>();
    for (const decision of decisions) {
      const {outcome, entity, host, alternatives} = decision;
      if (outcome !== 'no-action' || !entity.startsWith('vms/') || alternatives.length === 0)
        continue;
      if (this.#first(host, entity)) staying.set(host, [...(staying.get(host) ?? []), decision]);
    }
    for (const [host, found] of staying) {
      const names = found.map(({entity}) => entity.slice('vms/'.length));
      const shown =
        names.length > 4
          ? `${names.slice(0, 4).join(', ')} and ${names.length - 4} more`
          : names.join(', ');
      const {because: why} = found[0] as Decision;
      this.#say(host, 'quiet', `${shown} ${names.length === 1 ? 'stays' : 'stay'}: ${why}`);
    }
  }

  #cost(vm: string): string {
    const figures = this.#figures.get(vm) ?? {};
    const {downtime_seconds: down, transferred_bytes: bytes, duration_seconds: took} = figures;
    const parts = [
      down === undefined ? '' : `paused ${Math.round(down * 1000)} ms`,
      bytes === undefined ? '' : `${(bytes / 1e9).toFixed(1)} GB copied`,
      took === undefined ? '' : `in ${Math.round(took)} s`,
    ].filter(part => part !== '');
    return parts.length === 0 ? '' : ` (${parts.join(', ')})`;
  }

  #decided(decision: Decision): void {
    const {action, outcome, host, targetHost, entity, because: why} = decision;
    const subject = entity.slice(entity.indexOf('/') + 1);
    const episode = this.#episodes.get(host);
    if (decision.component === REBOOT) this.#rebootSeen(host);
    if (outcome === 'no-action') {
      if (episode !== undefined) episode.declined = true;
      if (entity.startsWith('hosts/')) this.#say(subject, 'quiet', why);
      return;
    }
    if (decision.blockedBy === 'breaker' && this.#first(host, 'breaker')) {
      this.#say(host, 'warn', 'nothing is done: too many hosts at risk at once, suspect the model');
    }
    if (outcome !== 'acted') return;
    if (episode !== undefined && action !== 'fence') {
      episode.acted = true;
      this.#options.onAct?.(host, this.#nowMs);
    }
    if (action === 'cordon') this.acts.cordons++;
    const to = targetHost === '' ? '' : ` ${targetHost}`;
    this.#say(subject, 'plain', `${verbs[action] ?? action}${to}: ${why}`);
  }
}

const verbs: Partial<Record<Decision['action'], string>> = {
  cordon: 'cordoned',
  uncordon: 'uncordoned',
  'arm-ghost': 'arming a ghost on',
  migrate: 'migrating to',
  restart: 'restarting on',
  'fail-back': 'going home to',
  fence: 'fencing',
};

function because(reasons: readonly Reason[] | undefined): string {
  const raising = (reasons ?? []).filter(({contribution}) => contribution > 0).slice(0, 3);
  if (raising.length === 0) return '';
  return `, because ${raising.map(describe).join(' · ')}`;
}

/** `memory_corrected_errors_per_second.level` → `memory corrected errors per second 3.1 (usual 0)`. */
function describe({feature, value, usual}: Reason): string {
  const [metric = '', kind = 'level'] = feature.split('.');
  const way = kind === 'level' ? '' : ` ${kind}`;
  const beside = Number.isNaN(usual) ? '' : ` (usual ${formatFigure(usual)})`;
  return `${metric.replaceAll('_', ' ')}${way} ${formatFigure(value)}${beside}`;
}
