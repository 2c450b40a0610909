/** What the proof of prediction keeps (skill-fold.ts). */
import type {ActBook} from './act-book.ts';
import type {AlertBook} from './alert-book.ts';
import type {Gap, HostLife} from './host-life.ts';
import {createLossBlocks, type LossBlocks} from './loss-blocks.ts';
import {clearNaiveHost, createNaiveRates, growNaiveRates, type NaiveRates} from './naive-rates.ts';
import {
  createPendingForecasts,
  dropForecasts,
  growPendingForecasts,
  type PendingForecasts,
} from './pending-forecasts.ts';
import {createSkillCounters, type SkillCounters, type SkillSettings} from './skill-settings.ts';
import type {TrialBook} from './trial-book.ts';

const MODELS_MAX = 4;
const FIRST_HOSTS = 16;

/** A host that failed, or was rebooted while the model spoke of reboots. */
export type Failure = {
  readonly host: string;
  readonly atMs: number;
  /** Model that forecast it last. */
  readonly modelHash: string;
};

export type SkillState = {
  readonly settings: SkillSettings;
  timeMs: number;
  /** When forecasts were last settled. */
  settledAtMs: number;
  /** Host: its index, in the order in which they were first forecast; of one that is gone, a newer one's. */
  readonly hosts: Map<string, number>;
  /** Indexes of hosts that are gone; the last one is given next. */
  readonly free: number[];
  readonly lives: HostLife[];
  /** Host: hash of the model that forecast it last; shares of a cell may have different ones. */
  readonly modelOfHost: string[];
  naive: NaiveRates;
  pending: PendingForecasts;
  /** The one that was used last is the last; `index` is what pending forecasts name. */
  models: {hash: string; index: number; sinceMs: number; losses: LossBlocks}[];
  /** Of the newest forecast. */
  modelHash: string;
  modelsSeen: number;
  /** Whether models of this cell speak of reboots: then a reboot is something that they forecast. */
  withReboots: boolean;
  alerts: AlertBook;
  acts: ActBook;
  trial: TrialBook;
  failures: Failure[];
  gaps: Gap[];
  readonly counters: SkillCounters;
};

export function createSkillState(settings: SkillSettings): SkillState {
  const {horizonMs, graceMs, gridMs} = settings;
  return {
    settings,
    timeMs: Number.NaN,
    settledAtMs: Number.NEGATIVE_INFINITY,
    hosts: new Map(),
    free: [],
    lives: [],
    modelOfHost: [],
    naive: createNaiveRates(FIRST_HOSTS),
    pending: createPendingForecasts(FIRST_HOSTS, Math.ceil((horizonMs + graceMs) / gridMs) + 2),
    models: [],
    modelHash: '',
    modelsSeen: 0,
    withReboots: false,
    alerts: {open: [], settled: []},
    acts: {open: [], settled: []},
    trial: {open: [], settled: []},
    failures: [],
    gaps: [],
    counters: createSkillCounters(),
  };
}

/** The index of a host: a new one for one that was never heard of, while there is room. */
export function hostOf(state: SkillState, host: string): number | undefined {
  const known = state.hosts.get(host);
  if (known !== undefined) return known;
  const given = state.free.pop();
  if (given !== undefined) {
    state.hosts.set(host, given);
    return given;
  }
  const index = state.lives.length;
  if (index >= state.settings.hostsMax) {
    state.counters.hostsRefused++;
    return undefined;
  }
  state.hosts.set(host, index);
  state.lives.push([]);
  state.modelOfHost.push('');
  if (index >= state.naive.weeks.length) {
    state.naive = growNaiveRates(state.naive, 2 * index);
    state.pending = growPendingForecasts(state.pending, 2 * index);
  }
  return index;
}

/**
 * Forgets a host that is gone, and gives its place to the next new one; what its cell had of it stays in
 * the cell's rates. Its name may come again: as a host that was never heard of.
 */
export function forgetHost(state: SkillState, host: string): void {
  const index = state.hosts.get(host);
  if (index === undefined) return;
  state.hosts.delete(host);
  state.free.push(index);
  state.lives[index] = [];
  state.modelOfHost[index] = '';
  clearNaiveHost(state.naive, index);
  dropForecasts(state.pending, index);
}

/** The index of a model, which is in use. */
export function modelOf(state: SkillState, hash: string): number {
  state.modelHash = hash;
  const at = state.models.findIndex(model => model.hash === hash);
  if (at >= 0) {
    const [known] = state.models.splice(at, 1) as [SkillState['models'][number]];
    state.models.push(known);
    return known.index;
  }
  const index = state.modelsSeen++;
  state.models.push({hash, index, sinceMs: state.timeMs, losses: createLossBlocks()});
  if (state.models.length > MODELS_MAX) {
    state.models.shift();
    state.counters.modelsDropped++;
  }
  return index;
}
