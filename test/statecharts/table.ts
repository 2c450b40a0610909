import assert from 'node:assert/strict';
import test from 'ava';
import type {Effect, EffectKind} from '../../core/domain/effects.ts';
import type {ActorKind} from '../../statecharts/events.ts';
import {startActor} from './running-actor.ts';

export const NOW_MS = 1_000_000;

/** What an actor does in one cell, for one variant of context and event. */
export type Case<Path, Context> = {
  to: Path;
  /** Differences from the state's usual context. */
  given?: Partial<Context>;
  /** Differences from the event's usual fields. */
  with?: Record<string, unknown>;
  asks?: readonly EffectKind[];
  /** Fields of the context afterwards. */
  sets?: Partial<Context>;
};

/** `–`: neither state nor context changes, and nothing is asked for. */
export type Cell<Path, Context> = '–' | Case<Path, Context> | readonly Case<Path, Context>[];

type Fields = Record<string, unknown>;

export type Table<Path extends string, Context> = {
  kind: ActorKind;
  fresh: Context;
  usual: Record<Path, Partial<Context>>;
  /** The usual event of a type in a context. */
  event(type: string, context: Context, path: Path): Fields;
  cells: Record<Path, Record<string, Cell<Path, Context>>>;
};

/** Registers one test a state; each runs every cell of its row. */
export function runTable<Path extends string, Context extends Fields>(
  table: Table<Path, Context>,
): void {
  for (const path of Object.keys(table.cells) as Path[]) {
    test(`a ${table.kind} that is ${path} answers every event as the table says`, t => {
      for (const [type, cell] of Object.entries(table.cells[path])) {
        for (const [index, expected] of casesOf(cell, path).entries()) {
          runCase(table, path, type, cell === '–', expected, `${path} × ${type} #${index}`);
        }
      }
      t.pass();
    });
  }
}

function casesOf<Path, Context>(cell: Cell<Path, Context>, path: Path) {
  if (cell === '–') return [{to: path} as Case<Path, Context>];
  return Array.isArray(cell) ? (cell as Case<Path, Context>[]) : [cell as Case<Path, Context>];
}

function runCase<Path extends string, Context extends Fields>(
  {kind, fresh, usual, event}: Table<Path, Context>,
  path: Path,
  type: string,
  isIgnored: boolean,
  expected: Case<Path, Context>,
  where: string,
): void {
  const context: Context = {...fresh, ...usual[path], ...expected.given};
  const effects: Effect[] = [];
  const actor = startActor(kind, 'x', effect => effects.push(effect), {
    restored: {state: path, context: JSON.stringify(context)},
  });
  const before = actor.serialise();
  actor.send({type, atMs: NOW_MS, ...event(type, context, path), ...expected.with} as never);
  assert.equal(actor.path(), expected.to, where);
  assert.deepEqual(
    effects.map(effect => effect.kind),
    expected.asks ?? [],
    where,
  );
  if (isIgnored) assert.deepEqual(actor.serialise(), before, where);
  const after = actor.context() as unknown as Context;
  for (const key of Object.keys(expected.sets ?? {})) {
    assert.deepEqual(after[key], expected.sets?.[key], `${where}, ${key}`);
  }
  for (const effect of effects) assert(effect.deadlineMs > NOW_MS, `${where}: deadline`);
}
