/** Planted bugs of edges, agents and executors. */
import type {EffectReport} from '../../core/domain/effects.ts';
import {ForestayError, isForestayError} from '../../core/domain/errors.ts';
import type {Plant} from './plants.ts';

/** The first batch of a stream is lost, and what follows is taken all the same. */
export const holeTakenForSent: Plant = {
  breaks: ['S1', 'S3'],
  incidents: ['cut-edge'],
  dial: dial => (hello, events) => {
    const link = dial(hello, events);
    let isFirst = true;
    return {
      ...link,
      send(bytes) {
        if (!isFirst) return link.send(bytes);
        isFirst = false;
        return true;
      },
    };
  },
};

/** Files go, and the note that they may is never written. */
export const ledgerAfterUnlink: Plant = {
  breaks: ['S14'],
  incidents: ['crash-edge', 'lose-power'],
  swarm: {diskCrash: 0},
  edgeFiles: files => ({
    ...files,
    openAppend(path) {
      const file = files.openAppend(path);
      if (!path.endsWith('/ledger')) return file;
      return {...file, write: () => {}, sync: async () => {}, syncNow: () => {}};
    },
  }),
};

/** An agent that carries out what anybody asks, behind a network on which requests come late. */
export const agentWithoutEpochs: Plant = {
  breaks: ['S9'],
  incidents: ['crash-core', 'restart-core', 'alarm', 'fail-host'],
  table: table => ({...table, highestEpoch: () => 0}),
  core: (parts, world) => ({
    ...parts,
    actuator: {
      ...parts.actuator,
      execute(effect, fence) {
        if (world.random.next() < 0.3) return parts.actuator.execute(effect, fence);
        world.scheduler.after(4_000 + world.random.next() * 16_000, () => {
          world
            .agent(effect.agent)
            ?.actuator.execute(effect, fence)
            .catch(() => {});
        });
        throw new ForestayError('AGENT_UNREACHABLE', 'no answer', {retryable: true});
      },
    },
  }),
};

/** An agent that knows nothing of its former life. */
export const agentForgets: Plant = {
  breaks: ['S6', 'S7', 'S9'],
  incidents: ['crash-edge', 'crash-services', 'alarm', 'fail-host'],
  table: table => {
    const mine = new Set<string>();
    return {
      ...table,
      find: id => (mine.has(id) ? table.find(id) : undefined),
      begin(effect) {
        mine.add(effect.id);
        return table.begin(effect);
      },
      end(report) {
        mine.add(report.id);
        return table.end(report);
      },
    };
  },
};

/** An owner that begins without telling anybody. */
export const fenceNotAnnounced: Plant = {
  breaks: ['S9'],
  incidents: ['crash-core', 'pause-core'],
  core: parts => ({...parts, actuator: {...parts.actuator, announce: async () => {}}}),
};

/** A host that does not answer is taken for dead, without proof. */
export const silenceTakenForDeath: Plant = {
  breaks: ['S4', 'S5', 'S6'],
  incidents: ['cut-edge', 'fail-host'],
  core: parts => ({
    ...parts,
    actuator: {
      ...parts.actuator,
      async execute(effect, fence) {
        if (effect.kind !== 'fence-host') return parts.actuator.execute(effect, fence);
        return {...nothing(effect.id), status: 'done'};
      },
    },
  }),
};

/** An executor that takes a time-out for an answer. */
export const timeoutTakenForFailure: Plant = {
  breaks: ['S6', 'S4', 'S7'],
  core: parts => ({
    ...parts,
    actuator: {
      ...parts.actuator,
      execute: (effect, fence) =>
        parts.actuator.execute(effect, fence).catch(error => {
          if (!isForestayError(error) || !error.retryable) throw error;
          return {...nothing(effect.id), status: 'failed', code: 'TIMED_OUT'};
        }),
    },
  }),
};

function nothing(id: string): EffectReport {
  return {id, status: 'unknown', code: '', message: '', progress: 0, figures: {}};
}

/** A restart gives back what the hour had used up. */
export const budgetForgotten: Plant = {
  breaks: ['S10', 'S11'],
  incidents: ['crash-core', 'restart-core', 'alarm', 'fail-host'],
  started: state => state.moves.clear(),
};
