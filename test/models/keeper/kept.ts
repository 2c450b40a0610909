/** Keepers with a real registry and real artefacts, in a world whose law is known (world.ts). */
import {join} from 'node:path';
import type {ExecutionContext} from 'ava';
import {systemClock} from '../../../core/adapters/clock-system.ts';
import {nodeFiles} from '../../../core/adapters/files-node.ts';
import {canaryFor} from '../../../core/domain/model-use.ts';
import type {HostOutcome, ObservedRows} from '../../../core/domain/observed.ts';
import {startKeeper} from '../../../models/keeper/keeper.ts';
import type {Keeper, KeeperOptions} from '../../../models/keeper/keeper-parts.ts';
import {openRegistry, type Registry} from '../../../models/registry/registry.ts';
import {createTreesScorer} from '../../../models/scorer-trees.ts';
import {scoreTrees} from '../../../models/trees/tree-model.ts';
import {makeFolder} from '../registry/fixtures.ts';
import {HOUR_MS, modelOfLaw, upsideDown, type World, writeModel} from './world.ts';

export const FAMILY = 'component-failure';
export const models = {
  old: modelOfLaw(0, 1),
  fresh: modelOfLaw(1, 2),
  bad: upsideDown(modelOfLaw(0, 3)),
};
export type Kind = keyof typeof models;

export const person = {author: {who: 'anna', why: 'a test', atMs: 1}, codeVersion: '0'};

/** A registry with these entries, the first of them the champion. */
export async function makeRegistry(t: ExecutionContext, ...kinds: readonly Kind[]) {
  const directory = await makeFolder(t);
  const registry = openRegistry(join(directory, 'models'), nodeFiles);
  const hashes = new Map<string, Kind>();
  const hashOf: Partial<Record<Kind, string>> = {};
  for (const kind of kinds) {
    const folder = await writeModel(join(directory, kind), models[kind], kinds.indexOf(kind) + 1);
    const {hash} = await registry.importArtefact(folder, person);
    hashes.set(hash, kind);
    hashOf[kind] = hash;
  }
  return {directory, registry, hashes, hash: (kind: Kind) => hashOf[kind] as string};
}

export type Told = {
  lines: string[];
  switched: {modelHash: string; percent: number}[];
};

export function keep(
  registry: Registry,
  options: Partial<KeeperOptions> = {},
): Keeper & {told: Told} {
  const told: Told = {lines: [], switched: []};
  const keeper = startKeeper({
    family: FAMILY,
    mode: 'auto',
    registry,
    open: async hash => {
      registry.read(hash);
      return createTreesScorer(registry.folderOf(hash));
    },
    examples: countFailures(),
    train: async () => {
      throw new Error('nobody trains here');
    },
    drift: () => ({
      observe() {},
      settle() {},
      report: () => ({lossesRose: false, inputsMoved: false, reasons: []}),
    }),
    switchModel: async ({modelHash, percent}) => void told.switched.push({modelHash, percent}),
    clock: systemClock,
    tell: line => told.lines.push(line),
    codeVersion: '0',
    ...options,
    settings: {canaryMs: HOUR_MS, probationMs: 4 * HOUR_MS, ...options.settings},
  });
  return Object.assign(keeper, {told});
}

/** All failures that were told of, and those of them that may teach. */
function countFailures(): KeeperOptions['examples'] {
  const failures = new Map<string, number>();
  let [nowMs, askedMs] = [0, Number.NEGATIVE_INFINITY];
  return {
    observe: ({atMs}) => {
      nowMs = atMs;
    },
    tell({kind, host, atMs}) {
      if (kind === 'lost' || kind === 'crashed') failures.set(`${host} ${atMs}`, atMs);
    },
    count(sinceMs) {
      const after = (fromMs: number) => [...failures.values()].filter(at => at > fromMs).length;
      return {failures: failures.size, newFailures: after(askedMs), sinceFailures: after(sinceMs)};
    },
    taught() {
      askedMs = nowMs;
    },
  };
}

export type Change = (
  rows: ObservedRows,
  outcomes: HostOutcome[],
) => {rows: ObservedRows; outcomes: HostOutcome[]};

/** A step of the world, as the aliases say who scores it. */
export function serve(world: World, registry: Registry, hashes: ReadonlyMap<string, Kind>) {
  const {champion, challenger, canaryPercent: percent} = aliasesOf(registry);
  const modelOf = (hash: string | null) => models[hashes.get(hash as string) as Kind];
  const told = world.step(modelOf(champion), champion as string);
  if (challenger === null || percent === 0) return told;
  const {rows} = told;
  const risks = scoreTrees(modelOf(challenger), rows.hosts.length, rows.features);
  const width = rows.outputs.length;
  const hosts = rows.hosts.map((host, row) => {
    if (canaryFor(host.name, {percent}) === undefined) return host;
    rows.risks.set(risks.subarray(row * width, (row + 1) * width), row * width);
    return {...host, modelHash: challenger};
  });
  return {...told, rows: {...rows, hosts}};
}

/** Lets hours pass; what serves is what the registry says, at once. */
export async function run(
  world: World,
  registry: Registry,
  hashes: ReadonlyMap<string, Kind>,
  keepers: readonly Keeper[],
  hours: number,
  change: Change = (rows, outcomes) => ({rows, outcomes}),
): Promise<void> {
  for (let step = 0; step < 12 * hours; step++) {
    const told = serve(world, registry, hashes);
    const {rows, outcomes} = change(told.rows, told.outcomes);
    for (const keeper of keepers) {
      for (const outcome of outcomes) keeper.outcome(outcome);
      keeper.observe(rows);
      await keeper.idle();
    }
  }
}

export function doings(registry: Registry): string[] {
  return registry
    .history()
    .records.filter(({who}) => who === 'keeper')
    .map(({what, evaluation}) =>
      evaluation === undefined ? what : `evaluated ${evaluation.passed ? 'better' : 'no'}`,
    );
}

export const aliasesOf = (registry: Registry) => registry.aliases(FAMILY).aliases;
