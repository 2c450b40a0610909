import type {Boot} from './boot-records.ts';
import {keptNumbers} from './history.ts';

const spikesMax = 64;
const precededMs = 600_000;
/** Time constant of what is usual. */
const usualMs = 3_600_000;
/** Of all CPUs, and against what is usual. */
const spikeLoadMin = 0.5;
const spikeFactor = 3;
/** As if so many more boots had come without. */
const doubts = 2;

type Kept = {sinceMs?: unknown; spikes?: unknown};

/** Spells of load far above the usual, and how often boots came after them. */
export type LoadSpikes = {
  /** Takes the load of a minute as a share of the CPUs; says whether there is something to keep. */
  add(loadRatio: number, nowMs: number): boolean;
  /**
   * Of the boots that this sensor has seen coming, the share that was preceded by a spike within
   * ten minutes, with two more that were not; 0 while there is no spike now.
   */
  bootAffinity(boots: readonly Boot[], nowMs: number): number;
  toKeep(): Kept;
};

/**
 * A spike is a load (one minute's mean) above half of the CPUs and three times the usual one, an
 * exponential mean over an hour. `kept` is what `toKeep` gave, unchecked.
 */
export function createLoadSpikes(kept?: unknown): LoadSpikes {
  const {sinceMs: keptSince, spikes: keptSpikes} = (kept ?? {}) as Kept;
  // Times at which a spike was last seen, one a spell.
  const spikes = keptNumbers(keptSpikes, spikesMax);
  let sinceMs = typeof keptSince === 'number' ? keptSince : Number.NaN;
  let usual = Number.NaN;
  let lastMs = Number.NaN;
  let isSpike = false;
  return {
    add(loadRatio, nowMs) {
      if (Number.isNaN(loadRatio)) return false;
      const isFirst = Number.isNaN(sinceMs);
      if (isFirst) sinceMs = nowMs;
      isSpike = loadRatio > spikeLoadMin && loadRatio > spikeFactor * usual;
      const weight = Number.isNaN(usual) ? 1 : 1 - Math.exp(-Math.abs(nowMs - lastMs) / usualMs);
      usual = (Number.isNaN(usual) ? 0 : usual) * (1 - weight) + loadRatio * weight;
      lastMs = nowMs;
      if (!isSpike) return isFirst;
      const isSameSpell = nowMs - (spikes.at(-1) ?? Number.NEGATIVE_INFINITY) <= precededMs;
      if (isSameSpell) spikes[spikes.length - 1] = nowMs;
      else spikes.push(nowMs);
      if (spikes.length > spikesMax) spikes.shift();
      return true;
    },
    bootAffinity(boots, nowMs) {
      if (!isSpike) return 0;
      const seen = boots.filter(({atMs}) => atMs >= sinceMs && atMs <= nowMs);
      const after = seen.filter(({atMs, downMs}) => {
        const endMs = Number.isNaN(downMs) || downMs < sinceMs ? atMs : downMs;
        return spikes.some(spikeMs => spikeMs <= atMs && endMs - spikeMs <= precededMs);
      });
      return after.length / (seen.length + doubts);
    },
    toKeep: () => ({sinceMs, spikes}),
  };
}
