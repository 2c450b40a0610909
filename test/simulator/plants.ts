import type {PartitionState} from '../../core/engine/partition-state.ts';
import type {EffectTable} from '../../edge/actuator/effect-table.ts';
import type {Dial, Files} from '../../edge/ports.ts';
import type {CoreParts} from './core.ts';
import type {SimProcess} from './process.ts';
import type {World} from './world.ts';

/** A bug that is put between the product's parts, to see whether the checkers can see it. */
export type Plant = {
  prepare?: (world: World) => void;
  core?: (parts: CoreParts, world: World, process: SimProcess) => CoreParts;
  dial?: (dial: Dial) => Dial;
  table?: (table: EffectTable) => EffectTable;
  edgeFiles?: (files: Files) => Files;
  started?: (state: PartitionState) => void;
};

export const NO_PLANT: Plant = {};

export const PLANTS: ReadonlyMap<string, Plant> = new Map();
