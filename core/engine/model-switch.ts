/**
 * Which models the hosts of a partition are scored by, and how a command changes it.
 *
 * M1 A switch has a place in the order of inputs: the tick that takes the command is the first whose
 *    rows are sent to the new model, and answers of the former one that come later are dropped.
 * M2 What is asked for and cannot be done leaves everything as it was, and the journal says why.
 * M3 A replay does what the journal says, whether or not the model is still there.
 */
import {afterSwitch, canaryFor, type ModelUse, PERCENT_ALL} from '../domain/model-use.ts';
import type {InboxRecord} from '../domain/records.ts';
import type {ModelSignature} from '../ports.ts';
import type {PartitionState} from './partition-state.ts';
import {isScored} from './set-table.ts';
import type {TickDraft} from './tick-draft.ts';

/** Models by hash, or why there is none. */
export type KnownModels = ReadonlyMap<string, ModelSignature | string>;

/** The model that a host is scored by. */
export function modelOf({model, canary}: PartitionState, host: string): ModelSignature {
  return canaryFor(host, canary)?.model ?? model;
}

/** What is in use; what the configuration says, as long as no command has asked for another. */
export function modelUse({use, model}: PartitionState): ModelUse {
  return use ?? {champion: model.hash};
}

/** Takes the command of a live tick; of a recorded one see {@link adopt}. */
export function switchModel(
  draft: TickDraft,
  command: Extract<InboxRecord, {kind: 'switch-model'}>,
): void {
  const {state, input} = draft;
  if (input.recorded !== undefined) return;
  const {refused: _refused, ...before} = modelUse(state);
  const because = refusal(state, command, input.models);
  const {modelHash} = command;
  const use =
    because === '' ? afterSwitch(before, command) : {...before, refused: {modelHash, because}};
  adopt(state, use, input.models);
  draft.modelsChanged = true;
}

function refusal(
  state: PartitionState,
  {modelHash, percent}: {modelHash: string; percent: number},
  models: KnownModels = new Map(),
): string {
  if (modelHash === state.model.hash || percent === 0) return '';
  const found = modelHash === state.canary?.model.hash ? state.canary.model : models.get(modelHash);
  if (found === undefined) return 'nobody knows a model of this hash here';
  if (typeof found === 'string') return found;
  if (state.everySamples > 0 && percent < PERCENT_ALL) {
    return 'a share of the hosts can try a model only where hosts are scored, not every sample';
  }
  return misfit(state, found);
}

/** Why a model cannot take the place of the one that serves; empty: it can. */
function misfit({model, tables, everySamples}: PartitionState, other: ModelSignature): string {
  if (other.components.join() !== model.components.join()) {
    return `it foretells ${other.components.join(', ')}; served are ${model.components.join(', ')}`;
  }
  const sameRows = other.contract.family === 'averages' && everySamples === 0;
  if (
    other.contract.family !== model.contract.family ||
    !(sameRows || other.featureHash === model.featureHash)
  ) {
    return `it reads other windows (feature contract ${other.featureHash}, served is ${model.featureHash}): start the core with it`;
  }
  for (const {set, scored} of tables.values()) {
    if (isScored(set, other) === scored) continue;
    return `it ${scored ? 'does not take' : 'takes'} hosts of metric set ${set.name}, the one served ${scored ? 'does' : 'does not'}: start the core with it`;
  }
  return '';
}

/**
 * Serves what is in use, as far as its models are known; what is not is left to the champion, and to
 * the configured model.
 */
export function adopt(state: PartitionState, use: ModelUse, models: KnownModels = new Map()): void {
  const find = (hash: string): ModelSignature | undefined => {
    const held = [state.model, state.canary?.model].find(model => model?.hash === hash);
    const found = held ?? models.get(hash);
    return typeof found === 'object' && misfit(state, found) === '' ? found : undefined;
  };
  const canary = use.canary && find(use.canary.modelHash);
  state.model = find(use.champion) ?? state.model;
  state.canary = canary && use.canary && {model: canary, percent: use.canary.percent};
  state.use = use;
  // Every host is scored anew, whatever its model was.
  for (const table of state.tables.values()) table.scoredMs.fill(0);
}

/** Hashes of the models that are named by what is in use. */
export function namedModels({champion, canary}: ModelUse): string[] {
  return canary === undefined ? [champion] : [champion, canary.modelHash];
}
